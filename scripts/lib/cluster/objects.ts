import type { State, StateResource } from "../state.ts";

/** What names an object of a cluster. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined for what belongs to no namespace. */
  readonly namespace: string | undefined;
}

/** An object as the API server tells it, as far as Kiln reads it. */
export interface ClusterObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly generation?: number;
    readonly creationTimestamp?: Date | string;
    readonly deletionTimestamp?: Date | string;
    readonly finalizers?: readonly string[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Label that everything of Kiln carries in a cluster, and its value. */
export const MANAGED_BY = { label: "app.kubernetes.io/managed-by", value: "kiln" } as const;

/** Labels by which everything of an environment is found in a cluster. Pure. */
export function clusterLabels(environment: string): Record<string, string> {
  return { [MANAGED_BY.label]: MANAGED_BY.value, env: environment };
}

/** Whether the record has it of a cluster, and not of the cloud. Pure. */
export function isClusterResource({ type }: Pick<StateResource, "type">): boolean {
  return type.startsWith("kubernetes:");
}

/** Whether anything on record, or begun, is in a cluster. Pure. */
export function hasClusterResources({ resources, pending }: Pick<State, "resources" | "pending">): boolean {
  return resources.some(isClusterResource) || pending.some(({ resource }) => isClusterResource(resource));
}

/** How a resource on record, or one that was begun, is named in the cluster; undefined where that cannot be told. Pure. */
export function refOf({ type, inputs, outputs }: StateResource): ObjectRef | undefined {
  if (!isClusterResource({ type })) return undefined;
  const { apiVersion, kind, metadata } = { ...inputs, ...outputs } as ClusterObject;
  const { name, namespace } = metadata ?? {};
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string")
    return undefined;
  return { apiVersion, kind, name, namespace: typeof namespace === "string" ? namespace : undefined };
}

/** The id that the provider gives an object: `namespace/name`, or its name where it belongs to no namespace. Pure. */
export function idOf({ namespace, name }: Pick<ObjectRef, "namespace" | "name">): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** One text for one object, whatever its version. Pure. */
export function keyOf({ apiVersion, kind, namespace, name }: ObjectRef): string {
  return [apiVersion.split("/").slice(0, -1).join("/"), kind, namespace ?? "", name].join("|");
}
