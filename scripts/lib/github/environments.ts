import type { RepositoryName } from "../../../components/github/model/names.ts";
import type { ProtectionSettings } from "../../../components/github/model/protection.ts";
import type { Environment } from "../../../stacks/config.ts";
import { found, type GitHub } from "./client.ts";

/** The environment on GitHub that a run on an environment of Kiln's goes through: one for all pull requests. Pure. */
export function githubEnvironmentOf({ kind, name }: Pick<Environment, "kind" | "name">): string {
  return kind === "pr" ? "pr" : name;
}

/** How an environment is protected on GitHub, undefined where there is none. */
export async function readProtection(
  github: GitHub,
  { owner, name: repo }: RepositoryName,
  environment: string,
): Promise<ProtectionSettings | undefined> {
  const at = { owner, repo, environment_name: environment };
  const body = await found(github.repos.getEnvironment(at));
  if (body === undefined) return undefined;
  const { deployment_branch_policy: policy } = body;
  const rules = body.protection_rules ?? [];
  const review = rules.find((rule) => rule.type === "required_reviewers");
  const wait = rules.find((rule) => rule.type === "wait_timer");
  const reviewers = review !== undefined && "reviewers" in review ? (review.reviewers ?? []) : [];
  const idsOf = (type: string) =>
    reviewers.flatMap((each) =>
      each.type === type && each.reviewer?.id !== undefined ? [each.reviewer.id] : [],
    );
  const patterns = policy?.custom_branch_policies === true ? await readPatterns(github, at) : [];
  return {
    users: idsOf("User"),
    teams: idsOf("Team"),
    preventSelfReview:
      review !== undefined && "prevent_self_review" in review && review.prevent_self_review === true,
    waitMinutes: wait !== undefined && "wait_timer" in wait ? (wait.wait_timer ?? 0) : 0,
    // GitHub gives it; its description of the API does not.
    adminsBypass: (body as { can_admins_bypass?: boolean }).can_admins_bypass ?? true,
    refs: policy?.custom_branch_policies
      ? "patterns"
      : policy?.protected_branches
        ? "protected-branches"
        : undefined,
    branches: patterns.flatMap(({ name, type }) => (type === "tag" ? [] : [name])),
    tags: patterns.flatMap(({ name, type }) => (type === "tag" ? [name] : [])),
  };
}

async function readPatterns(
  github: GitHub,
  at: { owner: string; repo: string; environment_name: string },
): Promise<{ name: string; type: string }[]> {
  const { data } = await github.repos.listDeploymentBranchPolicies({ ...at, per_page: 100 });
  return data.branch_policies.map(({ name = "", type = "branch" }) => ({ name, type }));
}

/** Gives an environment a protection, and makes it where there is none. Patterns are added, none is taken away. */
export async function writeProtection(
  github: GitHub,
  { owner, name: repo }: RepositoryName,
  environment: string,
  wanted: ProtectionSettings,
  there: ProtectionSettings | undefined,
): Promise<void> {
  const at = { owner, repo, environment_name: environment };
  const reviewers = [
    ...wanted.users.map((id) => ({ type: "User" as const, id })),
    ...wanted.teams.map((id) => ({ type: "Team" as const, id })),
  ];
  await github.repos.createOrUpdateEnvironment({
    ...at,
    wait_timer: wanted.waitMinutes,
    prevent_self_review: wanted.preventSelfReview,
    reviewers: reviewers.length > 0 ? reviewers : null,
    deployment_branch_policy:
      wanted.refs === undefined
        ? null
        : {
            protected_branches: wanted.refs === "protected-branches",
            custom_branch_policies: wanted.refs === "patterns",
          },
    // As above: taken, and not described.
    ...({ can_admins_bypass: wanted.adminsBypass } as object),
  });
  if (wanted.refs !== "patterns") return;
  const known: Pick<ProtectionSettings, "branches" | "tags"> =
    there?.refs === "patterns" ? there : { branches: [], tags: [] };
  for (const name of wanted.branches.filter((each) => !known.branches.includes(each)))
    await github.repos.createDeploymentBranchPolicy({ ...at, name, type: "branch" });
  for (const name of wanted.tags.filter((each) => !known.tags.includes(each)))
    await github.repos.createDeploymentBranchPolicy({ ...at, name, type: "tag" });
}

/** What is wanted, together with what is there: a protection is only ever made stronger here. Pure. */
export function strengthened(
  there: ProtectionSettings | undefined,
  wanted: ProtectionSettings,
): ProtectionSettings {
  if (there === undefined) return wanted;
  const asked = wanted.users.length + wanted.teams.length > 0;
  const { users, teams } = asked ? wanted : there;
  return {
    ...wanted,
    users,
    teams,
    preventSelfReview:
      users.length + teams.length > 0 && (wanted.preventSelfReview || there.preventSelfReview),
    waitMinutes: Math.max(wanted.waitMinutes, there.waitMinutes),
    adminsBypass: wanted.adminsBypass && there.adminsBypass,
    branches: union(there.branches, wanted.branches),
    tags: union(there.tags, wanted.tags),
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

/** Whether two protections are the same, in whatever order. Pure. */
export function sameProtection(a: ProtectionSettings, b: ProtectionSettings): boolean {
  const shape = (settings: ProtectionSettings) =>
    JSON.stringify([
      [...settings.users].sort(),
      [...settings.teams].sort(),
      settings.preventSelfReview,
      settings.waitMinutes,
      settings.adminsBypass,
      settings.refs,
      [...settings.branches].sort(),
      [...settings.tags].sort(),
    ]);
  return shape(a) === shape(b);
}

/**
 * What an environment lacks before a run may go through it; empty when nothing. Every one has to be there, and to be closed
 * to branches that nobody chose; that of production also wants a second pair of eyes. Pure.
 */
export function protectionGaps(
  environment: string,
  there: ProtectionSettings | undefined,
  production: boolean,
): string[] {
  if (there === undefined)
    return [
      `the environment ${environment} does not exist; the first job that names it would make it without protection`,
    ];
  const gaps: string[] = [];
  if (there.refs === undefined) gaps.push("every branch may use it");
  if (
    there.refs === "patterns" &&
    there.branches.concat(there.tags).some((each) => /^\*+(\/\*+)*$/.test(each))
  )
    gaps.push("a pattern lets every branch use it");
  if (!production) return gaps;
  if (there.users.length + there.teams.length === 0) gaps.push("nobody has to approve");
  else if (!there.preventSelfReview) gaps.push("whoever starts a run may approve it");
  if (there.adminsBypass) gaps.push("administrators may skip its protection");
  return gaps;
}
