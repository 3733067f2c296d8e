import type { ResourceType } from "./types.ts";
import { pathParameters } from "./types.ts";
import { isList, isMap, mapValues, reveal, Secret, unknown, type Value, type ValueMap } from "./values.ts";

export type Change = "add" | "delete" | "update";

/** One changed property. The path is written as the engine writes it: `tags["a.b"]`, `sku.name`, `list[0]`. */
export interface PropertyChange {
  readonly path: string;
  readonly change: Change;
  readonly replace: boolean;
}

/** Says whether a change at these property names (without list indexes) needs a new resource. */
export type ReplaceRule = (names: readonly string[], change: Change) => boolean;

/** What a type says of replacement. */
export function replaceRule(type: ResourceType): ReplaceRule {
  const always = new Set([...pathParameters(type), ...(type.replaceOn ?? [])]);
  const fixed = new Set(type.fixedOnceSet ?? []);
  return (names, change) => {
    const prefixes = names.map((_, index) => names.slice(0, index + 1).join("."));
    return prefixes.some((prefix) => always.has(prefix) || (change !== "add" && fixed.has(prefix)));
  };
}

/**
 * What differs between the old and the new inputs. Secret marks and the spelling of locations and ARM ids make no
 * difference; neither does an input that was not there and says what is so already (`live`), as after an import.
 */
export function diffInputs(
  olds: ValueMap,
  news: ValueMap,
  replaces: ReplaceRule,
  live: ValueMap = {},
): PropertyChange[] {
  return diffMaps(olds, news, { names: [], path: "", live, replaces });
}

/** Where in the inputs a comparison is. */
interface Place {
  readonly names: readonly string[];
  readonly path: string;
  readonly live: Value | undefined;
  readonly replaces: ReplaceRule;
}

function diffMaps(olds: ValueMap, news: ValueMap, at: Place): PropertyChange[] {
  const live = at.live === undefined ? undefined : reveal(at.live);
  const all = new Set([...Object.keys(olds), ...Object.keys(news)]);
  return [...all].flatMap((name) => {
    if (name.startsWith("__")) return [];
    return diffValues(olds[name], news[name], {
      names: [...at.names, name],
      path: at.path + segment(name, at.path),
      live: isMap(live) ? live[name] : undefined,
      replaces: at.replaces,
    });
  });
}

function diffValues(old: Value | undefined, next: Value | undefined, at: Place): PropertyChange[] {
  const { names, path, live, replaces } = at;
  const change = (kind: Change) => [{ path, change: kind, replace: replaces(names, kind) }];
  const before = old === undefined ? null : reveal(old);
  const after = next === undefined ? null : reveal(next);
  if (before === null && after === null) return [];
  if (before === null) return live !== undefined && same(live, after) ? [] : change("add");
  if (after === null) return change("delete");
  if (isMap(before) && isMap(after)) return diffMaps(before, after, at);
  if (isList(before) && isList(after)) {
    if (names.at(-1) === "userAssignedIdentities" && sameSet(before, after)) return [];
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) =>
      diffValues(before[index], after[index], {
        names,
        path: `${path}[${index}]`,
        live: undefined,
        replaces,
      }),
    ).flat();
  }
  if (before === after && before !== unknown) return [];
  if (path === "location" && normalLocation(before) === normalLocation(after)) return [];
  if (isArmId(before) && isArmId(after) && before.toLowerCase() === after.toLowerCase()) return [];
  return change("update");
}

function isArmId(value: Value): value is string {
  return typeof value === "string" && /^\/subscriptions\//i.test(value);
}

function normalLocation(location: Value): Value {
  return typeof location === "string" ? location.toLowerCase().replaceAll(" ", "") : location;
}

/** On the wire the identities are the keys of a map, and ARM ids have no case: neither order nor case says anything. */
function sameSet(before: readonly Value[], after: readonly Value[]): boolean {
  const key = (list: readonly Value[]) =>
    list
      .map((each) => (typeof each === "string" ? each.toLowerCase() : ""))
      .sort()
      .join("\n");
  const strings = [...before, ...after].every((each) => typeof each === "string");
  return strings && key(before) === key(after);
}

function segment(name: string, at: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `["${name.replaceAll('"', '\\"')}"]`;
  return at === "" ? name : `.${name}`;
}

/**
 * The inputs after a refresh. What the service filled in must not appear as drift, so only what changed between the
 * outputs of then and those of now is carried over into the inputs.
 */
export function carryDrift(inputs: ValueMap, before: ValueMap, after: ValueMap): ValueMap {
  const result: Record<string, Value> = {};
  for (const [name, value] of Object.entries(inputs)) {
    const [was, is] = [before[name], after[name]];
    if (was !== undefined && is === undefined) continue;
    result[name] = was === undefined || is === undefined ? (is ?? value) : driftOf(value, was, is);
  }
  for (const [name, value] of Object.entries(after)) {
    if (name in inputs) continue;
    const was = before[name];
    if (was === undefined || !same(was, value)) result[name] = value;
  }
  return result;
}

/**
 * The inputs of a resource of which no outputs are known, as after a create whose end was not seen: what the live
 * resource shows otherwise is taken over; what it shows beyond them may be the service's own.
 */
export function adoptLive(inputs: ValueMap, live: ValueMap): ValueMap {
  return mapValues(inputs, (input, name) => {
    const is = live[name];
    return is === undefined ? input : adopted(input, is);
  });
}

function adopted(input: Value, is: Value): Value {
  if (input instanceof Secret) return new Secret(adopted(input.value, is));
  const shown = reveal(is);
  if (isMap(input) && isMap(shown)) return adoptLive(input, shown);
  return same(input, shown) ? input : shown;
}

function driftOf(input: Value, was: Value, is: Value): Value {
  if (same(was, is)) return input;
  if (input instanceof Secret) return new Secret(driftOf(input.value, was, is));
  const [before, after] = [reveal(was), reveal(is)];
  if (isMap(input) && isMap(before) && isMap(after)) return carryDrift(input, before, after);
  if (isList(input) && isList(before) && isList(after)) {
    return after.map((each, index) => {
      const [own, old] = [input[index], before[index]];
      return own === undefined || old === undefined ? each : driftOf(own, old, each);
    });
  }
  return is;
}

function same(a: Value, b: Value): boolean {
  return diffValues(a, b, { names: [], path: "", live: undefined, replaces: () => false }).length === 0;
}
