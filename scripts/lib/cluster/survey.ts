import type { Session } from "../session.ts";
import type { State } from "../state.ts";
import { clusterLabels, idOf, keyOf, type ObjectRef, refOf } from "./objects.ts";
import { type Readiness, readinessOf } from "./readiness.ts";

/** How a cluster differs from the record. */
export interface ClusterSurvey {
  /** When each of the environment's namespaces was made. */
  readonly createdOn: readonly Date[];
  /** On record, but gone. */
  readonly missing: readonly string[];
  /** Namespaces with the environment's labels that are not on record. */
  readonly unknown: readonly string[];
}

/** Looks into the cluster for what is on record there; nothing where nothing is. */
export async function lookIntoCluster(
  session: Pick<Session, "clients" | "resolved" | "config">,
  state: State,
): Promise<ClusterSurvey> {
  const refs = refsOf(state);
  if (refs.length === 0) return { createdOn: [], missing: [], unknown: [] };
  const cluster = await session.clients.cluster();
  const { environment } = session.resolved;
  const labels = clusterLabels(environment);
  const [found, all] = await Promise.all([cluster.find(refs, labels), cluster.namespaces(labels)]);
  const namespaces = all.filter(({ metadata }) =>
    metadata?.name?.startsWith(`${session.config.workload}-${environment}-`),
  );
  const recorded = new Set(refs.filter(({ kind }) => kind === "Namespace").map(({ name }) => name));
  return {
    createdOn: namespaces.flatMap(({ metadata }) =>
      metadata?.creationTimestamp === undefined ? [] : [new Date(metadata.creationTimestamp)],
    ),
    missing: refs.filter((ref) => !found.has(keyOf(ref))).map((ref) => `${ref.kind} ${idOf(ref)}`),
    unknown: namespaces.flatMap(({ metadata }) =>
      recorded.has(metadata?.name ?? "") ? [] : [`Namespace ${metadata?.name}`],
    ),
  };
}

/** How each thing on record in the cluster is, by the keys of {@link keyOf}. */
export async function readinessInCluster(
  session: Pick<Session, "clients" | "resolved">,
  state: State,
): Promise<Map<string, Readiness>> {
  const refs = refsOf(state);
  if (refs.length === 0) return new Map();
  const cluster = await session.clients.cluster();
  const found = await cluster.find(refs, clusterLabels(session.resolved.environment));
  return new Map(refs.map((ref) => [keyOf(ref), readinessOf(found.get(keyOf(ref)))]));
}

function refsOf({ resources }: State): ObjectRef[] {
  return resources.flatMap((each) => refOf(each) ?? []);
}
