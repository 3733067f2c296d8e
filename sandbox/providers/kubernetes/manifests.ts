import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Document, parseAllDocuments } from "yaml";
import {
  annotationOf,
  isJsonMap,
  type Json,
  type JsonMap,
  type KubeObject,
  nameOf,
  namespaceOf,
  textAt,
} from "./json.ts";
import { apiVersionOf, type Kind, kindOfApiVersion } from "./kinds.ts";

/*
 * Manifests in YAML, as the real provider reads them and makes resources of them (github.com/pulumi/pulumi-kubernetes,
 * provider/pkg/provider/yaml/v2, and for what depends on what sigs.k8s.io/cli-utils/pkg/object/graph).
 */

/**
 * The objects of a text, those that are empty or no maps left out. Words mean what they mean to Kubernetes' own reader: YAML 1.1
 * (`yes` is true, 0644 octal), but neither times nor numbers to the base of sixty.
 * @throws Error for what is no YAML
 */
export function decodeManifests(text: string): KubeObject[] {
  const documents = parseAllDocuments(text, {
    version: "1.1",
    merge: true,
    uniqueKeys: false,
    customTags: (tags) =>
      tags.filter(
        (tag) =>
          typeof tag === "string" ||
          (tag.tag !== "tag:yaml.org,2002:timestamp" && Reflect.get(tag, "format") !== "TIME"),
      ),
  });
  return (documents as readonly Document[]).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw noYaml(error);
    let json: Json;
    try {
      json = document.toJSON() as Json;
    } catch (failure) {
      throw noYaml(failure);
    }
    return isJsonMap(json) && Object.keys(json).length > 0 ? [json] : [];
  });
}

function noYaml(error: unknown): Error {
  return new Error(`the manifests are no YAML: ${error instanceof Error ? error.message : String(error)}`);
}

/**
 * What stands in a file, or in all that fit a pattern.
 * @param folder where a path that is not whole begins
 * @throws Error for a file that is not there, or not on this machine
 */
export function readManifests(file: string, folder: string, patterns: boolean): string[] {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(file)) {
    throw new Error(`the sandbox fetches no manifests over the network: save '${file}' and name the file`);
  }
  const whole = path.resolve(folder, file);
  if (patterns && /[*?[]/.test(file))
    return globSync(whole)
      .sort()
      .map((each) => readFileSync(each, "utf8"));
  if (existsSync(whole)) return [readFileSync(whole, "utf8")];
  const hint = path.isAbsolute(file)
    ? ""
    : ": the sandbox does not run in the program's folder, so name the whole path (path.resolve)";
  throw new Error(`reading YAML file from disk: there is no file '${whole}'${hint}`);
}

/**
 * Single objects, of lists those that they hold.
 * @throws Error for one without a kind or a name
 */
export function singleObjects(objects: readonly KubeObject[]): KubeObject[] {
  return objects.flatMap((object) => {
    const items = object.items;
    if (Array.isArray(items)) return singleObjects((items as readonly Json[]).filter(isJsonMap));
    const [apiVersion, kind] = [textAt(object, "apiVersion"), textAt(object, "kind")];
    const shown = `${apiVersion ?? "?"}/${kind ?? "?"} ${nameOf(object) || "without a name"}`;
    if (!apiVersion || !kind) throw new Error(`Kubernetes resources require a kind and apiVersion: ${shown}`);
    if (nameOf(object) === "") throw new Error(`Kubernetes resources require a .metadata.name: ${shown}`);
    return [
      apiVersion.startsWith("core/") ? { ...object, apiVersion: apiVersion.slice("core/".length) } : object,
    ];
  });
}

export function kindOf(object: KubeObject): Kind {
  return kindOfApiVersion(textAt(object, "apiVersion") ?? "", textAt(object, "kind") ?? "");
}

/** The object in a namespace, unless it names one. */
export function placed(object: KubeObject, namespace: string): KubeObject {
  if (namespaceOf(object) !== undefined) return object;
  return { ...object, metadata: { ...metadataOf(object), namespace } };
}

/** The object with an annotation more. */
export function annotated(object: KubeObject, name: string, value: string): KubeObject {
  const metadata = metadataOf(object);
  const known = isJsonMap(metadata.annotations) ? metadata.annotations : {};
  return { ...object, metadata: { ...metadata, annotations: { ...known, [name]: value } } };
}

function metadataOf(object: KubeObject): JsonMap {
  return isJsonMap(object.metadata) ? object.metadata : {};
}

/** Whether objects of a kind stand in namespaces, as a definition among the objects says; undefined where none does. */
export function scopeAmong(objects: readonly KubeObject[], kind: Kind): boolean | undefined {
  const definition = objects.find((each) => defines(each, kind));
  return definition === undefined ? undefined : textAt(definition, "spec", "scope") === "Namespaced";
}

function defines(object: KubeObject, { group, kind }: Kind): boolean {
  return (
    object.kind === "CustomResourceDefinition" &&
    textAt(object, "spec", "group") === group &&
    textAt(object, "spec", "names", "kind") === kind
  );
}

const dependsOn = "config.kubernetes.io/depends-on";

/** The objects among others that have to be there first: its definition, its namespace, and those that it names. */
export function neededFirst(object: KubeObject, objects: readonly KubeObject[]): KubeObject[] {
  const kind = kindOf(object);
  const named = new Set((annotationOf(object, dependsOn) ?? "").split(",").map((each) => each.trim()));
  return objects.filter(
    (each) =>
      each !== object &&
      (defines(each, kind) ||
        (each.kind === "Namespace" && each.apiVersion === "v1" && nameOf(each) === namespaceOf(object)) ||
        named.has(referenceOf(each))),
  );
}

/** As the annotation names an object: `group/namespaces/namespace/Kind/name` or `group/Kind/name`. */
function referenceOf(object: KubeObject): string {
  const { group, kind } = kindOf(object);
  const namespace = namespaceOf(object);
  const scope = namespace === undefined ? [] : ["namespaces", namespace];
  return [group, ...scope, kind, nameOf(object)].join("/");
}

/** The name of an object's resource. */
export function resourceName(object: KubeObject, prefix: string): string {
  const namespace = namespaceOf(object);
  const name = namespace ? `${namespace}/${nameOf(object)}` : nameOf(object);
  return prefix === "" ? name : `${prefix}:${name}`;
}

/** The SDK's token of a kind. */
export function tokenOf(kind: Kind): string {
  return `kubernetes:${kind.group === "" ? `core/${kind.version}` : apiVersionOf(kind)}:${kind.kind}`;
}

/** Objects that wait for each other in a ring; undefined where there is none. */
export function ringAmong(objects: readonly KubeObject[]): readonly KubeObject[] | undefined {
  const done = new Set<KubeObject>();
  const visit = (object: KubeObject, above: readonly KubeObject[]): readonly KubeObject[] | undefined => {
    if (above.includes(object)) return [...above.slice(above.indexOf(object)), object];
    if (done.has(object)) return undefined;
    for (const each of neededFirst(object, objects)) {
      const ring = visit(each, [...above, object]);
      if (ring !== undefined) return ring;
    }
    done.add(object);
    return undefined;
  };
  for (const object of objects) {
    const ring = visit(object, []);
    if (ring !== undefined) return ring;
  }
  return undefined;
}
