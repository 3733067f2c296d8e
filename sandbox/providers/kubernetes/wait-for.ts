import { annotations } from "./annotations.ts";
import { annotationOf, conditionsOf, isJsonMap, type Json, type KubeObject, numberAt } from "./json.ts";
import { type JsonPath, parseJsonPath, select } from "./json-path.ts";
import type { Verdict } from "./verdict.ts";

/** One thing that an annotation `pulumi.com/waitFor` waits for. */
export type WaitFor =
  | { readonly kind: "condition"; readonly type: string; readonly status: string }
  | {
      readonly kind: "jsonpath";
      readonly shown: string;
      readonly path: JsonPath;
      readonly value: string | undefined;
    };

/**
 * What an object's annotation waits for: `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Running`,
 * `jsonpath={.status.url}`, or a JSON list of such. Undefined without one.
 * Source: github.com/pulumi/pulumi-kubernetes, provider/pkg/metadata/overrides.go and provider/pkg/jsonpath.
 * @throws Error for what cannot be waited for
 */
export function waitForOf(object: KubeObject): readonly WaitFor[] | undefined {
  const text = annotationOf(object, annotations.waitFor);
  if (text === undefined || text === "") return undefined;
  const all = expressions(text);
  if (all.length === 0) throw new Error("at least one condition must be specified");
  return all.map(parseWaitFor);
}

function expressions(text: string): string[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((each) => typeof each === "string")) return list;
  } catch {
    // A single one is no JSON.
  }
  return [text];
}

export function parseWaitFor(expression: string): WaitFor {
  const [, kind, rest = ""] = /^(jsonpath|condition)=([\s\S]*)$/.exec(expression) ?? [];
  if (kind === "condition") {
    const [, type = rest, status = "True"] = /^([^=]*)=([\s\S]*)$/.exec(rest) ?? [];
    return { kind, type, status };
  }
  if (kind === "jsonpath") return parsePath(rest);
  throw new Error(`expected a "jsonpath=" or "condition=" prefix, got ${JSON.stringify(expression)}`);
}

function parsePath(text: string): WaitFor {
  if (/^'.*'$/.test(text)) throw new Error(`${text} should omit shell quotes`);
  const [, shown, inner, equals, value = ""] = /^(\{\s*([\s\S]*?)\s*\})(=)?([\s\S]*)$/.exec(text) ?? [];
  if (shown === undefined || inner === undefined)
    throw new Error(`${text} should be wrapped in brackets { ... }`);
  if (equals === undefined && value !== "") {
    throw new Error(`format should be {.path}=value or {.path}, got ${JSON.stringify(text)}`);
  }
  if (equals !== undefined && value === "") throw new Error(`${shown}= requires a value`);
  return {
    kind: "jsonpath",
    shown,
    path: parseJsonPath(inner),
    value: equals === undefined ? undefined : value,
  };
}

/** Whether all that is waited for is so, on an object whose controller has seen its latest generation. */
export function waitVerdict(wanted: readonly WaitFor[], object: KubeObject): Verdict {
  for (const each of wanted) {
    const message = each.kind === "condition" ? missingCondition(each, object) : missingValue(each, object);
    if (message !== undefined) return { state: "waiting", message };
  }
  return { state: "ready" };
}

function missingCondition(
  wanted: Extract<WaitFor, { kind: "condition" }>,
  object: KubeObject,
): string | undefined {
  const condition = conditionsOf(object).find(({ type }) => type.toLowerCase() === wanted.type.toLowerCase());
  const shown = `condition ${wanted.type}=${wanted.status}`;
  if (condition === undefined) return `Waiting for ${shown}`;
  const generation = numberAt(object, "metadata", "generation");
  const observed = condition.observedGeneration ?? numberAt(object, "status", "observedGeneration");
  if (generation !== undefined && observed !== undefined && observed < generation) {
    return `Waiting for ${shown}: generation ${observed} is less than expected ${generation}`;
  }
  if (condition.status.toLowerCase() === wanted.status.toLowerCase()) return undefined;
  const why = condition.message || condition.reason;
  return `Waiting for ${shown}: it is ${condition.status}${why === "" ? "" : `: ${why}`}`;
}

function missingValue(
  wanted: Extract<WaitFor, { kind: "jsonpath" }>,
  object: KubeObject,
): string | undefined {
  const shown = `${wanted.shown}${wanted.value === undefined ? "" : `=${wanted.value}`}`;
  const generation = numberAt(object, "metadata", "generation");
  const observed = numberAt(object, "status", "observedGeneration");
  if (generation !== undefined && observed !== undefined && observed < generation)
    return `Waiting for ${shown}`;
  const [found] = select(wanted.path, object);
  if (found === undefined) return `Waiting for ${shown}: it selected nothing`;
  if (wanted.value === undefined) return undefined;
  if (isJsonMap(found) || Array.isArray(found)) {
    return `Waiting for ${shown}: ${wanted.shown} is no single value`;
  }
  return text(found) === wanted.value ? undefined : `Waiting for ${shown} (found ${JSON.stringify(found)})`;
}

function text(value: Json): string {
  return value === null ? "<nil>" : String(value);
}
