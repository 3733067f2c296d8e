import type { NamespaceContent } from "../kubernetes/namespaces.ts";
import { nameOf, ofKind } from "../kubernetes/namespaces.ts";
import type { Props } from "../model.ts";
import { type Finding, forbiddenEgress, forbiddenIngress } from "./forbidden.ts";
import { type Grant, type Policy, parsePolicy } from "./policy.ts";
import { type NetworkPod, type Reach, reachOf } from "./reach.ts";
import { type Workload, workloadsOf } from "./workloads.ts";

/** A pod with what is forbidden of what it reaches or is reached by. */
export interface Reached {
  readonly workload: Workload;
  readonly findings: readonly Finding[];
}

/** The policies of a namespace, looked up by what they select, so that a pod is not held against every one of them. */
export class PolicyIndex {
  readonly #byLabel = new Map<string, number[]>();
  readonly #others: number[] = [];
  readonly #policies: readonly Policy[];

  constructor(policies: readonly Policy[]) {
    this.#policies = policies;
    policies.forEach(({ selects }, index) => {
      // All requirements must hold, so one that names a value is enough to find the policy by.
      const one = selects.find((each) => each.operator === "In" && each.values.size === 1);
      const [value] = one?.operator === "In" ? one.values : [];
      const list =
        one?.operator === "In" && value !== undefined ? this.#listOf(`${one.key}=${value}`) : this.#others;
      list.push(index);
    });
  }

  #listOf(key: string): number[] {
    const list = this.#byLabel.get(key) ?? [];
    this.#byLabel.set(key, list);
    return list;
  }

  /** The policies that may select a pod with these labels; the rest certainly do not. */
  candidates(labels: Workload["pod"]["labels"]): readonly Policy[] {
    const known = labels !== undefined && [...labels.values()].every((value) => typeof value === "string");
    const indexes = known
      ? [
          ...this.#others,
          ...[...labels].flatMap(([key, value]) => this.#byLabel.get(`${key}=${String(value)}`) ?? []),
        ]
      : this.#policies.map((_, index) => index);
    indexes.sort((a, b) => a - b);
    return indexes.flatMap((index) => this.#policies[index] ?? []);
  }
}

/** What is forbidden of the effective reach of the pods of a namespace. */
export function forbiddenReach(namespace: NamespaceContent): Reached[] {
  const index = new PolicyIndex(
    ofKind(namespace, "NetworkPolicy", "networking.k8s.io")
      .filter(({ of }) => !of.patch)
      .map(({ of, resource }) => parsePolicy(of.object, nameOf(of) ?? resource.name)),
  );
  // What is forbidden depends on the grants alone, and most pods of a namespace have the same ones.
  const known = new Map<string, readonly Finding[]>();
  return workloadsOf(namespace).flatMap((workload) => {
    const { pod, token } = workload;
    const policies = index.candidates(pod.labels);
    const ingress = reachOf("ingress", pod, policies);
    const egress = reachOf("egress", pod, policies);
    const key = JSON.stringify([grantsOf(ingress), grantsOf(egress), token]);
    const findings = known.get(key) ?? [
      ...forbiddenIngress(pod, ingress),
      ...forbiddenEgress(pod, egress, token),
    ];
    known.set(key, findings);
    return findings.length === 0 ? [] : [{ workload, findings }];
  });
}

/**
 * What is forbidden of what one policy lets through by itself, to any pod. Of the pod nothing is known, so it is taken to have
 * a token for the API server, and its namespace no labels.
 */
export function forbiddenGrants(object: Props): Finding[] {
  const policy = parsePolicy(object, "it");
  const pod: NetworkPod = { namespace: "", namespaceLabels: undefined, labels: undefined };
  const reachBy = (given: readonly Grant[] = []): Reach => ({
    open: false,
    grants: given.map((grant) => ({ ...grant, policy: policy.name })),
  });
  return [
    ...forbiddenIngress(pod, reachBy(policy.ingress)),
    ...forbiddenEgress(pod, reachBy(policy.egress), true),
  ];
}

const grantsOf = (reach: Reach): string[] | "open" =>
  reach.open ? "open" : reach.grants.map(({ policy, path }) => `${policy} ${path}`);
