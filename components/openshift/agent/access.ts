import { roleRef } from "../subjects.ts";
import type { AgentSettings } from "./settings.ts";

/**
 * All that the agent may by itself: ask whose token it was handed, and what they may. Whatever it does in the cluster, it does
 * with the caller's token. Pure. Source: openshift/lightspeed-operator
 */
export const TOKEN_REVIEW_RULES = [
  { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
  { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
];

/** The binding of these rules to the agent's service account, and to no other. Pure. */
export function tokenReviewBinding({ names, namespace }: AgentSettings) {
  return {
    subjects: [{ kind: "ServiceAccount", name: names.agent, namespace }],
    roleRef: roleRef("ClusterRole", names.tokenReview),
  };
}
