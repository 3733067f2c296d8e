import { isObject, type PolicyInput, type Props, UNKNOWN, type Value } from "../model.ts";
import { childrenOf } from "../secrets/paths.ts";

/** A Kubernetes object inside a resource: most often the resource itself, or an entry of a list or template of such. */
export interface KubeObject {
  /** Kind without `Patch`. */
  readonly kind: string;
  /** API group, empty for the core one. Versions are left out: a rule holds for all of them. */
  readonly group: string;
  /** Whether it changes an object that someone else made: what it leaves out is then not missing. */
  readonly patch: boolean;
  readonly object: Props;
  /** Where it is inside the resource; empty when it is the resource. */
  readonly path: string;
}

/** The package whose resources are Kubernetes objects. */
export const KUBERNETES = "kubernetes";

/** What the package has besides objects: charts, folders and manifests, whose objects are registered one by one. */
const NO_OBJECTS = /^(?:helm\.sh|kustomize|yaml)(?:\/|$)/;

interface Identity {
  readonly kind: string;
  readonly group: string;
}

/** Group and kind behind `kubernetes:<apiVersion>:<kind>`; undefined for what is no object. */
export function tokenIdentity(type: string): Identity | undefined {
  const [, apiVersion = "", kind = ""] = /^kubernetes:([^:]+):(\w+)$/.exec(type) ?? [];
  return kind === "" || NO_OBJECTS.test(apiVersion) ? undefined : { kind, group: groupOf(apiVersion) };
}

/** The group of an `apiVersion`; `core/v1`, as the SDK writes it, and `v1` are the same. */
function groupOf(apiVersion: string): string {
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return group === "core" ? "" : group;
}

/** What an object says of itself. */
function statedIdentity(object: Props): Identity | undefined {
  const { apiVersion, kind } = object;
  return typeof kind === "string" && typeof apiVersion === "string"
    ? { kind, group: groupOf(apiVersion) }
    : undefined;
}

/**
 * The objects in a resource. One whose text says another kind than its type token is judged as both: which of the two counts
 * is the provider's affair. Entries of lists and of OpenShift templates are objects, too.
 */
export function objectsOf({ type, props }: Pick<PolicyInput, "type" | "props">): KubeObject[] {
  const token = tokenIdentity(type);
  if (token === undefined) return [];
  const stated = statedIdentity(props);
  // A patch is told by its token alone: the object in it bears the plain kind.
  const patch = token.kind.endsWith("Patch") && stated?.kind !== token.kind;
  const own = patch ? { ...token, kind: token.kind.slice(0, -"Patch".length) } : token;
  const objects: KubeObject[] = [{ ...own, patch, object: props, path: "" }];
  if (stated !== undefined && (stated.kind !== own.kind || stated.group !== own.group))
    objects.push({ ...stated, patch: false, object: props, path: "" });
  for (let index = 0; index < objects.length; index++) {
    const holder = objects[index];
    if (holder !== undefined) objects.push(...entriesOf(holder));
  }
  return objects;
}

function entriesOf({ kind, object, path }: KubeObject): KubeObject[] {
  const field = kind.endsWith("List") ? "items" : kind === "Template" ? "objects" : undefined;
  const list = field === undefined ? undefined : object[field];
  if (field === undefined || !Array.isArray(list)) return [];
  return childrenOf(list, path === "" ? field : `${path}.${field}`).flatMap((child): KubeObject[] => {
    if (!isObject(child.value)) return [];
    const ofList = { kind: kind.replace(/List$/, ""), group: "" };
    const identity = statedIdentity(child.value) ?? ofList;
    return [{ ...identity, patch: false, object: child.value, path: child.path }];
  });
}

/** A path inside an object, from the resource on. */
export const within = (path: string, inner: string): string =>
  path === "" ? inner : inner.startsWith("[") ? `${path}${inner}` : `${path}.${inner}`;

/** The entries of what should be a list. A map stands for its values, so that a wrong type hides nothing. */
export function entries(value: Value | undefined, path: string): { value: Value; path: string }[] {
  if (value === undefined || value === null || value === UNKNOWN || typeof value !== "object") return [];
  return childrenOf(value as Props | readonly Value[], path);
}

/** The texts in what should be a list of texts; a lone text counts as a list of one. */
export function texts(value: Value | undefined): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
