import { isJsonMap, type Json, type JsonMap, type KubeObject, mapsAt, textAt } from "./json.ts";

/*
 * Who manages which field of an object (`metadata.managedFields`), where the provider has to rearrange it.
 */

/**
 * Managers whose fields an update takes over, by the beginning of their names, as the real provider does
 * (provider/pkg/await/await.go, fixCSAFieldManagers): what a person changed with `kubectl`, and what was made by a plain
 * create.
 */
const takenOver: readonly { readonly prefix: string; readonly operation: string }[] = [
  { prefix: "kubectl", operation: "Apply" },
  { prefix: "kubectl", operation: "Update" },
  { prefix: "before-first-apply", operation: "Update" },
  { prefix: "pulumi-kubernetes", operation: "Update" },
  { prefix: "pulumi-resource-kubernetes", operation: "Update" },
];

/** The name under which a plain create makes an object. */
export const createManager = "pulumi-kubernetes";

/**
 * The list of managers when `manager` takes over; undefined when there is nothing to take. An entry of a subresource
 * (status, scale) stays whose it is.
 */
export function takeOver(object: KubeObject, manager: string): JsonMap[] | undefined {
  const entries = mapsAt(object, "metadata", "managedFields");
  const own = entries.find(
    (each) => textAt(each, "manager") === manager && textAt(each, "operation") === "Apply",
  );
  const taken = entries.filter(
    (each) =>
      each !== own &&
      textAt(each, "subresource") === undefined &&
      takenOver.some(
        ({ prefix, operation }) =>
          textAt(each, "operation") === operation && textAt(each, "manager")?.startsWith(prefix) === true,
      ),
  );
  const [first] = taken;
  if (first === undefined) return undefined;
  const fields = [own, ...taken].reduce<Json>((sum, each) => union(sum, each?.fieldsV1 ?? {}), {});
  const merged = { ...(own ?? first), manager, operation: "Apply", fieldsV1: fields };
  return [...entries.filter((each) => each !== own && !taken.includes(each)), merged];
}

/** Whether the object was made by a plain create of this provider: a preview must not take that for someone else's. */
export function hasCreateManager(object: KubeObject): boolean {
  return mapsAt(object, "metadata", "managedFields").some(
    (each) =>
      textAt(each, "operation") === "Update" &&
      ["pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes"].includes(
        textAt(each, "manager") ?? "",
      ),
  );
}

function union(a: Json, b: Json): Json {
  if (!isJsonMap(a) || !isJsonMap(b)) return isJsonMap(a) ? a : b;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, union(a[name] ?? {}, b[name] ?? {})]));
}
