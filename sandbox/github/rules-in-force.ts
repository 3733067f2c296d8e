import type { GitHub } from "./http.ts";
import { isProtected, protectionRules } from "./protections.ts";
import { type Rule, rulesFor } from "./ruleset-match.ts";
import type { Repository } from "./state.ts";

/** What holds for a ref, by rulesets and by branch protection. */
export function rulesInForce(github: GitHub, repository: Repository, ref: string): Rule[] {
  return [...rulesFor(github, repository, ref), ...protectionRules(github, repository, ref)];
}

/** Whether GitHub calls a branch protected. */
export function isGuarded(github: GitHub, repository: Repository, ref: string): boolean {
  return isProtected(github, repository, ref) || rulesFor(github, repository, ref).length > 0;
}
