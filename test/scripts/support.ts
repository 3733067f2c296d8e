import path from "node:path";
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { kilnPaths } from "../../scripts/lib/paths.ts";
import type { Session, VerbContext } from "../../scripts/lib/session.ts";
import { type KilnConfig, loadConfig, resolveEnvironment } from "../../stacks/config.ts";

/** A stream that keeps what is written to it, as text without colours. */
export interface TestStream {
  readonly stream: NodeJS.WriteStream;
  /** What was written since it was last taken. */
  take(): string;
}

export function testStream(size?: { columns: number; rows: number }): TestStream {
  let written = "";
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      written += chunk;
      done();
    },
  });
  if (size !== undefined) Object.assign(stream, { isTTY: true, ...size });
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    take: () => {
      const text = stripVTControlCharacters(written);
      written = "";
      return text;
    },
  };
}

const stackUrn = "urn:pulumi:dev::kiln::pulumi:pulumi:Stack::kiln-dev";

/** The URN of a resource of the test environment. */
export function urnOf(type: string, name: string): string {
  return `urn:pulumi:dev::kiln::${type}::${name}`;
}

/** What the engine says of a step on a resource. */
export function stepEvent(
  kind: "resourcePreEvent" | "resOutputsEvent" | "resOpFailedEvent",
  step: { op?: string; type: string; name: string; parent?: string; outputs?: Record<string, unknown> },
): EngineEvent {
  const { op = "create", type, name, parent = stackUrn, outputs = {} } = step;
  const metadata = { op, type, urn: urnOf(type, name), new: { type, parent, outputs } };
  return { sequence: 0, timestamp: 0, [kind]: { metadata } } as unknown as EngineEvent;
}

export function diagnosticEvent(severity: string, message: string, urn?: string): EngineEvent {
  const diagnostic = { severity, message, color: "never", ...(urn === undefined ? {} : { urn }) };
  return { sequence: 0, timestamp: 0, diagnosticEvent: diagnostic } as unknown as EngineEvent;
}

export interface Said {
  readonly said: string[];
  readonly warned: string[];
  readonly documents: object[];
}

/** An output that keeps what verbs say. */
export function testOutput(): Said & {
  readonly json: boolean;
  readonly live: boolean;
  say(line?: string): void;
  warn(line: string): void;
  document(content: object): void;
} {
  const said: string[] = [];
  const warned: string[] = [];
  const documents: object[] = [];
  return {
    json: false,
    live: false,
    said,
    warned,
    documents,
    say: (line = "") => void said.push(stripVTControlCharacters(line)),
    warn: (line) => void warned.push(stripVTControlCharacters(line)),
    document: (content) => void documents.push(content),
  };
}

export const SUBSCRIPTION = "00000000-1111-2222-3333-444444444444";
export const project = path.resolve(import.meta.dirname, "../..");

/** A verb's context that keeps what is said. */
export function testContext(): VerbContext & { readonly out: ReturnType<typeof testOutput> } {
  return { env: {}, out: testOutput(), stdout: testStream().stream, signal: new AbortController().signal };
}

/** The session of an environment as configured in this repository, with clients that a test makes up. */
export function testSession(
  environment: string,
  options: { clients?: object; home?: string; config?: Partial<KilnConfig>; wantedLocation?: string } = {},
): Session {
  const config = { ...loadConfig(project, environment, {}), ...options.config };
  const resolved = resolveEnvironment(config, SUBSCRIPTION);
  const { env, repo, service } = resolved.tags;
  const session = {
    paths: kilnPaths({ KILN_HOME: options.home ?? "/nowhere" }),
    config,
    wantedLocation: options.wantedLocation,
    engine: { pulumi: "/nowhere/pulumi", binDir: "/nowhere", version: "0.0.0" },
    target: { name: "sandbox", subscriptionId: SUBSCRIPTION, ownBackend: true, engineEnv: {} },
    resolved,
    clients: options.clients,
    owner: {
      accountName: resolved.names.openaiAccount,
      vaultName: resolved.names.vault,
      tags: { env, repo, service },
    },
  };
  return session as unknown as Session;
}

/** A client's pages. */
export async function* pages<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** A client's failure, with the status of the answer. */
export function refusal(statusCode: number, code?: string): Error {
  return Object.assign(new Error(`status ${statusCode}`), {
    statusCode,
    ...(code === undefined ? {} : { code }),
  });
}
