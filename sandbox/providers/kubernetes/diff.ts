import { diffInputs } from "../diff.ts";
import type { Difference } from "../provider.ts";
import { reveal, type ValueMap } from "../values.ts";
import { isAutonamed, mapAt } from "./check.ts";
import { forceNewFields, replaceRule } from "./force-new.ts";
import { isPatch, type Kind } from "./kinds.ts";
import type { Settings } from "./settings.ts";

/** What the API server fills in where a namespace is left out. */
export const defaultNamespace = "default";

/**
 * What differs between the old and the new inputs. (The real provider compares with the live object, cut to the shape of
 * the old inputs; here a refresh brings into the inputs what drifted, so that spellings which the API server changes,
 * like 1000m for 1, are never taken for a change.)
 */
export function diffObjects(
  kind: Kind,
  request: { readonly oldInputs: ValueMap; readonly oldOutputs: ValueMap; readonly inputs: ValueMap },
  settings: Pick<Settings, "enableConfigMapMutable" | "enableSecretMutable">,
): Difference {
  const live = mapAt(request.oldOutputs, "metadata");
  const olds = withNamespace(request.oldInputs, live);
  const news = withNamespace(request.inputs, live);
  const fields = isPatch(kind)
    ? forceNewFields(
        { ...kind, kind: "" },
        { enableConfigMapMutable: true, enableSecretMutable: true, immutable: false },
      )
    : forceNewFields(kind, { ...settings, immutable: request.inputs.immutable === true });
  const changes = diffInputs(olds, news, replaceRule(fields));
  const metadata = mapAt(news, "metadata");
  const sameName = metadata.name !== undefined && reveal(metadata.name) === live.name;
  const sameNamespace = metadata.namespace === undefined || reveal(metadata.namespace) === live.namespace;
  return {
    changes,
    deleteBeforeReplace:
      changes.some((change) => change.replace) && sameName && sameNamespace && !isAutonamed(request.inputs),
  };
}

/** To leave a namespace out and to name the default one is the same; of what stands in none, it says nothing. */
function withNamespace(inputs: ValueMap, live: ValueMap): ValueMap {
  const metadata = inputs.metadata === undefined ? {} : reveal(inputs.metadata);
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return inputs;
  const { namespace, ...rest } = metadata as ValueMap;
  if (live.namespace === undefined && live.name !== undefined) return { ...inputs, metadata: rest };
  return { ...inputs, metadata: { ...rest, namespace: namespace ?? defaultNamespace } };
}
