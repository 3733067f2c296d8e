import { type Account, findAccount, loginOf, nodeId, organization } from "./accounts.ts";

/** A team of the organization; like the accounts, the same in every sandbox. */
export interface Team {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly members: readonly string[];
}

const teams: readonly Team[] = [
  {
    id: 11_000_001,
    slug: "maintainers",
    name: "Maintainers",
    members: ["owner", "contributor"].map(loginOf),
  },
  { id: 11_000_002, slug: "readers", name: "Readers", members: ["reader"].map(loginOf) },
];

export function listTeams(): readonly Team[] {
  return teams;
}

export function findTeam(slug: string): Team | undefined {
  return teams.find((team) => team.slug === slug.toLowerCase());
}

export function findTeamById(id: number): Team | undefined {
  return teams.find((team) => team.id === id);
}

export function membersOf(team: Team): Account[] {
  return team.members.flatMap((login) => findAccount(login) ?? []);
}

export function teamBody(team: Team): object {
  const url = `https://api.github.com/organizations/${organization.id}/team/${team.id}`;
  return {
    id: team.id,
    node_id: nodeId("T", team.id),
    url,
    html_url: `https://github.com/orgs/${organization.login}/teams/${team.slug}`,
    name: team.name,
    slug: team.slug,
    description: null,
    privacy: "closed",
    notification_setting: "notifications_enabled",
    permission: "pull",
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    parent: null,
  };
}
