import type { PropertyChange, ReplaceRule } from "../diff.ts";
import type { Difference, DiffRequest } from "../provider.ts";
import { isList, isMap, reveal, unknown, type Value, type ValueMap } from "../values.ts";
import { annotations } from "./annotations.ts";
import { baseline, own } from "./baseline.ts";
import { isAutonamed, mapAt } from "./check.ts";
import { forceNewFields, replaceRule } from "./force-new.ts";
import { isBuiltIn, isPatch, type Kind } from "./kinds.ts";
import { appendName, containsPath, parsePropertyPath } from "./property-path.ts";
import type { Settings } from "./settings.ts";

/** What the API server fills in where a namespace is left out. */
export const defaultNamespace = "default";

/**
 * What differs between the live object, cut to what the old inputs speak of, and the new inputs. See {@link baseline}.
 * @param unready the object is to be made anew since it is not ready
 */
export function diffObjects(
  kind: Kind,
  request: Pick<DiffRequest, "oldInputs" | "oldOutputs" | "inputs" | "ignoreChanges">,
  settings: Pick<Settings, "enableConfigMapMutable" | "enableSecretMutable">,
  unready = false,
): Difference {
  const { oldInputs, oldOutputs, inputs, ignoreChanges = [] } = request;
  const live = mapAt(oldOutputs, "metadata");
  // Whose live object is not known is what it was asked to be.
  const was = oldOutputs.kind === undefined ? oldInputs : baseline(oldInputs, oldOutputs, isBuiltIn(kind));
  const olds = withNamespace(was, live);
  const news = withNamespace(inputs, live);
  const fields = isPatch(kind, inputs.kind)
    ? forceNewFields(
        { ...kind, kind: "" },
        { enableConfigMapMutable: true, enableSecretMutable: true, immutable: false },
      )
    : forceNewFields(kind, { ...settings, immutable: inputs.immutable === true });
  const changes = withoutIgnored(diffMaps(olds, news, [], "", replaceRule(fields)), ignoreChanges);
  if (unready) changes.push({ path: replaceUnreadyPath, change: "update", replace: true });
  const metadata = mapAt(news, "metadata");
  const sameName = metadata.name !== undefined && reveal(metadata.name) === live.name;
  const sameNamespace = metadata.namespace === undefined || reveal(metadata.namespace) === live.namespace;
  return {
    changes,
    deleteBeforeReplace:
      changes.some((change) => change.replace) && sameName && sameNamespace && !isAutonamed(inputs),
  };
}

/** Where it stands that an object is made anew when it is not ready. */
const replaceUnreadyPath = `metadata.annotations["${annotations.replaceUnready}"]`;

/** To leave a namespace out and to name the default one is the same; of what stands in none, it says nothing. */
function withNamespace(inputs: ValueMap, live: ValueMap): ValueMap {
  const metadata = inputs.metadata === undefined ? {} : reveal(inputs.metadata);
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return inputs;
  const { namespace, ...rest } = metadata as ValueMap;
  if (live.namespace === undefined && live.name !== undefined) return { ...inputs, metadata: rest };
  return { ...inputs, metadata: { ...rest, namespace: namespace ?? defaultNamespace } };
}

function diffMaps(
  olds: ValueMap,
  news: ValueMap,
  names: readonly string[],
  path: string,
  replaces: ReplaceRule,
): PropertyChange[] {
  const all = new Set([...Object.keys(olds), ...Object.keys(news)]);
  return [...all].flatMap((name) => {
    // What only the provider keeps stands at the top; below, any name is the program's.
    if (path === "" && name.startsWith("__")) return [];
    return diffValues(own(olds, name), own(news, name), [...names, name], appendName(path, name), replaces);
  });
}

function diffValues(
  old: Value | undefined,
  next: Value | undefined,
  names: readonly string[],
  path: string,
  replaces: ReplaceRule,
): PropertyChange[] {
  const change = (kind: PropertyChange["change"]) => [{ path, change: kind, replace: replaces(names, kind) }];
  const before = old === undefined ? null : reveal(old);
  const after = next === undefined ? null : reveal(next);
  if (before === after && before !== unknown) return [];
  if (before === null) return change("add");
  if (after === null) return change("delete");
  if (isMap(before) && isMap(after)) return diffMaps(before, after, names, path, replaces);
  if (isList(before) && isList(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) =>
      diffValues(before[index], after[index], names, `${path}[${index}]`, replaces),
    ).flat();
  }
  return change("update");
}

function withoutIgnored(changes: PropertyChange[], ignoreChanges: readonly string[]): PropertyChange[] {
  if (ignoreChanges.length === 0 || changes.length === 0) return changes;
  const ignored = ignoreChanges
    .flatMap((path) => [parsePropertyPath(path) ?? []])
    .filter((each) => each.length > 0);
  return changes.filter(({ path }) => {
    const steps = parsePropertyPath(path) ?? [];
    return !ignored.some((each) => containsPath(each, steps));
  });
}
