import type { Service } from "../core/service.ts";
import {
  type Account,
  accessIn,
  findAccount,
  listUsers,
  nodeId,
  organization,
  reaches,
  simpleAccount,
} from "./accounts.ts";
import { GitHubError, notFound } from "./errors.ts";
import { paginate, requireViewer } from "./http.ts";
import { instant } from "./state.ts";
import { findTeam, listTeams, membersOf, teamBody } from "./teams.ts";

/** The accounts are as old as GitHub. */
const since = instant(Date.parse("2008-04-10T00:00:00Z"));

const isMember = (account: Account) => reaches(accessIn(organization.login, account.login), "read");

/** People, the organization and its teams; all of them are there from the start and stay. */
export function peopleRoutes(api: Service): void {
  api.get("/", { config: { docs: "meta/meta#github-api-root" } }, async () => ({
    current_user_url: "https://api.github.com/user",
    organization_url: "https://api.github.com/orgs/{org}",
    repository_url: "https://api.github.com/repos/{owner}/{repo}",
    user_url: "https://api.github.com/users/{user}",
  }));
  api.get("/user", { config: { docs: "users/users#get-the-authenticated-user" } }, async (request) => {
    const { account, job } = requireViewer(request);
    if (job !== undefined) throw new GitHubError(403, "Resource not accessible by integration");
    return { ...accountBody(account), two_factor_authentication: true, plan: { name: "enterprise" } };
  });
  api.get(
    "/user/orgs",
    { config: { docs: "orgs/orgs#list-organizations-for-the-authenticated-user" } },
    async (request) => (isMember(requireViewer(request).account) ? [orgSummary()] : []),
  );
  api.get<{ Params: { username: string } }>(
    "/users/:username",
    { config: { docs: "users/users#get-a-user" } },
    async (request) => accountBody(requireAccount(request.params.username)),
  );

  type Org = { Params: { org: string; slug: string; username: string } };
  api.get<Org>("/orgs/:org", { config: { docs: "orgs/orgs#get-an-organization" } }, async (request) => {
    requireOrganization(request.params.org);
    return {
      ...accountBody(organization),
      ...orgSummary(),
      is_verified: false,
      has_organization_projects: true,
      has_repository_projects: true,
      plan: { name: "enterprise", space: 976_562_499, private_repos: 999_999, filled_seats: 3, seats: 3 },
    };
  });
  api.get<Org>(
    "/orgs/:org/members",
    { config: { docs: "orgs/members#list-organization-members" } },
    async (request, reply) => {
      requireOrganization(request.params.org);
      return paginate(request, reply, listUsers().filter(isMember).map(simpleAccount));
    },
  );
  api.get<Org>(
    "/orgs/:org/memberships/:username",
    { config: { docs: "orgs/members#get-organization-membership-for-a-user" } },
    async (request) => {
      requireOrganization(request.params.org);
      const account = requireAccount(request.params.username);
      if (!isMember(account)) throw notFound();
      return {
        url: `https://api.github.com/orgs/${organization.login}/memberships/${account.login}`,
        state: "active",
        role: accessIn(organization.login, account.login) === "admin" ? "admin" : "member",
        organization_url: `https://api.github.com/orgs/${organization.login}`,
        organization: orgSummary(),
        user: simpleAccount(account),
      };
    },
  );
  api.get<Org>("/orgs/:org/teams", { config: { docs: "teams/teams#list-teams" } }, async (request, reply) => {
    requireOrganization(request.params.org);
    return paginate(request, reply, listTeams().map(teamBody));
  });
  api.get<Org>(
    "/orgs/:org/teams/:slug",
    { config: { docs: "teams/teams#get-a-team-by-name" } },
    async (request) => {
      requireOrganization(request.params.org);
      const team = findTeam(request.params.slug);
      if (team === undefined) throw notFound();
      return { ...teamBody(team), members_count: team.members.length, organization: orgSummary() };
    },
  );
  api.get<Org>(
    "/orgs/:org/teams/:slug/members",
    { config: { docs: "teams/members#list-team-members" } },
    async (request, reply) => {
      requireOrganization(request.params.org);
      const team = findTeam(request.params.slug);
      if (team === undefined) throw notFound();
      return paginate(request, reply, membersOf(team).map(simpleAccount));
    },
  );
}

function requireAccount(login: string): Account {
  const account = findAccount(login);
  if (account === undefined) throw notFound();
  return account;
}

function requireOrganization(login: string): void {
  if (findAccount(login) !== organization) throw notFound();
}

function accountBody(account: Account): Record<string, unknown> {
  return {
    ...simpleAccount(account),
    name: account.name,
    company: null,
    blog: "",
    location: null,
    email: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: since,
    updated_at: since,
  };
}

function orgSummary(): Record<string, unknown> {
  const url = `https://api.github.com/orgs/${organization.login}`;
  return {
    login: organization.login,
    id: organization.id,
    node_id: nodeId("O", organization.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `https://avatars.githubusercontent.com/u/${organization.id}?v=4`,
    description: null,
  };
}
