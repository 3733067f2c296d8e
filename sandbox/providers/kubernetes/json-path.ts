import { isJsonMap, type Json } from "./json.ts";

/*
 * The part of JSONPath (RFC 9535) that conditions on objects use: `.a.b`, `['a']`, `[0]`, `[-1]`, `[*]`, `.*`, `..a`,
 * `[?(@.type=="Ready")]`, with `&&` between comparisons.
 */

type Step =
  | { readonly step: "name"; readonly name: string }
  | { readonly step: "index"; readonly index: number }
  | { readonly step: "all" }
  | { readonly step: "deep"; readonly name: string }
  | { readonly step: "filter"; readonly tests: readonly Test[] };

interface Test {
  readonly path: readonly Step[];
  /** Undefined asks whether the path is there. */
  readonly operator: "==" | "!=" | undefined;
  readonly value: Json;
}

export type JsonPath = readonly Step[];

/** @throws Error for what is no path, or beyond that part */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  let rest = text.trim().replace(/^[$@]/, "");
  while (rest !== "") {
    const [whole = "", step] = nextStep(rest) ?? fail(text, rest);
    steps.push(step);
    rest = rest.slice(whole.length);
  }
  return steps;
}

function nextStep(text: string): readonly [string, Step] | undefined {
  const deep = /^\.\.([\w$-]+)/.exec(text);
  if (deep?.[1] !== undefined) return [deep[0], { step: "deep", name: deep[1] }];
  const all = /^(\.\*|\[\s*\*\s*\])/.exec(text);
  if (all !== null) return [all[0], { step: "all" }];
  const name = /^\.([\w$-]+)/.exec(text);
  if (name?.[1] !== undefined) return [name[0], { step: "name", name: name[1] }];
  const index = /^\[\s*(-?\d+)\s*\]/.exec(text);
  if (index !== null) return [index[0], { step: "index", index: Number(index[1]) }];
  const quoted = /^\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]/.exec(text);
  if (quoted !== null) {
    return [quoted[0], { step: "name", name: (quoted[1] ?? quoted[2] ?? "").replace(/\\(.)/g, "$1") }];
  }
  const filter = /^\[\s*\?/.exec(text);
  if (filter === null) return undefined;
  const end = closing(text);
  if (end === undefined) return undefined;
  const inner = text.slice(filter[0].length, end).trim();
  const bare = /^\(([\s\S]*)\)$/.exec(inner)?.[1] ?? inner;
  return [text.slice(0, end + 1), { step: "filter", tests: splitOutsideQuotes(bare, "&&").map(parseTest) }];
}

/** Where the bracket that opens at the beginning closes. */
function closing(text: string): number | undefined {
  let depth = 0;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const each = text[at] ?? "";
    if (quote !== "") {
      if (each === "\\") at++;
      else if (each === quote) quote = "";
    } else if (each === "'" || each === '"') quote = each;
    else if (each === "[") depth++;
    else if (each === "]" && --depth === 0) return at;
  }
  return undefined;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quote = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const each = text[at] ?? "";
    if (quote !== "") quote = each === quote ? "" : quote;
    else if (each === "'" || each === '"') quote = each;
    else if (text.startsWith(separator, at)) {
      parts.push(text.slice(from, at));
      from = at + separator.length;
      at = from - 1;
    }
  }
  return [...parts, text.slice(from)].map((part) => part.trim());
}

function parseTest(text: string): Test {
  for (const operator of ["==", "!="] as const) {
    const [left, right, ...more] = splitOutsideQuotes(text, operator);
    if (left === undefined || right === undefined || more.length > 0) continue;
    return { path: relative(left, text), operator, value: literal(right, text) };
  }
  return { path: relative(text, text), operator: undefined, value: null };
}

function relative(text: string, whole: string): JsonPath {
  if (!text.startsWith("@")) fail(whole, text);
  return parseJsonPath(text);
}

function literal(text: string, whole: string): Json {
  const quoted = /^(?:'([\s\S]*)'|"([\s\S]*)")$/.exec(text);
  if (quoted !== null) return (quoted[1] ?? quoted[2] ?? "").replace(/\\(.)/g, "$1");
  try {
    return JSON.parse(text) as Json;
  } catch {
    return fail(whole, text);
  }
}

function fail(whole: string, rest: string): never {
  throw new Error(`'${whole}' is no JSONPath that can be followed: '${rest}'`);
}

/** All that a path leads to. */
export function select(path: JsonPath, from: Json): Json[] {
  return path.reduce<Json[]>((found, step) => found.flatMap((each) => follow(step, each)), [from]);
}

function follow(step: Step, from: Json): readonly Json[] {
  const list = Array.isArray(from) ? (from as readonly Json[]) : undefined;
  switch (step.step) {
    case "name":
      return isJsonMap(from) && step.name in from ? [from[step.name] ?? null] : [];
    case "index": {
      const found = list?.at(step.index);
      return found === undefined ? [] : [found];
    }
    case "all":
      return children(from);
    case "deep":
      return [
        ...follow({ step: "name", name: step.name }, from),
        ...children(from).flatMap((each) => follow(step, each)),
      ];
    case "filter":
      return children(from).filter((each) => step.tests.every((test) => passes(test, each)));
  }
}

function children(from: Json): readonly Json[] {
  if (Array.isArray(from)) return from as readonly Json[];
  return isJsonMap(from) ? Object.values(from) : [];
}

function passes({ path, operator, value }: Test, on: Json): boolean {
  const found = select(path, on);
  if (operator === undefined) return found.length > 0;
  const equal = found.length > 0 && found[0] === value;
  return operator === "==" ? equal : !equal;
}
