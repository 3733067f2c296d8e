import { byNamespace } from "../kubernetes/namespaces.ts";
import { KUBERNETES, type KubeObject, objectsOf, within } from "../kubernetes/objects.ts";
import type { Rule, StackViolation, Violation } from "../model.ts";
import type { Finding, Forbidden } from "../network/forbidden.ts";
import { forbiddenGrants, forbiddenReach, type Reached } from "../network/index.ts";
import { looksSecret } from "../secrets/shapes.ts";

const WHY: Readonly<Record<Finding["direction"], Partial<Record<Forbidden, string>>>> = {
  ingress: {
    internet: "anyone on the internet reaches the pod",
    "other namespaces": "pods of any namespace reach the pod",
  },
  egress: {
    internet: "the pod reaches the whole internet on other ports than 443",
    "other namespaces": "the pod reaches pods of any namespace, not only to resolve names",
    "metadata service": "the pod reaches 169.254.169.254, where it could take the node's identity",
    "API server": "the pod reaches the API server and has no token for it",
  },
};

/**
 * What counts is what all policies that select a pod let through together, not what each of them says: a stricter one more
 * removes nothing, and a pod that none selects is open (facts of NetworkPolicy; policy.networking.k8s.io is not looked at, nor
 * are policies that someone else made in the namespace: those can only let more through). The namespace stands for the pods in
 * it that have no labels of their own.
 */
export const networkReach: Rule = {
  name: "network-reach",
  description:
    "The policies of a pod, taken together, open it to no stranger and let it reach neither all of the internet nor what is the cluster's.",
  severity: "high",
  package: KUBERNETES,
  // Policies only add: what one alone lets through no other takes away, so it is told before the policy is made.
  check: (resource) =>
    objectsOf(resource).flatMap((of) =>
      of.kind === "NetworkPolicy" && of.group === "networking.k8s.io" ? alone(of) : [],
    ),
  checkStack: (resources) =>
    byNamespace(resources).flatMap((namespace) => forbiddenReach(namespace).flatMap(told)),
};

function alone({ object, path }: KubeObject): Violation[] {
  return forbiddenGrants(object).map(({ direction, what, by }) => ({
    property: within(path, `spec.${direction} (${what})`),
    message: `whatever pod it selects: ${WHY[direction][what] ?? "it is reached"}, ${through(by)}.`,
  }));
}

function told({ workload, findings }: Reached): StackViolation[] {
  const { resource, of } = workload.member;
  const bare = of.kind === "Namespace" ? "a pod without labels in it: " : "";
  return findings.map(({ direction, what, by }) => ({
    resource,
    property: `${direction} (${what})`,
    message: `${bare}${WHY[direction][what] ?? "it is reached"}, ${through(by)}.`,
  }));
}

/** Three are enough to begin with. */
function through(by: readonly string[]): string {
  if (by.length === 0) return "since no policy selects it for this direction";
  const names = by.slice(0, 3).map((name) => (looksSecret(name) ? "(a name that is withheld)" : name));
  const more = by.length > names.length ? ` and ${by.length - names.length} more` : "";
  return `by ${names.join(", ")}${more}`;
}
