import { at, isObject, type Props } from "../model.ts";
import { inferenceComponents, isStopped, mostReplicas } from "./inference.ts";
import { type NamespaceContent, nameOf, ofKind } from "./namespaces.ts";
import { entries, type KubeObject } from "./objects.ts";
import { containersOf, podsOfObject } from "./pods.ts";
import { quantity } from "./quantity.ts";

/** Amounts by the names that a quota counts them under: `requests.cpu`, `limits.memory`, `requests.nvidia.com/gpu`, `pods`. */
export type Amounts = ReadonlyMap<string, number>;

/** What models get that they do not ask for themselves. */
export interface Surroundings {
  /** The spec of each ServingRuntime, by name. */
  readonly runtimes: ReadonlyMap<string, KubeObject>;
  /** What a LimitRange gives a container that says nothing. */
  readonly defaults: Readonly<{ requests: Amounts; limits: Amounts }>;
}

/** The runtimes and the defaults of one namespace. @param shared the cluster's own runtimes */
export function surroundingsOf(
  namespace: NamespaceContent,
  shared: ReadonlyMap<string, KubeObject>,
): Surroundings {
  const runtimes = new Map(shared);
  for (const { of } of ofKind(namespace, "ServingRuntime", "serving.kserve.io")) {
    const name = nameOf(of);
    if (name !== undefined) runtimes.set(name, of);
  }
  const requests = new Map<string, number>();
  const limits = new Map<string, number>();
  for (const { of } of ofKind(namespace, "LimitRange"))
    for (const { value } of entries(at(of.object, "spec.limits"), "")) {
      if (!isObject(value) || value.type !== "Container") continue;
      // A limit that is not said is the most that is allowed; a request that is not said is the limit.
      for (const [field, into] of [
        ["max", limits],
        ["default", limits],
        ["max", requests],
        ["default", requests],
        ["defaultRequest", requests],
      ] as const)
        for (const [name, amount] of amountsIn(value[field])) into.set(name, amount);
    }
  return { runtimes, defaults: { requests, limits } };
}

const amountsIn = (value: Props[string] | undefined): [string, number][] =>
  isObject(value)
    ? Object.entries(value).flatMap(([name, each]): [string, number][] => {
        const amount = quantity(each);
        return amount === undefined ? [] : [[name, amount]];
      })
    : [];

/**
 * What an InferenceService can come to need: for each of its parts the pod's requests and limits, as often as it has replicas at
 * most. What is not known yet counts for nothing. What KServe and its companions add by themselves (a puller of models, a proxy)
 * depends on their configuration and is left out.
 */
export function demandOf(of: KubeObject, surroundings: Surroundings): Map<string, number> {
  const total = new Map<string, number>();
  if (isStopped(of)) return total;
  for (const { component, spec } of inferenceComponents(of)) {
    const replicas = mostReplicas(spec);
    add(total, "pods", replicas);
    for (const pod of podsOfObject(of)) {
      if (pod.component !== component || pod.spec !== spec) continue;
      for (const [name, amount] of podDemand(servedContainers(spec, of, surroundings), surroundings))
        add(total, name, amount * replicas);
    }
  }
  return total;
}

export const add = (amounts: Map<string, number>, name: string, more: number): void => {
  amounts.set(name, (amounts.get(name) ?? 0) + more);
};

interface Served {
  readonly resources: Props | undefined;
  readonly init: boolean;
}

/** The containers of a component: its own, laid over those of its runtime by name, as KServe does. */
function servedContainers(spec: Props, of: KubeObject, { runtimes }: Surroundings): Served[] {
  const containers = podsOfObject(of)
    .filter((pod) => pod.spec === spec)
    .flatMap(containersOf);
  const named = new Map<string, Served>();
  const runtime = at(spec, "model.runtime");
  const runtimeSpec = typeof runtime === "string" ? runtimes.get(runtime) : undefined;
  const put = (name: string, resources: Props[string] | undefined, init: boolean) => {
    const known = isObject(resources) && Object.keys(resources).length > 0 ? resources : undefined;
    named.set(`${init} ${name}`, { resources: known ?? named.get(`${init} ${name}`)?.resources, init });
  };
  const ofRuntime =
    runtimeSpec === undefined ? [] : podsOfObject(runtimeSpec).slice(0, 1).flatMap(containersOf);
  for (const { role, container } of [...ofRuntime, ...containers]) {
    if (role === "ephemeral") continue;
    // KServe lays the short form over the container that it looks for by this name.
    const own = typeof container.name === "string" ? container.name : "";
    put(
      role === "model" ? "kserve-container" : own,
      container.resources,
      role === "init" && !isSidecar(container),
    );
  }
  return [...named.values()];
}

/** An init container that is restarted runs beside the others, and counts like them. */
const isSidecar = (container: Props): boolean => container.restartPolicy === "Always";

/** What a pod counts for: its containers together, or one that runs before them, whichever is more. */
function podDemand(containers: readonly Served[], { defaults }: Surroundings): Map<string, number> {
  const together = new Map<string, number>();
  const before = new Map<string, number>();
  for (const { resources, init } of containers) {
    for (const [name, amount] of counted(resources, defaults)) {
      if (init) before.set(name, Math.max(before.get(name) ?? 0, amount));
      else add(together, name, amount);
    }
  }
  for (const [name, amount] of before) together.set(name, Math.max(together.get(name) ?? 0, amount));
  return together;
}

function counted(resources: Props | undefined, defaults: Surroundings["defaults"]): Map<string, number> {
  const said = {
    limits: new Map(amountsIn(resources?.limits)),
    requests: new Map(amountsIn(resources?.requests)),
  };
  const limits = new Map([...defaults.limits, ...said.limits]);
  // A request that is not said is the limit that is; only without one does the default for requests hold.
  const requests = new Map([...defaults.requests, ...said.limits, ...said.requests]);
  return new Map([
    ...[...limits].map(([name, amount]) => [`limits.${name}`, amount] as const),
    ...[...requests].map(([name, amount]) => [`requests.${name}`, amount] as const),
  ]);
}
