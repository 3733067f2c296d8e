import { readFileSync } from "node:fs";
import http from "node:http";
import { Octokit } from "@octokit/rest";
import { sandboxPaths } from "../../../sandbox/client/index.ts";
import type { KnownPrincipal } from "../../../sandbox/core/principals.ts";
import { type TestSandbox, testSandbox } from "../../harness/sandbox.ts";

export interface GitHubSandbox extends TestSandbox {
  /** The official client, unmodified, as one of the sandbox's principals, or with a token of another kind. */
  octokit(principal?: KnownPrincipal | { token: string }): Octokit;
  tokenOf(principal: KnownPrincipal): string;
}

/** A sandbox that this process's `fetch` reaches through its front door, as `NODE_USE_ENV_PROXY` would have it. */
export async function gitHubSandbox(): Promise<GitHubSandbox> {
  const sandbox = await testSandbox();
  const restore = http.setGlobalProxyFromEnv({ https_proxy: sandbox.proxy });
  const tokenOf = (principal: KnownPrincipal) =>
    readFileSync(sandboxPaths(sandbox.dataDir).githubTokenOf(principal), "utf8");
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return Object.defineProperties({} as GitHubSandbox, {
    ...Object.getOwnPropertyDescriptors(sandbox),
    tokenOf: { value: tokenOf },
    octokit: {
      value: (who: KnownPrincipal | { token: string } = "owner") =>
        new Octokit({ auth: typeof who === "string" ? tokenOf(who) : who.token, log }),
    },
    close: {
      value: async () => {
        restore();
        await sandbox.close();
      },
    },
  });
}

/** What a call that the cloud refuses is refused with. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ status: number; message: string; errors?: unknown; documentation_url?: string }> {
  try {
    await call;
  } catch (error) {
    const { status, response } = error as { status: number; response?: { data: object } };
    return { ...(response?.data as { message: string }), status };
  }
  throw new Error("it was not refused");
}
