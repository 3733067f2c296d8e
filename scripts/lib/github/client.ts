import { readFileSync } from "node:fs";
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
} from "@azure/core-rest-pipeline";
import { Octokit } from "@octokit/rest";
import { exitCodes, KilnError } from "../errors.ts";
import type { ClientOptions } from "../keys/azure-account-keys.ts";
import type { KilnPaths } from "../paths.ts";
import { type CloudName, openTarget } from "../target.ts";

/** GitHub's REST API as octokit speaks it. */
export type GitHub = Octokit["rest"];

/** GitHub's version of the API that Kiln is written for. */
const apiVersion = "2022-11-28";

/** A client that goes the same way as those of Azure: by the sandbox's proxy, or directly. */
export function githubClient(token: string, options: ClientOptions, baseUrl?: string): GitHub {
  return new Octokit({
    auth: token,
    userAgent: "kiln",
    ...(baseUrl === undefined ? {} : { baseUrl }),
    request: { fetch: fetchBy(options), headers: { "x-github-api-version": apiVersion } },
    // Refusals are told once, as errors, in Kiln's own words.
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  }).rest;
}

/**
 * GitHub, or the sandbox's. Nothing of Azure is touched for the real one.
 * @throws KilnError `NotSignedInToGitHub`, exit code 2, where there is no token
 */
export async function openGitHub(
  cloud: CloudName,
  paths: KilnPaths,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<GitHub> {
  if (cloud === "sandbox") {
    const { clientOptions } = await openTarget(cloud, paths, env, signal);
    return sandboxGitHub(paths, clientOptions, env);
  }
  return realGitHub(env);
}

/** GitHub as whoever the environment's token stands for. */
export function realGitHub(env: NodeJS.ProcessEnv): GitHub {
  const token = env.GH_TOKEN || env.GITHUB_TOKEN;
  if (!token) {
    throw new KilnError(
      {
        code: "NotSignedInToGitHub",
        message: "nobody is signed in to GitHub",
        cause: "Neither GH_TOKEN nor GITHUB_TOKEN is set.",
        next: "Set it for this command: `GH_TOKEN=$(gh auth token) kiln github …`. Nothing was touched.",
      },
      exitCodes.usage,
    );
  }
  return githubClient(token, {}, env.GITHUB_API_URL || undefined);
}

/** The sandbox's GitHub, as its owner or as whose token the environment has. */
export async function sandboxGitHub(
  paths: Pick<KilnPaths, "sandbox">,
  options: ClientOptions,
  env: NodeJS.ProcessEnv,
): Promise<GitHub> {
  const { sandboxPaths } = await import("../../../sandbox/client/index.ts");
  const file = sandboxPaths(paths.sandbox).githubTokenOf("owner");
  return githubClient(env.GH_TOKEN || env.GITHUB_TOKEN || readFileSync(file, "utf8").trim(), options);
}

/** `fetch` over the pipeline of the Azure SDKs, which knows proxies, certificates and patience. */
function fetchBy(options: ClientOptions): typeof fetch {
  return async (input, init = {}) => {
    const pipeline = createPipelineFromOptions({
      ...options,
      retryOptions: { maxRetries: 3, ...options.retryOptions },
    });
    const { method = "GET", body, headers, signal } = init;
    const response = await pipeline.sendRequest(
      options.httpClient ?? createDefaultHttpClient(),
      createPipelineRequest({
        url: String(input),
        method: method as HttpMethods,
        headers: createHttpHeaders(Object.fromEntries(new Headers(headers))),
        ...(typeof body === "string" ? { body } : {}),
        ...(signal ? { abortSignal: signal } : {}),
      }),
    );
    // A body is forbidden where the status says that there is none.
    const empty = response.status === 204 || response.status === 304;
    return new Response(empty ? null : (response.bodyAsText ?? ""), {
      status: response.status,
      headers: response.headers.toJSON(),
    });
  };
}

/** What octokit throws when GitHub refuses. */
export function statusOf(error: unknown): number | undefined {
  const { status } = error as { status?: unknown };
  return error instanceof Error && typeof status === "number" ? status : undefined;
}

/** Undefined instead of a 404. */
export async function found<T>(asking: Promise<{ data: T }>): Promise<T | undefined> {
  try {
    return (await asking).data;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** A refusal of GitHub in plain words; everything else passes through. Pure. */
export function githubTrouble(error: unknown, repository: string): unknown {
  const status = statusOf(error);
  if (status === undefined) return error;
  const cause = (error as Error).message.split(" - https://")[0] ?? "";
  const tell = (code: string, message: string, why: string, next: string) =>
    new KilnError({ code, message, cause: `${why}\n${cause}`, next });
  if (status === 401)
    return tell(
      "GitHubSignInFailed",
      "GitHub does not accept the token",
      "It is wrong, has expired or was revoked.",
      "Sign in again (`gh auth login`) and set GH_TOKEN anew.",
    );
  if (status === 404)
    return tell(
      "NotOnGitHub",
      `GitHub shows no ${repository}, or not everything that is needed of it`,
      "It does not exist, or the token may not see it; GitHub does not tell these two apart.",
      "Check the name; the token needs the repository's actions, environments and variables.",
    );
  if (status === 403 || status === 429)
    return tell(
      "GitHubForbids",
      `GitHub refuses this for ${repository}`,
      "The token lacks a right, or it has sent too many requests for now.",
      "Sign in as an administrator of the repository, or wait until the limit is over, then run it again.",
    );
  if (status === 422)
    return tell(
      "GitHubRefuses",
      `GitHub does not take a setting of ${repository}`,
      "A reviewer may lack access, or the plan may lack required reviewers: a private repository needs GitHub Enterprise for them.",
      "Correct it and run it again; what was done stays.",
    );
  return tell(
    "GitHubFailed",
    `GitHub answered ${status}`,
    "That is all that it says.",
    "Run it again in a minute; what was done stays.",
  );
}
