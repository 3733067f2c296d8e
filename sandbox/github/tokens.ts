import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { GitHubAccess } from "../client/environment.ts";
import { sandboxPaths } from "../client/files.ts";
import type { Cloud } from "../core/cloud.ts";
import { writePrivate } from "../core/files.ts";
import { knownPrincipals } from "../core/principals.ts";
import { type Access, type Account, actionsBot, findAccount, loginOf, organization } from "./accounts.ts";

/** What a token stands for, kept by the SHA-256 of it. */
interface TokenRecord {
  readonly login: string;
  /** A person's own, or the `GITHUB_TOKEN` of a job, which reaches one repository. */
  readonly kind: "user" | "job";
  readonly repositoryId?: number;
  readonly access?: Access;
  /** Wall clock, in milliseconds; a person's does not end. */
  readonly expires?: number;
}

/** Who sent a request, and how far the token reaches beyond what the account may do. */
export interface Viewer {
  readonly account: Account;
  /** Set for the `GITHUB_TOKEN` of a job: what it does triggers no workflow. */
  readonly job?: { readonly repositoryId: number; readonly access: Access };
}

const kind = "github-tokens";

/** The tokens of people live as long as the sandbox, through every reset. */
export const keptTokens = kind;

/** Gives every principal of the sandbox a token of its GitHub, each in files of its own. */
export function ensureGitHubTokens(cloud: Cloud): void {
  const records = cloud.store.collection<TokenRecord>(kind);
  for (const principal of Object.keys(knownPrincipals)) {
    const { login, tokenFile, ghConfigDir } = gitHubAccess(cloud, principal);
    const hosts = path.join(ghConfigDir, "hosts.yml");
    const known = records.entries().find(([, each]) => each.login === login && each.kind === "user");
    if (known !== undefined && existsSync(tokenFile) && existsSync(hosts)) continue;
    if (known !== undefined) records.delete(known[0]);
    const token = cloud.mint.githubToken("ghp", `GitHub user ${login}`);
    records.put(hash(token), { login, kind: "user" });
    writePrivate(tokenFile, token);
    writePrivate(path.join(ghConfigDir, "config.yml"), 'version: "1"\n');
    const entry = {
      user: login,
      oauth_token: token,
      git_protocol: "https",
      users: { [login]: { oauth_token: token } },
    };
    // JSON is YAML too.
    writePrivate(hosts, JSON.stringify({ "github.com": entry }));
  }
}

/** Who a principal is on the sandbox's GitHub, and where its token is. */
export function gitHubAccess(cloud: Cloud, principal: string): GitHubAccess {
  const paths = sandboxPaths(cloud.dataDir);
  return {
    owner: organization.login,
    login: loginOf(principal),
    tokenFile: paths.githubTokenOf(principal),
    ghConfigDir: paths.ghConfigOf(principal),
  };
}

/** A job's own token for one repository; it ends with the job, an hour at most. */
export function issueJobToken(
  cloud: Cloud,
  repository: { id: number; owner: string; name: string },
  access: Access,
): string {
  const records = cloud.store.collection<TokenRecord>(kind);
  for (const [key, { expires }] of records.entries()) {
    if (expires !== undefined && expires < Date.now()) records.delete(key);
  }
  const token = cloud.mint.githubToken("ghs", `a job of ${repository.owner}/${repository.name}`);
  records.put(hash(token), {
    login: actionsBot.login,
    kind: "job",
    repositoryId: repository.id,
    access,
    expires: Date.now() + 60 * 60 * 1000,
  });
  return token;
}

/** Whose token this is; undefined when it is nobody's, or over. */
export function viewerOf(cloud: Cloud, token: string): Viewer | undefined {
  const record = cloud.store.collection<TokenRecord>(kind).get(hash(token));
  if (record === undefined || (record.expires ?? Number.POSITIVE_INFINITY) < Date.now()) return undefined;
  if (record.kind === "job") {
    const { repositoryId = 0, access = "read" } = record;
    return { account: actionsBot, job: { repositoryId, access } };
  }
  const account = findAccount(record.login);
  return account === undefined ? undefined : { account };
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
