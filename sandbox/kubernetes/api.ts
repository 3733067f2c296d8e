import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Answer } from "../providers/kubernetes/answer.ts";
import type { Connection } from "../providers/kubernetes/connection.ts";
import { type Json, textAt } from "../providers/kubernetes/json.ts";
import { isLost } from "../providers/kubernetes/lost.ts";

/** Requests that are on their way at once: an API server that has just started has enough to do. */
const atOnce = 4;

/**
 * The sandbox's own way to its API server, by the official client. That takes a third of a second and 90 MB to load, which
 * passes while etcd and the API server start; the provider, which needs it next, finds it there.
 */
export async function openApi(options: {
  readonly port: number;
  readonly caFile: string;
  readonly token: string;
}): Promise<Connection> {
  const [{ SharedConfig }, { Connection: Official }] = await Promise.all([
    import("../providers/kubernetes/shared-config.ts"),
    import("../providers/kubernetes/connection.ts"),
  ]);
  const config = new SharedConfig("kiln-sandbox");
  config.loadFromClusterAndUser(
    {
      name: "kiln-sandbox",
      server: `https://127.0.0.1:${options.port}`,
      caData: readFileSync(options.caFile).toString("base64"),
      skipTLSVerify: false,
    },
    { name: "kiln-sandbox", token: options.token },
  );
  return Official.open(config, { atOnce });
}

/** What the API server said no to, in its words. */
export class Refusal extends Error {
  readonly status: number;

  constructor(what: string, { status, body }: { readonly status: number; readonly body: Json }) {
    super(`the API server refused ${what} (${status}): ${textAt(body, "message") ?? JSON.stringify(body)}`);
    this.name = "Refusal";
    this.status = status;
  }
}

/** The body of an answer that is no refusal. @throws Refusal */
export function taken(answer: Answer, what: string): object {
  if (answer.status < 400) return answer.body;
  throw new Refusal(what, answer);
}

/** Whether something failed for the server's reasons, which has ended or is busy, and not for what it was asked. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Refusal) return error.status >= 500 || error.status === 409 || error.status === 429;
  return isLost(error);
}

/** Waits until something holds. @throws AbortError */
export async function until(signal: AbortSignal, done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await delay(25, undefined, { signal });
}
