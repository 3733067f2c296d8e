import { Buffer } from "node:buffer";
import { fromJson } from "../shape.ts";
import {
  isList,
  isMap,
  keepSecrets,
  plainMap,
  reveal,
  Secret,
  type Value,
  type ValueMap,
} from "../values.ts";
import { lastApplied } from "./annotations.ts";
import { mapAt, markSecretData } from "./check.ts";
import { isJsonMap, type Json, type JsonMap, type KubeObject } from "./json.ts";

/** Names of JSON schema that no SDK can have as a property, and what the SDKs call them. */
const dashed =
  /^x_kubernetes_(embedded_resource|int_or_string|list_map_keys|list_type|map_type|preserve_unknown_fields|validations)$/;
const underscored =
  /^x-kubernetes-(embedded-resource|int-or-string|list-map-keys|list-type|map-type|preserve-unknown-fields|validations)$/;

/** The object that the inputs ask for, as the API server takes it. */
export function toObject(inputs: ValueMap): KubeObject {
  const { status: _status, ...rest } = plainMap(inputs);
  const own = Object.entries(rest).filter(([name]) => !name.startsWith("__"));
  const object = renamed(Object.fromEntries(own) as unknown as JsonMap, dashed, "_", "-") as KubeObject;
  return withoutEmptyMetadata(withoutStringData(object));
}

/** The API server keeps no empty annotations and labels; who applies them anew would be in conflict with who did before. */
function withoutEmptyMetadata(object: KubeObject): KubeObject {
  if (!isJsonMap(object.metadata)) return object;
  const kept = Object.entries(object.metadata).filter(
    ([name, value]) =>
      !["annotations", "labels"].includes(name) || !isJsonMap(value) || Object.keys(value).length > 0,
  );
  return { ...object, metadata: Object.fromEntries(kept) };
}

/** The API server keeps `stringData` as `data`; sent as that, it is known later who gave which entry. */
function withoutStringData(object: KubeObject): KubeObject {
  if (object.kind !== "Secret" || object.apiVersion !== "v1" || !isJsonMap(object.stringData)) return object;
  const { stringData, data, ...rest } = object;
  const encoded = Object.entries(stringData).map(([name, text]) => [name, base64(String(text))]);
  return { ...rest, data: { ...(isJsonMap(data) ? data : {}), ...Object.fromEntries(encoded) } };
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/**
 * The outputs of a live object. Who manages which field is left out: the API server is asked when it matters, and state
 * would be twice its size.
 */
export function toOutputs(object: KubeObject, inputs: ValueMap, fieldManager: string): ValueMap {
  const values = fromJson(renamed(object, underscored, "-", "_")) as ValueMap;
  const { managedFields: _managedFields, ...metadata } = mapAt(values, "metadata");
  const outputs = markSecretData(withoutLastApplied({ ...values, metadata }));
  return {
    ...keepSecrets(outputs, inputs),
    __fieldManager: fieldManager,
    __initialApiVersion: String(object.apiVersion ?? ""),
  };
}

/** `kubectl apply` keeps a copy of a Secret in an annotation, data and all. */
function withoutLastApplied(outputs: ValueMap): ValueMap {
  const metadata = mapAt(outputs, "metadata");
  const known = mapAt(metadata, "annotations");
  if (outputs.kind !== "Secret" || known[lastApplied] === undefined) return outputs;
  const marked = { ...known, [lastApplied]: new Secret(known[lastApplied]) };
  return { ...outputs, metadata: { ...metadata, annotations: marked } };
}

function renamed(value: Json, test: RegExp, from: string, to: string): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => renamed(each, test, from, to));
  if (!isJsonMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      test.test(name) ? name.replaceAll(from, to) : name,
      renamed(each, test, from, to),
    ]),
  );
}

/**
 * The inputs after a look at the live object: what is otherwise now than it was after the last change is taken over, what
 * is gone is left out, and what is beyond the inputs (defaults, what others added) is not ours.
 * @param before the live object as it was; empty when it is not known
 */
