import { isList, isMap, mapValues, plain, Secret, unknown, type Value, type ValueMap } from "./values.ts";

/** How an object looks in the SDK, where that differs from the wire or matters to a preview. */
export interface Shape {
  /** Properties that only the service sets. */
  readonly readOnly?: readonly string[];
  /** Properties that the service takes and never shows. */
  readonly writeOnly?: readonly string[];
  /** Properties that the service fills in when they are left out. */
  readonly filledIn?: readonly string[];
  /** Of those, the ones that follow from other properties: an import leaves them out. */
  readonly derived?: readonly string[];
  /** SDK name → name on the wire. */
  readonly wire?: Readonly<Record<string, string>>;
  /** Lists of strings in the SDK that are maps with these keys on the wire. */
  readonly stringSets?: readonly string[];
  readonly nested?: Readonly<Record<string, Shape>>;
}

/** The shape of a whole resource. */
export interface ResourceShape extends Shape {
  readonly inputs: readonly string[];
  /** For a resource whose `properties` the SDK flattens: what stays outside of them in the body. */
  readonly envelope?: readonly string[];
}

const internal = /^__/;

/** The body of a PUT, from the SDK's inputs without those that stand in the path. */
export function toBody(shape: ResourceShape, inputs: ValueMap, pathParameters: readonly string[]): ValueMap {
  const body: Record<string, Value> = {};
  const properties: Record<string, Value> = {};
  for (const [name, value] of Object.entries(inputs)) {
    if (internal.test(name) || pathParameters.includes(name)) continue;
    const outside = shape.envelope === undefined || shape.envelope.includes(name);
    (outside ? body : properties)[shape.wire?.[name] ?? name] = toWireProperty(shape, name, plain(value));
  }
  return shape.envelope === undefined ? body : { ...body, properties };
}

function toWireProperty(shape: Shape, name: string, value: Value): Value {
  if (shape.stringSets?.includes(name) && isList(value)) {
    return Object.fromEntries(value.map((each) => [String(each), {}]));
  }
  const nested = shape.nested?.[name];
  return nested === undefined ? value : toWire(nested, value);
}

function toWire(shape: Shape, value: Value): Value {
  if (isList(value)) return value.map((each) => toWire(shape, each));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      shape.wire?.[name] ?? name,
      toWireProperty(shape, name, each),
    ]),
  );
}

/** The SDK's outputs, from what the service answered; only what the SDK declares. */
export function toOutputs(shape: ResourceShape, answer: ValueMap): ValueMap {
  const properties = answer.properties;
  const flat =
    shape.envelope === undefined || !isMap(properties)
      ? answer
      : { ...properties, ...without(answer, "properties") };
  const declared = new Set([...shape.inputs, ...(shape.readOnly ?? [])]);
  const outputs = fromWire(shape, flat) as ValueMap;
  return Object.fromEntries(
    Object.entries(outputs).filter(
      ([name, value]) => declared.has(name) && !shape.writeOnly?.includes(name) && value !== null,
    ),
  );
}

function fromWire(shape: Shape, value: Value): Value {
  if (isList(value)) return value.map((each) => fromWire(shape, each));
  if (!isMap(value)) return value;
  const sdkNames = new Map(Object.entries(shape.wire ?? {}).map(([sdk, wire]) => [wire, sdk]));
  const outputs: Record<string, Value> = {};
  for (const [wire, each] of Object.entries(value)) {
    const name = sdkNames.get(wire) ?? wire;
    const nested = shape.nested?.[name];
    if (!shape.writeOnly?.includes(name))
      outputs[name] = nested === undefined ? each : fromWire(nested, each);
  }
  return outputs;
}

/** What a preview can say of the outputs: the inputs, and that everything the service sets is not known. */
export function previewOutputs(
  shape: ResourceShape,
  inputs: ValueMap,
  pathParameters: readonly string[],
): ValueMap {
  const shown = Object.entries(inputs).filter(
    ([name]) => !internal.test(name) && !pathParameters.includes(name),
  );
  const outputs = preview(shape, Object.fromEntries(shown)) as ValueMap;
  const missing = shape.inputs.filter(
    (name) => !(name in outputs) && !pathParameters.includes(name) && !shape.writeOnly?.includes(name),
  );
  return { ...allUnknown(missing), ...outputs };
}

function preview(shape: Shape, value: Value): Value {
  if (value instanceof Secret) return new Secret(preview(shape, value.value));
  if (isList(value)) return value.map((each) => preview(shape, each));
  if (!isMap(value)) return value;
  const known: Record<string, Value> = {};
  for (const [name, each] of Object.entries(value)) {
    if (shape.writeOnly?.includes(name)) continue;
    const nested = shape.nested?.[name];
    if (shape.stringSets?.includes(name)) known[name] = unknown;
    else known[name] = nested === undefined ? each : preview(nested, each);
  }
  const set = [...(shape.readOnly ?? []), ...(shape.filledIn ?? []), ...(shape.derived ?? [])];
  return { ...allUnknown(set), ...known };
}

function allUnknown(names: readonly string[]): ValueMap {
  return Object.fromEntries(names.map((name) => [name, unknown]));
}

/** What the outputs say about the inputs: without what only the service sets, lists where the SDK has lists. */
export function toInputs(shape: ResourceShape, outputs: ValueMap): ValueMap {
  const inputs = projectInputs(shape, outputs) as ValueMap;
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => shape.inputs.includes(name)));
}

function projectInputs(shape: Shape, value: Value): Value {
  if (value instanceof Secret) return new Secret(projectInputs(shape, value.value));
  if (isList(value)) return value.map((each) => projectInputs(shape, each));
  if (!isMap(value)) return value;
  const inputs: Record<string, Value> = {};
  for (const [name, each] of Object.entries(value)) {
    if (shape.readOnly?.includes(name)) continue;
    const nested = shape.nested?.[name];
    if (shape.stringSets?.includes(name) && isMap(each)) inputs[name] = Object.keys(each);
    else inputs[name] = nested === undefined ? each : projectInputs(nested, each);
  }
  return inputs;
}

/**
 * The inputs of an import, which must not claim what nobody chose: without what follows from other properties, what is
 * empty, and what equals a default of the service.
 */
export function importedInputs(shape: Shape, inputs: ValueMap, defaults: ValueMap): ValueMap {
  const kept = Object.entries(inputs).flatMap(([name, value]): [string, Value][] => {
    if (shape.derived?.includes(name) || JSON.stringify(value) === JSON.stringify(defaults[name])) return [];
    const chosen = isMap(value)
      ? importedInputs(shape.nested?.[name] ?? {}, value, mapAt(defaults, name))
      : value;
    return isEmpty(chosen) ? [] : [[name, chosen]];
  });
  return Object.fromEntries(kept);
}

function mapAt(map: ValueMap, name: string): ValueMap {
  const value = map[name];
  return isMap(value) ? value : {};
}

function isEmpty(value: Value): boolean {
  if (isList(value)) return value.length === 0;
  return isMap(value) && Object.keys(value).length === 0;
}

function without(map: ValueMap, name: string): ValueMap {
  const { [name]: _, ...rest } = map;
  return rest;
}

/** The map without undefined or null members, at any depth: what JSON of the wire becomes as property values. */
export function fromJson(json: unknown): Value {
  if (json === undefined || json === null) return null;
  if (typeof json === "boolean" || typeof json === "number" || typeof json === "string") return json;
  if (Array.isArray(json)) return json.map(fromJson);
  const map = mapValues(json as ValueMap, fromJson);
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}
