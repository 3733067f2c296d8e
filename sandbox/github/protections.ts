import { nodeId } from "./accounts.ts";
import type { GitHub } from "./http.ts";
import { matchesPattern, type Rule } from "./ruleset-match.ts";
import type { Repository } from "./state.ts";

/** What a branch protection rule can say, with what it says by itself. Names are those of GitHub's GraphQL. */
export const protectionDefaults = {
  allowsDeletions: false,
  allowsForcePushes: false,
  isAdminEnforced: false,
  lockBranch: false,
  requiresConversationResolution: false,
  requiresCommitSignatures: false,
  requiresLinearHistory: false,
  requiresApprovingReviews: false,
  requiredApprovingReviewCount: 0,
  dismissesStaleReviews: false,
  requiresCodeOwnerReviews: false,
  requireLastPushApproval: false,
  requiresStatusChecks: false,
  requiresStrictStatusChecks: false,
  requiredStatusCheckContexts: [] as readonly string[],
};

/** A branch protection rule of a repository. */
export interface Protection extends Readonly<typeof protectionDefaults> {
  readonly id: number;
  readonly pattern: string;
}

const kind = "github-protections";

export function protectionsOf({ repositories }: GitHub, repository: Repository): Protection[] {
  return repositories.children<Protection>(kind, repository.id).map(([, protection]) => protection);
}

export function putProtection({ cloud }: GitHub, repository: Repository, protection: Protection): Protection {
  cloud.store.collection<Protection>(kind).put(`${repository.id}/${protection.id}`, protection);
  return protection;
}

export function dropProtection({ cloud }: GitHub, repository: Repository, protection: Protection): void {
  cloud.store.collection<Protection>(kind).delete(`${repository.id}/${protection.id}`);
}

/** The rule with a global id, and whose it is. */
export function findProtection(
  github: GitHub,
  id: string,
): { repository: Repository; protection: Protection } | undefined {
  for (const repository of github.repositories.list()) {
    const protection = protectionsOf(github, repository).find((each) => protectionId(each) === id);
    if (protection !== undefined) return { repository, protection };
  }
  return undefined;
}

export function protectionId(protection: Protection): string {
  return nodeId("BPR", protection.id);
}

/** Whether some rule is about a branch. */
export function isProtected(github: GitHub, repository: Repository, ref: string): boolean {
  return protectionFor(github, repository, ref) !== undefined;
}

function protectionFor(github: GitHub, repository: Repository, ref: string): Protection | undefined {
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  if (branch === undefined) return undefined;
  return protectionsOf(github, repository).find(({ pattern }) => matchesPattern(branch, pattern));
}

/**
 * What a protection forbids, as rules of a ruleset. Deleting and rewinding are forbidden to everyone; the wish for a pull
 * request holds for administrators only where it says so, and is left out otherwise.
 */
export function protectionRules(github: GitHub, repository: Repository, ref: string): Rule[] {
  const protection = protectionFor(github, repository, ref);
  if (protection === undefined) return [];
  const { isAdminEnforced, lockBranch, requiredApprovingReviewCount } = protection;
  const parameters = { required_approving_review_count: requiredApprovingReviewCount };
  return [
    ...(protection.allowsDeletions ? [] : [{ type: "deletion" }]),
    ...(protection.allowsForcePushes ? [] : [{ type: "non_fast_forward" }]),
    ...(lockBranch ? [{ type: "update" }] : []),
    ...(isAdminEnforced && protection.requiresApprovingReviews ? [{ type: "pull_request", parameters }] : []),
  ];
}
