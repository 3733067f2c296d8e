import type { ClusterSurvey } from "./cluster/survey.ts";
import { recordedExpiry } from "./expiry.ts";
import { recordedLocation } from "./placement.ts";
import type { State, StateResource } from "./state.ts";
import { cloudMade } from "./teardown.ts";

/** A resource that costs something while it is there, and what decides how much. */
export interface CostItem {
  readonly type: string;
  readonly name: string;
  /** SKU and capacity, in Azure's words, such as `GlobalStandard ×10`. */
  readonly size: string;
}

/** One environment among others. */
export interface EnvironmentOverview {
  readonly env: string;
  /** `incomplete`: a run that did not finish left it so. */
  readonly result: ReturnType<typeof condition>;
  readonly region: string | undefined;
  /** When the first thing in it was made, by the cloud's clock. */
  readonly createdOn: string | undefined;
  readonly ageMs: number | undefined;
  readonly expiresOn: string | undefined;
  readonly expired: boolean;
  readonly drift: Drift;
  readonly costs: readonly CostItem[];
}

/** How the cloud differs from the record, told from the list of the group alone; `pulumi refresh` compares every property. */
export interface Drift {
  /** On record, but gone. */
  readonly missing: readonly string[];
  /** In the group, but not on record. */
  readonly unknown: readonly string[];
}

/** What a group holds, as the cloud lists it. */
export interface Listed {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly createdOn: Date | undefined;
}

/** Puts together what the record says and what the cloud lists. Pure. */
export function describeEnvironment(
  env: string,
  state: State,
  listed: readonly Listed[],
  now: Date,
  cluster: ClusterSurvey = { createdOn: [], missing: [], unknown: [] },
): EnvironmentOverview {
  const created = [...listed.flatMap(({ createdOn }) => createdOn ?? []), ...cluster.createdOn].map((each) =>
    each.getTime(),
  );
  const first = created.length === 0 ? undefined : Math.min(...created);
  const expiry = recordedExpiry(state);
  return {
    env,
    result: condition(state),
    region: recordedLocation(state),
    createdOn: first === undefined ? undefined : new Date(first).toISOString(),
    ageMs: first === undefined ? undefined : Math.max(0, now.getTime() - first),
    expiresOn: expiry?.toISOString(),
    expired: expiry !== undefined && expiry <= now,
    drift: withSurvey(driftOf(state, listed), cluster),
    costs: state.resources.flatMap((each) => costOf(each) ?? []),
  };
}

function withSurvey({ missing, unknown }: Drift, cluster: ClusterSurvey): Drift {
  return { missing: [...missing, ...cluster.missing], unknown: [...unknown, ...cluster.unknown] };
}

/** In which condition the record shows an environment: a run that succeeded has written its outputs. Pure. */
export function condition({ resources, outputs, pending }: State): "up" | "incomplete" | "down" {
  if (resources.length === 0) return pending.length === 0 ? "down" : "incomplete";
  return Object.keys(outputs).length > 0 && pending.length === 0 ? "up" : "incomplete";
}

/** What is in the group and not on record, and the other way round. Pure. */
export function driftOf(state: State, listed: readonly Listed[]): Drift {
  const top = state.resources.flatMap(({ id }) => (id !== undefined && isTopLevel(id) ? [id] : []));
  const recorded = new Set(top.map((id) => id.toLowerCase()));
  const there = new Set(listed.map(({ id }) => id.toLowerCase()));
  return {
    missing: top.filter((id) => !there.has(id.toLowerCase())),
    unknown: listed
      .filter(({ id, type }) => !recorded.has(id.toLowerCase()) && !cloudMade.test(type))
      .map(({ id }) => id),
  };
}

/** Whether the list of a group shows a resource of this id: nothing below another, no role assignment. */
function isTopLevel(id: string): boolean {
  return (
    /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/[^/]+\/[^/]+$/i.test(id) &&
    !/\/providers\/Microsoft\.Authorization\//i.test(id)
  );
}

/** What a resource costs by; undefined for one that is free. Pure. */
function costOf(resource: StateResource): CostItem | undefined {
  const { type, inputs, outputs, urn } = resource;
  const model = modelCost(resource);
  if (model !== undefined) return model;
  const sku = (outputs?.sku ?? inputs?.sku) as { name?: unknown; capacity?: unknown } | undefined;
  if (typeof sku?.name !== "string") return undefined;
  const kind = type.split(":").at(-1) ?? type;
  // An account or a workspace is free; what it holds, or takes in, is not.
  if (kind === "Account") return undefined;
  const capacity = typeof sku.capacity === "number" ? ` ×${sku.capacity}` : "";
  const name = String(outputs?.name ?? urn.split("::").at(-1));
  return { type: kind, name, size: `${sku.name}${capacity}` };
}

/** A model keeps pods running, and GPUs taken. Pure. */
function modelCost({ type, inputs, urn }: StateResource): CostItem | undefined {
  if (!type.endsWith(":InferenceService")) return undefined;
  const { metadata, spec } = (inputs ?? {}) as {
    metadata?: { name?: string; namespace?: string };
    spec?: {
      predictor?: {
        minReplicas?: number;
        maxReplicas?: number;
        model?: { resources?: { limits?: Readonly<Record<string, string>> } };
      };
    };
  };
  const { minReplicas = 1, maxReplicas = minReplicas, model } = spec?.predictor ?? {};
  const limits = model?.resources?.limits ?? {};
  const gpus = Object.entries(limits).find(([name, count]) => name.includes("/") && count !== "0")?.[1];
  const pods = minReplicas === maxReplicas ? `${minReplicas} pods` : `${minReplicas}–${maxReplicas} pods`;
  const name = [metadata?.namespace, metadata?.name ?? urn.split("::").at(-1)].filter(Boolean).join("/");
  return { type: "InferenceService", name, size: gpus === undefined ? pods : `${pods} ×${gpus} GPU` };
}
