/**
 * Property values as the engine sends them over gRPC: JSON in a protobuf Struct, in which marked objects stand for
 * secrets and sentinel strings for values that are not known yet.
 */

/** A value that a preview cannot know; there is one, `unknown`. */
class Unknown {
  readonly #unknown = true;

  static is(value: unknown): value is Unknown {
    return typeof value === "object" && value !== null && #unknown in value;
  }
}
export const unknown = new Unknown();

/** A value that state and output must keep encrypted. */
export class Secret {
  readonly value: Value;

  constructor(value: Value) {
    this.value = value instanceof Secret ? value.value : value;
  }
}

export type Value = null | boolean | number | string | Unknown | Secret | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [name: string]: Value;
}

/** Marks of `@pulumi/pulumi/runtime/rpc.js`, which every Pulumi SDK shares. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const signatures = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
} as const;
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The unknowns of other types (boolean, number, array, asset, archive, object) that older engines send. */
const unknownTexts: ReadonlySet<string> = new Set([
  unknownText,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export function isMap(value: Value | undefined): value is ValueMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !Unknown.is(value)
  );
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** Reads what a Struct holds. Nulls in objects are dropped, as every provider does. */
export function decodeMap(json: Readonly<Record<string, unknown>>): ValueMap {
  const decoded = Object.entries(json).map(([name, value]): [string, Value] => [name, decode(value)]);
  return Object.fromEntries(decoded.filter(([, value]) => value !== null));
}

function decode(json: unknown): Value {
  if (json === null || json === undefined) return null;
  if (typeof json === "string") return unknownTexts.has(json) ? unknown : json;
  if (typeof json === "number" || typeof json === "boolean") return json;
  if (Array.isArray(json)) return json.map(decode);
  const record = json as Record<string, unknown>;
  switch (record[signatureKey]) {
    case signatures.secret:
      return new Secret(decode(record.value));
    case signatures.output: {
      const value = "value" in record ? decode(record.value) : unknown;
      return record.secret === true ? new Secret(value) : value;
    }
    case signatures.resource:
      // A provider that sees a resource sees its id; without one it is a component, known by its URN.
      return decode("id" in record ? record.id : record.urn);
    default:
      return decodeMap(record);
  }
}

/** Writes a value the way a Struct holds it. */
export function encodeMap(map: ValueMap): Record<string, EncodedValue> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, encode(value)]));
}

/** What google-protobuf's `Struct.fromJavaScript` takes. */
export type EncodedValue =
  | null
  | boolean
  | number
  | string
  | EncodedValue[]
  | { [name: string]: EncodedValue };

function encode(value: Value): EncodedValue {
  if (value === unknown) return unknownText;
  if (value instanceof Secret) return { [signatureKey]: signatures.secret, value: encode(value.value) };
  if (isList(value)) return value.map(encode);
  return isMap(value) ? encodeMap(value) : (value as null | boolean | number | string);
}

/** A resource as a value. @param id empty while it is not known */
export function reference(urn: string, id: string): EncodedValue {
  return { [signatureKey]: signatures.resource, urn, id: id === "" ? unknownText : id };
}

/** Takes the outer secret mark off. */
export function reveal(value: Value): Value {
  return value instanceof Secret ? value.value : value;
}

/** Takes every secret mark off, at any depth. */
export function plain(value: Value): Value {
  if (value instanceof Secret) return plain(value.value);
  if (isList(value)) return value.map(plain);
  return isMap(value) ? plainMap(value) : value;
}

export function plainMap(map: ValueMap): ValueMap {
  return mapValues(map, plain);
}

export function mapValues(map: ValueMap, change: (value: Value, name: string) => Value): ValueMap {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value, name)]));
}

export function hasUnknown(value: Value): boolean {
  return anywhere(value, (each) => each === unknown);
}

export function hasSecret(value: Value): boolean {
  return anywhere(value, (each) => each instanceof Secret);
}

function anywhere(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (value instanceof Secret) return anywhere(value.value, test);
  if (isList(value)) return value.some((each) => anywhere(each, test));
  return isMap(value) && Object.values(value).some((each) => anywhere(each, test));
}

/** Every string inside a secret, for keeping it out of messages. */
export function secretTexts(value: Value, inside = false): string[] {
  if (value instanceof Secret) return secretTexts(value.value, true);
  if (typeof value === "string") return inside ? [value] : [];
  if (isList(value)) return value.flatMap((each) => secretTexts(each, inside));
  return isMap(value) ? Object.values(value).flatMap((each) => secretTexts(each, inside)) : [];
}

/** Puts `[secret]` where a text shows one of the secrets. Those shorter than 4 characters would shred the text. */
export function redact(text: string, secrets: readonly string[]): string {
  const worth = secrets.filter((secret) => secret.length >= 4).sort((a, b) => b.length - a.length);
  return worth.reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text);
}

/** Shorter strings ("true", "Standard") are shared by too much that is no secret. */
const tellingLength = 8;

/**
 * Marks in `outputs` what was secret in `inputs`: by the same path, or, where the shapes part (a list that the service
 * answers as a map), the nearest property above it; and every string that equals a secret one of 8 characters or more.
 */
export function keepSecrets(outputs: ValueMap, inputs: ValueMap): ValueMap {
  const telling = new Set(secretTexts(inputs).filter((text) => text.length >= tellingLength));
  return markEqual(markByPath(outputs, inputs), telling);
}

function markByPath(outputs: ValueMap, inputs: ValueMap): ValueMap {
  return mapValues(outputs, (value, name) => {
    const input = inputs[name];
    return input === undefined ? value : markValue(value, input);
  });
}

function markValue(output: Value, input: Value): Value {
  if (!hasSecret(input)) return output;
  if (input instanceof Secret || output instanceof Secret) return new Secret(output);
  if (isMap(input) && isMap(output)) return markByPath(output, input);
  if (isList(input) && isList(output) && input.length === output.length) {
    return output.map((value, index) => markValue(value, input[index] ?? null));
  }
  return new Secret(output);
}

function markEqual(map: ValueMap, texts: ReadonlySet<string>): ValueMap {
  const mark = (value: Value): Value => {
    if (typeof value === "string") return texts.has(value) ? new Secret(value) : value;
    if (isList(value)) return value.map(mark);
    return isMap(value) ? mapValues(value, mark) : value;
  };
  return texts.size === 0 ? map : mapValues(map, mark);
}
