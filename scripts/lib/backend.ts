import { type Answer, ask } from "./http.ts";
import type { CloudTarget } from "./target.ts";

/** Header by which the backend is asked for a proof of its key. */
const CHALLENGE_HEADER = "x-key-challenge";

/** The routes of the backend that a Function App runs. */
export interface Backend {
  /** `GET /api/health`; with a challenge, the app also proves which key it holds. */
  health(challenge?: string): Promise<Answer>;
  /** A call of the model through the app. */
  chat(): Promise<Answer>;
}

/** The backend of a Function App, on the target's way. */
export function backendOf(
  target: Pick<CloudTarget, "clientOptions">,
  app: string,
  signal: AbortSignal,
): Backend {
  const site = `https://${app}.azurewebsites.net`;
  return {
    health: (challenge) =>
      ask(target, {
        url: `${site}/api/health`,
        method: "GET",
        ...(challenge === undefined ? {} : { headers: { [CHALLENGE_HEADER]: challenge } }),
        timeoutMs: 60_000,
        signal,
      }),
    chat: () =>
      ask(target, {
        url: `${site}/api/chat`,
        method: "POST",
        json: { message: "Say that you are there." },
        timeoutMs: 120_000,
        signal,
      }),
  };
}