export function driftInputs(inputs: ValueMap, before: ValueMap, after: ValueMap): ValueMap {
  const kept = Object.entries(inputs).flatMap(([name, input]): [string, Value][] => {
    if (name === "apiVersion" || name === "kind" || name.startsWith("__")) return [[name, input]];
    if (name === "stringData" && inputs.kind === "Secret") {
      return [[name, driftStrings(input, mapAt(before, "data"), mapAt(after, "data"))]];
    }
    const value = driftValue(input, before[name], after[name]);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(kept);
}

function driftValue(input: Value, before: Value | undefined, after: Value | undefined): Value | undefined {
  if (input instanceof Secret) {
    const value = driftValue(input.value, before, after);
    return value === undefined ? undefined : new Secret(value);
  }
  const [was, is] = [before, after].map((each) => (each === undefined ? undefined : reveal(each)));
  // What never was to be seen cannot drift; an empty map or list is not always kept.
  if (is === undefined) return was === undefined || isEmpty(input) ? input : undefined;
  if (was !== undefined && sameJson(was, is)) return input;
  if (isMap(input) && isMap(is)) return driftInputs(input, isMap(was) ? was : {}, is);
  if (isList(input) && isList(is)) return driftList(input, isList(was) ? was : [], is);
  return sameJson(input, is) ? input : is;
}

/** Elements are known by their name where all have one; other lists are one value, but for their elements' shape. */
function driftList(input: readonly Value[], before: readonly Value[], after: readonly Value[]): Value {
  const key = ["name", "key", "containerPort", "port", "mountPath"].find((name) =>
    [...input, ...after].every((each) => keyOf(each, name) !== undefined),
  );
  if (key !== undefined) {
    const find = (list: readonly Value[], wanted: Value) =>
      list.find((each) => keyOf(each, key) === keyOf(wanted, key));
    return input.flatMap((each) => driftValue(each, find(before, each), find(after, each)) ?? []);
  }
  if (input.length !== after.length) return after;
  return after.map((each, index) => driftValue(input[index] ?? null, before[index], each) ?? each);
}

function keyOf(value: Value, name: string): Value | undefined {
  const shown = reveal(value);
  const key = isMap(shown) ? shown[name] : undefined;
  return typeof key === "string" || typeof key === "number" ? key : undefined;
}

function driftStrings(input: Value, before: ValueMap, after: ValueMap): Value {
  if (input instanceof Secret) return new Secret(driftStrings(input.value, before, after));
  if (!isMap(input)) return input;
  const kept = Object.entries(input).flatMap(([name, text]): [string, Value][] => {
    const is = after[name] === undefined ? undefined : reveal(after[name]);
    if (is === undefined) return before[name] === undefined ? [[name, text]] : [];
    if (typeof is !== "string" || is === base64(String(reveal(text)))) return [[name, text]];
    return [[name, Buffer.from(is, "base64").toString()]];
  });
  return Object.fromEntries(kept);
}

function isEmpty(value: Value): boolean {
  if (isList(value)) return value.length === 0;
  return isMap(value) && Object.values(value).every((each) => isEmpty(each));
}

export function sameJson(a: Value, b: Value): boolean {
  const [left, right] = [reveal(a), reveal(b)];
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((each, index) => sameJson(each, right[index] ?? null));
  }
  if (isMap(left) && isMap(right)) {
    const names = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...names].every((name) => sameJson(left[name] ?? null, right[name] ?? null));
  }
  return left === right;
}

const noise = new Set([
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
]);
/** Annotations that controllers and clients write, not people. */
const noiseAnnotations = new Set(["deployment.kubernetes.io/revision", lastApplied]);

/** The inputs of an import: the live object without what only the API server and controllers write. */
export function importedInputs(outputs: ValueMap): ValueMap {
  const { status: _status, ...rest } = outputs;
  const metadata = Object.entries(mapAt(outputs, "metadata")).flatMap(([name, value]): [string, Value][] => {
    if (noise.has(name)) return [];
    if (name !== "annotations") return [[name, value]];
    const own = Object.entries(mapAt(mapAt(outputs, "metadata"), name)).filter(
      ([key]) => !noiseAnnotations.has(key),
    );
    return own.length === 0 ? [] : [[name, Object.fromEntries(own)]];
  });
  const kept = Object.entries(rest).filter(([name]) => !name.startsWith("__"));
  return markSecretData({ ...Object.fromEntries(kept), metadata: Object.fromEntries(metadata) });
}
