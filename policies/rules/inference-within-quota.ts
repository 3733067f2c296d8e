import { add, demandOf, surroundingsOf } from "../kubernetes/demand.ts";
import { byNamespace, type Member, type NamespaceContent, nameOf, ofKind } from "../kubernetes/namespaces.ts";
import { KUBERNETES, type KubeObject, objectsOf, texts, within } from "../kubernetes/objects.ts";
import { exceeds, quantity, readable } from "../kubernetes/quantity.ts";
import { at, isObject, type Rule, type StackInput, type StackViolation } from "../model.ts";
import { looksSecret } from "../secrets/shapes.ts";

/**
 * A model scales up when it is called most, and that is when a quota that is too small refuses its pods: the call fails, and
 * nothing said so before. What all models of a namespace can need together fits into its quota.
 */
export const inferenceWithinQuota: Rule = {
  name: "inference-within-quota",
  description:
    "What the InferenceServices of a namespace need with all their replicas fits into its quota; each one says what it needs.",
  severity: "high",
  package: KUBERNETES,
  checkStack(resources) {
    const shared = clusterRuntimes(resources);
    return byNamespace(resources).flatMap((namespace) => judged(namespace, shared));
  },
};

function clusterRuntimes(resources: readonly StackInput[]): Map<string, KubeObject> {
  const runtimes = new Map<string, KubeObject>();
  for (const of of resources.flatMap(objectsOf)) {
    const name = of.kind === "ClusterServingRuntime" ? nameOf(of) : undefined;
    if (name !== undefined) runtimes.set(name, of);
  }
  return runtimes;
}

function judged(namespace: NamespaceContent, shared: ReadonlyMap<string, KubeObject>): StackViolation[] {
  const services = ofKind(namespace, "InferenceService", "serving.kserve.io").filter(({ of }) => !of.patch);
  if (services.length === 0) return [];
  const surroundings = surroundingsOf(namespace, shared);
  const demands = services.map((service) => ({ service, demand: demandOf(service.of, surroundings) }));
  const total = new Map<string, number>();
  for (const { demand } of demands) for (const [name, amount] of demand) add(total, name, amount);
  return [
    ...ofKind(namespace, "ResourceQuota")
      .filter(({ of }) => countsLongRunning(of))
      .flatMap((quota) => overdrawn(quota, total, demands)),
    ...services.filter(({ of }) => saysNothing(of, surroundings.runtimes)).map(unsaid),
  ];
}

/** A quota may count some pods only: those that end by themselves, those without limits, those of a priority. */
function countsLongRunning({ object }: KubeObject): boolean {
  const ordinary = texts(at(object, "spec.scopes")).every((scope) =>
    ["NotTerminating", "NotBestEffort"].includes(scope),
  );
  return ordinary && !isObject(at(object, "spec.scopeSelector"));
}

interface Demand {
  readonly service: Member;
  readonly demand: ReadonlyMap<string, number>;
}

function overdrawn(
  { resource, of }: Member,
  total: ReadonlyMap<string, number>,
  demands: readonly Demand[],
): StackViolation[] {
  const hard = at(of.object, "spec.hard");
  if (!isObject(hard)) return [];
  return Object.entries(hard).flatMap(([key, value]) => {
    const most = quantity(value);
    const name = key === "cpu" || key === "memory" ? `requests.${key}` : key === "count/pods" ? "pods" : key;
    const needed = total.get(name) ?? 0;
    if (most === undefined || !exceeds(needed, most)) return [];
    const who = demands
      .filter(({ demand }) => (demand.get(name) ?? 0) > 0)
      .sort((a, b) => (b.demand.get(name) ?? 0) - (a.demand.get(name) ?? 0))
      .slice(0, 3)
      .map(({ service, demand }) => `${shown(service)} ${readable(demand.get(name) ?? 0, name)}`);
    return [
      {
        resource,
        property: within(of.path, `spec.hard["${key}"]`),
        message: `is ${readable(most, name)}, and the models with all their replicas need ${readable(needed, name)} (${who.join(", ")}).`,
      },
    ];
  });
}

const shown = ({ resource }: Member): string =>
  looksSecret(resource.name) ? "(a name that is withheld)" : resource.name;

/**
 * Whether neither a model nor anything in the stack says what it needs: what KServe, or a runtime that someone else
 * looks after, then gives it, nobody has counted.
 */
function saysNothing({ object }: KubeObject, runtimes: ReadonlyMap<string, KubeObject>): boolean {
  const model = at(object, "spec.predictor.model");
  if (!isObject(model) || !(model.resources === undefined || model.resources === null)) return false;
  const { runtime } = model;
  if (typeof runtime === "symbol") return false;
  return typeof runtime !== "string" || !runtimes.has(runtime);
}

const unsaid = ({ resource, of }: Member): StackViolation => ({
  resource,
  property: within(of.path, "spec.predictor.model.resources"),
  message: "must be set: the model's runtime is not of this stack, so that nothing says what it needs.",
});
