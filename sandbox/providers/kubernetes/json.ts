/** JSON as the API server sends it, and the ways to look into it without believing in its shape. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap;
export interface JsonMap {
  readonly [name: string]: Json;
}

/** Any object of Kubernetes; what it looks like beyond its kind is for who reads it. */
export type KubeObject = JsonMap;

export function isJsonMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function at(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found: Json | undefined = value;
  for (const name of names) found = isJsonMap(found) ? found[name] : undefined;
  return found;
}

export function textAt(value: Json | undefined, ...names: readonly string[]): string | undefined {
  const found = at(value, ...names);
  return typeof found === "string" ? found : undefined;
}

export function numberAt(value: Json | undefined, ...names: readonly string[]): number | undefined {
  const found = at(value, ...names);
  return typeof found === "number" ? found : undefined;
}

/** The maps of a list; an empty list where there is none. */
export function mapsAt(value: Json | undefined, ...names: readonly string[]): readonly JsonMap[] {
  const found = at(value, ...names);
  return Array.isArray(found) ? (found as readonly Json[]).filter(isJsonMap) : [];
}

export function nameOf(object: KubeObject): string {
  return textAt(object, "metadata", "name") ?? "";
}

export function namespaceOf(object: KubeObject): string | undefined {
  return textAt(object, "metadata", "namespace");
}

export function annotationOf(object: KubeObject, name: string): string | undefined {
  return textAt(object, "metadata", "annotations", name);
}

/** `namespace/name`, or `name` of what stands in none: the id of a resource. */
export function idOf(object: KubeObject): string {
  const namespace = namespaceOf(object);
  return namespace === undefined ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}

/** A condition of `status.conditions`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number | undefined;
}

export function conditionsOf(object: KubeObject): Condition[] {
  return mapsAt(object, "status", "conditions").map((each) => ({
    type: textAt(each, "type") ?? "",
    status: textAt(each, "status") ?? "",
    reason: textAt(each, "reason") ?? "",
    message: textAt(each, "message") ?? "",
    observedGeneration: numberAt(each, "observedGeneration"),
  }));
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return conditionsOf(object).find((each) => each.type === type);
}
