import { type Answer, type ArmClient, isRecord } from "../arm-client.ts";
import type { ArmRequest } from "../transport.ts";

export const gitHubHost = "api.github.com";

/** A refusal, worded as the real provider's HTTP library words it. */
export class GitHubApiError extends Error {
  readonly status: number;
  constructor(request: { method: string; path: string }, answer: Answer) {
    const body = isRecord(answer.body) ? answer.body : {};
    const errors = Array.isArray(body.errors) ? body.errors.map(fieldError).join(" ") : "";
    super(
      `${request.method} https://${gitHubHost}${request.path}: ${answer.status} ${String(body.message ?? "")} [${errors}]`,
    );
    this.name = "GitHubApiError";
    this.status = answer.status;
  }
}

function fieldError(error: unknown): string {
  if (!isRecord(error)) return String(error);
  const { resource = "", field = "", code = "", message = "" } = error;
  return `{Resource:${resource} Field:${field} Code:${code} Message:${message}}`;
}

/** What a GraphQL query is about is not there. */
export class NotFoundError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotFoundError";
  }
}

type Body = Readonly<Record<string, unknown>>;
type Call = Pick<ArmRequest, "method" | "path"> & {
  readonly query?: ArmRequest["query"];
  readonly body?: unknown;
};

/** One provider instance's way to GitHub's REST API: for one owner, with one token. */
export class GitHubClient {
  readonly owner: string;
  readonly #client: ArmClient;
  readonly #token: string | undefined;
  readonly #signal: AbortSignal;

  /** @param at.token instead of that of the sandbox's principal */
  constructor(client: ArmClient, at: { owner: string; token: string | undefined; signal: AbortSignal }) {
    this.#client = client;
    this.owner = at.owner;
    this.#token = at.token;
    this.#signal = at.signal;
  }

  /** The path of a repository of the owner, or below it. Each part is one segment. */
  path(repository: string, ...parts: readonly string[]): string {
    return `/${["repos", this.owner, repository, ...parts].map(encodeURIComponent).join("/")}`;
  }

  /** @throws GitHubApiError for every answer that is no success */
  async send(call: Call): Promise<Body> {
    const answer = await this.#answer(call);
    if (answer.status < 200 || answer.status >= 300) throw new GitHubApiError(call, answer);
    return isRecord(answer.body) ? answer.body : {};
  }

  /** The data that a GraphQL query answers. @throws Error with what GitHub says is wrong; NotFoundError for NOT_FOUND */
  async graphql(query: string, variables: Body): Promise<Body> {
    const answer = await this.send({ method: "POST", path: "/graphql", body: { query, variables } });
    const errors = Array.isArray(answer.errors) ? answer.errors.filter(isRecord) : [];
    const message = errors.map((error) => String(error.message)).join("; ");
    if (errors.some(({ type }) => type === "NOT_FOUND")) throw new NotFoundError(message);
    if (errors.length > 0) throw new Error(message);
    return isRecord(answer.data) ? answer.data : {};
  }

  /** What a GET answers; undefined when it is not there. */
  async find(path: string, query: ArmRequest["query"] = {}): Promise<Body | undefined> {
    const found = await this.#found(path, query);
    return isRecord(found) ? found : undefined;
  }

  async list(path: string, query: ArmRequest["query"] = {}): Promise<readonly unknown[]> {
    const found = await this.#found(path, query);
    return Array.isArray(found) ? found : [];
  }

  /** Deletes what may be gone already. */
  async remove(path: string, body?: unknown): Promise<void> {
    const call = { method: "DELETE" as const, path, ...(body === undefined ? {} : { body }) };
    const answer = await this.#answer(call);
    if (answer.status === 404 || (answer.status >= 200 && answer.status < 300)) return;
    throw new GitHubApiError(call, answer);
  }

  async #found(path: string, query: ArmRequest["query"]): Promise<unknown> {
    const call = { method: "GET" as const, path, query };
    const answer = await this.#answer(call);
    if (answer.status === 404) return undefined;
    if (answer.status < 200 || answer.status >= 300) throw new GitHubApiError(call, answer);
    // What is there and has nothing to say (204).
    return answer.body ?? {};
  }

  /** A repository that was renamed leads to its new place, and what is there already to itself (303). */
  async #answer(call: Call): Promise<Answer> {
    let next = call;
    for (let hops = 0; ; hops++) {
      const answer = await this.#client.send({
        host: gitHubHost,
        query: {},
        ...next,
        ...(this.#token === undefined ? {} : { token: this.#token }),
        signal: this.#signal,
      });
      const { location } = answer.headers;
      const moved = [301, 302, 303, 307, 308].includes(answer.status);
      if (!moved || location === undefined || hops === 3) return answer;
      const path = new URL(location).pathname;
      next = answer.status === 303 ? { method: "GET", path } : { ...next, path };
    }
  }
}
