import { at, isJsonMap, type Json, type JsonMap, type KubeObject, mapsAt, textAt } from "./json.ts";

/*
 * What an apply says of fields whose changes the program ignores, as the real provider does it (github.com/pulumi/pulumi-kubernetes,
 * provider/pkg/await/await.go, handleSSAIgnoreFields). The inputs have what the state knows, which another may have changed since:
 * an autoscaler the replicas of a Deployment.
 */

/**
 * The object without what only others manage, and with what is live of the rest.
 * @param live with the managers that it has when it is applied
 * @param ignored paths of properties; those through lists, or with names in quotes, stand as the inputs have them, as with the
 *   real provider
 */
export function withoutIgnored(
  object: KubeObject,
  live: KubeObject,
  fieldManager: string,
  ignored: readonly string[],
): KubeObject {
  return ignored
    .filter((path) => !/["[]/.test(path))
    .map((path) => path.split("."))
    .reduce((result, names) => {
      const managers = mapsAt(live, "metadata", "managedFields").filter(({ fieldsV1 }) =>
        owns(fieldsV1, names),
      );
      const mine = managers.some((each) => textAt(each, "manager") === fieldManager);
      if (managers.length > 0 && !mine) return without(result, names);
      const value = at(live, ...names);
      return value === undefined ? result : withValue(result, names, value);
    }, object);
}

/** Whether a set of fields (`{"f:spec": {"f:replicas": {}}}`) has a field, or one below it. */
function owns(fields: Json | undefined, names: readonly string[]): boolean {
  return at(fields, ...names.map((name) => `f:${name}`)) !== undefined;
}

function without(object: JsonMap, [name = "", ...more]: readonly string[]): JsonMap {
  const { [name]: value, ...rest } = object;
  if (value === undefined) return object;
  if (more.length === 0) return rest;
  return isJsonMap(value) ? { ...object, [name]: without(value, more) } : object;
}

function withValue(object: JsonMap, [name = "", ...more]: readonly string[], value: Json): JsonMap {
  if (more.length === 0) return { ...object, [name]: value };
  const inner = object[name] ?? {};
  return isJsonMap(inner) ? { ...object, [name]: withValue(inner, more, value) } : object;
}
