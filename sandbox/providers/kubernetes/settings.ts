import type { CheckFailure, ConfigDifference } from "../provider.ts";
import { isMap, reveal, unknown, type Value, type ValueMap } from "../values.ts";
import { sameJson } from "./body.ts";

/** Provider configuration that the sandbox understands, as `kubernetes:<name>` or arguments of a `Provider`. */
export interface Settings {
  readonly namespace: string | undefined;
  readonly enablePatchForce: boolean;
  readonly enableConfigMapMutable: boolean;
  readonly enableSecretMutable: boolean;
  readonly upsertExistingObjects: boolean;
  readonly suppressDeprecationWarnings: boolean;
  readonly deleteUnreachable: boolean;
  readonly skipUpdateUnreachable: boolean;
}

/** @throws Error for a setting that the sandbox cannot follow */
export function refuseSettings(config: Readonly<Record<string, string>>): void {
  if (config.renderYamlToDirectory) {
    throw new Error(
      "the sandbox's kubernetes provider applies objects and renders none: remove 'kubernetes:renderYamlToDirectory'",
    );
  }
  if (config.enableServerSideApply === "false") {
    throw new Error(
      "the sandbox's kubernetes provider applies on the server's side only: remove 'kubernetes:enableServerSideApply'",
    );
  }
}

/**
 * @param upsert whether a create may take over what exists, where the configuration does not say. (The real provider's
 *   default is false since v4.29.0; it asks the environment for PULUMI_K8S_UPSERT_EXISTING_OBJECTS.)
 */
export function settingsOf(config: Readonly<Record<string, string>>, upsert: boolean): Settings {
  const flag = (name: string, otherwise = false) => (config[name] ? config[name] === "true" : otherwise);
  return {
    namespace: config.namespace || undefined,
    enablePatchForce: flag("enablePatchForce"),
    enableConfigMapMutable: flag("enableConfigMapMutable"),
    enableSecretMutable: flag("enableSecretMutable"),
    upsertExistingObjects: flag("upsertExistingObjects", upsert),
    suppressDeprecationWarnings: flag("suppressDeprecationWarnings"),
    deleteUnreachable: flag("deleteUnreachable"),
    skipUpdateUnreachable: flag("skipUpdateUnreachable"),
  };
}

/** What `kubernetes:strictMode` holds against a provider: one that nobody wrote down, or that does not say which cluster it means. */
export function strictFailures(urn: string, news: ValueMap): CheckFailure[] {
  if (String(reveal(news.strictMode ?? null)) !== "true") return [];
  const byDefault = /::default(_[^:]*)?$/.test(urn);
  const missing = (["kubeconfig", "context"] as const).filter((name) => !reveal(news[name] ?? null));
  return [
    ...(byDefault ? [{ property: "", reason: "strict mode prohibits default provider" }] : []),
    ...missing.map((property) => ({
      property,
      reason: `strict mode requires Provider "${property}" argument`,
    })),
  ];
}

/** What says which cluster it is. */
const clusterBy = ["kubeconfig", "context", "cluster"] as const;

/**
 * What changed in a provider's configuration. Everything is made anew where another cluster may be meant: its identifier changed, or what
 * leads to it is not known yet. (All other ways lead to the sandbox's one cluster.)
 */
export function diffSettings(olds: ValueMap, news: ValueMap): ConfigDifference {
  const shown = (map: ValueMap, name: string): Value => reveal(map[name] ?? null);
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  const open = clusterBy.find((name) => shown(news, name) === unknown);
  const changed = names.filter((name) => !same(shown(olds, name), shown(news, name)));
  const [was, is] = [shown(olds, "clusterIdentifier"), shown(news, "clusterIdentifier")];
  if (is !== null && is === was) return { changed, replaces: [] };
  return {
    changed,
    replaces: [
      ...(was !== null && is !== null ? ["clusterIdentifier"] : []),
      ...(open === undefined ? [] : [open]),
    ],
  };
}

function same(a: Value, b: Value): boolean {
  return isMap(a) && isMap(b) ? sameJson(a, b) : a === b && a !== unknown;
}
