import type { CheckFailure, Session } from "../provider.ts";
import { fromJson } from "../shape.ts";
import { reveal, type ValueMap } from "../values.ts";
import type { Clusters } from "./clusters.ts";
import { type KubeObject, textAt } from "./json.ts";
import { decodeManifests, kindOf, placed } from "./manifests.ts";

/** What may be done in place of a function that needs a program which the sandbox has not. */
const instead: Readonly<Record<string, string>> = {
  "kubernetes:helm:template":
    "there is no Helm in it. Render the chart with `helm template`, and read the file with yaml.ConfigFile",
  "kubernetes:kustomize:directory":
    "there is no Kustomize in it. Render the folder with `kubectl kustomize`, and read the file with yaml.ConfigFile",
};

/**
 * The provider's functions, of which manifests in YAML need one.
 * @throws Error for one that the sandbox does not serve, or what is no YAML
 */
export async function invoke(
  clusters: Clusters,
  token: string,
  args: ValueMap,
  session: Session,
): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
  if (token !== "kubernetes:yaml:decode") {
    throw new Error(
      `the sandbox does not serve function '${token}': ${instead[token] ?? "it knows none of that name"}`,
    );
  }
  const text = args.text === undefined ? undefined : reveal(args.text);
  if (typeof text !== "string") throw new Error("missing required field 'text' of type string");
  const objects = decodeManifests(text).filter(isObject);
  const namespace = args.defaultNamespace === undefined ? undefined : reveal(args.defaultNamespace);
  const placed =
    typeof namespace === "string" && namespace !== ""
      ? await Promise.all(objects.map((object) => inNamespace(clusters, object, namespace, session)))
      : objects;
  return { result: { result: placed.map((object) => fromJson(object)) }, failures: [] };
}

async function inNamespace(
  clusters: Clusters,
  object: KubeObject,
  namespace: string,
  session: Session,
): Promise<KubeObject> {
  const { discovery } = await clusters.of(session.config);
  // What nobody knows yet counts as standing in a namespace.
  return (await discovery.find(kindOf(object)))?.namespaced === false ? object : placed(object, namespace);
}

/** Manifests sometimes have what is no object among them. */
function isObject(object: KubeObject): boolean {
  return Boolean(textAt(object, "kind")) && Boolean(textAt(object, "apiVersion"));
}
