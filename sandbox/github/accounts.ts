import { type KnownPrincipal, knownPrincipals } from "../core/principals.ts";

/** A person or an organization on the sandbox's GitHub. They are the same in every sandbox. */
export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Organization";
  readonly name: string;
}

/** How far someone's rights on a repository go; each includes those before it. */
export const accessLevels = ["none", "read", "write", "admin"] as const;
export type Access = (typeof accessLevels)[number];

/** The one organization. `owner` owns it, `contributor` writes to its repositories, `reader` reads them. */
export const organization: Account = {
  id: 190_000_000,
  login: "kiln",
  type: "Organization",
  name: "Kiln sandbox",
};

const memberAccess: Readonly<Record<KnownPrincipal, Access>> = {
  owner: "admin",
  contributor: "write",
  reader: "read",
  stranger: "none",
};

/** `owner` of the sandbox is `kiln-owner` on its GitHub, and so on. */
export function loginOf(principal: string): string {
  return `${organization.login}-${principal}`;
}

const users: readonly Account[] = Object.keys(knownPrincipals).map((principal, index) => ({
  id: organization.id + 1 + index,
  login: loginOf(principal),
  type: "User",
  name: `The sandbox's ${principal}`,
}));

/** What acts in a job by its `GITHUB_TOKEN`. The id is GitHub's own. */
export const actionsBot: Account = {
  id: 41_898_282,
  login: "github-actions[bot]",
  type: "User",
  name: "GitHub Actions",
};

const accounts: readonly Account[] = [organization, ...users];

/** Logins have no case. */
export function findAccount(login: string): Account | undefined {
  const wanted = login.toLowerCase();
  return accounts.find((account) => account.login === wanted);
}

export function findAccountById(id: number): Account | undefined {
  return [...accounts, actionsBot].find((account) => account.id === id);
}

export function listUsers(): readonly Account[] {
  return users;
}

/** What an account may do in the organization's repositories. */
export function accessIn(owner: string, login: string): Access {
  if (owner === login) return "admin";
  if (owner !== organization.login) return "none";
  const principal = login.slice(organization.login.length + 1);
  return memberAccess[principal as KnownPrincipal] ?? "none";
}

/** Whether `has` reaches as far as `needed`. */
export function reaches(has: Access, needed: Access): boolean {
  return accessLevels.indexOf(has) >= accessLevels.indexOf(needed);
}

/** GitHub's global ids: the type's letters and a MessagePack of `[0, id]`. */
export function nodeId(prefix: string, id: number): string {
  const bytes = Buffer.from([0x92, 0x00, 0xce, 0, 0, 0, 0]);
  bytes.writeUInt32BE(id, 3);
  return `${prefix}_${bytes.toString("base64url")}`;
}

/** An account where another object names it. */
export function simpleAccount(account: Account): object {
  const url = `https://api.github.com/users/${encodeURIComponent(account.login)}`;
  const isBot = account === actionsBot;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(account.type === "User" ? "U" : "O", account.id),
    avatar_url: `https://avatars.githubusercontent.com/u/${account.id}?v=4`,
    gravatar_id: "",
    url,
    html_url: `https://github.com/${account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: isBot ? "Bot" : account.type,
    user_view_type: "public",
    site_admin: false,
  };
}
