import { createHash } from "node:crypto";
import type { CheckRequest } from "../provider.ts";
import {
  hasSecret,
  isList,
  isMap,
  mapValues,
  plain,
  reveal,
  Secret,
  unknown,
  type Value,
  type ValueMap,
} from "../values.ts";
import { annotations } from "./annotations.ts";
import { apiVersionOf, isPatch, type Kind } from "./kinds.ts";

/** Metadata that only the API server writes. */
const readOnlyMetadata = new Set([
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
]);

/**
 * The inputs as they are kept: with apiVersion, kind and a name, without what only the API server writes; the data of a
 * Secret is secret, whoever it comes from.
 * @throws Error when no name can be given
 */
export function completeInputs(kind: Kind, request: CheckRequest): ValueMap {
  const { status: _status, ...news } = request.news;
  const patch = isPatch(kind, news.kind);
  const metadata = news.metadata === undefined ? {} : reveal(news.metadata);
  const inputs: ValueMap = {
    ...news,
    apiVersion: apiVersionOf(kind),
    kind: patch ? kind.kind.replace(/Patch$/, "") : kind.kind,
  };
  if (!isMap(metadata)) return withSecrets(inputs);
  const own = Object.fromEntries(Object.entries(metadata).filter(([name]) => !readOnlyMetadata.has(name)));
  if (own.generateName !== undefined && own.name === undefined) {
    throw new Error("the `.metadata.generateName` field is not supported in Server-Side Apply mode");
  }
  if (patch && own.name === undefined) {
    throw new Error("patch resources require the `.metadata.name` field to be set");
  }
  const named = own.name === undefined ? autonamed(own, request) : own;
  return withSecrets({ ...inputs, metadata: news.metadata instanceof Secret ? new Secret(named) : named });
}

/** A list that holds a secret is secret as a whole, as with the real provider: what moves in it must not show. */
function withSecrets(inputs: ValueMap): ValueMap {
  const marked = markSecretData(inputs);
  return hasSecret(marked) ? secretLists(marked) : marked;
}

function secretLists(map: ValueMap): ValueMap {
  return mapValues(map, (value) => {
    if (isList(value)) return hasSecret(value) ? new Secret(plain(value)) : value;
    return isMap(value) ? secretLists(value) : value;
  });
}

function autonamed(metadata: ValueMap, request: CheckRequest): ValueMap {
  const old = mapAt(request.olds, "metadata");
  if (old.name !== undefined && isAutonamed(request.olds)) return named(metadata, old.name);
  const { autonaming } = request;
  if (autonaming?.mode === "disable") {
    throw new Error("autonaming is disabled, resource requires the .metadata.name field to be set");
  }
  return named(metadata, autonaming === undefined ? uniqueName(request) : autonaming.proposed);
}

function named(metadata: ValueMap, name: Value): ValueMap {
  const known = metadata.annotations === undefined ? {} : reveal(metadata.annotations);
  if (!isMap(known)) return { ...metadata, name };
  return { ...metadata, name, annotations: { ...known, [annotations.autonamed]: "true" } };
}

function uniqueName({ name, randomSeed, urn }: CheckRequest): string {
  const hex = createHash("sha256").update(randomSeed).update(urn).digest("hex");
  return `${name}-${hex.slice(0, 8)}`;
}

/** Whether Pulumi gave the name. */
export function isAutonamed(inputs: ValueMap): boolean {
  return mapAt(mapAt(inputs, "metadata"), "annotations")[annotations.autonamed] === "true";
}

/** Marks what a Secret holds as secret. */
export function markSecretData(object: ValueMap): ValueMap {
  if (object.kind !== "Secret" || object.apiVersion !== "v1") return object;
  const marked = ["data", "stringData"].flatMap((name): [string, Value][] => {
    const value = object[name];
    return value === undefined ? [] : [[name, value === unknown ? value : new Secret(value)]];
  });
  return { ...object, ...Object.fromEntries(marked) };
}

/** What stands at a name when it is a map, be it secret; an empty one otherwise. */
export function mapAt(map: ValueMap, name: string): ValueMap {
  const value = map[name];
  const shown = value === undefined ? undefined : reveal(value);
  return isMap(shown) ? shown : {};
}
