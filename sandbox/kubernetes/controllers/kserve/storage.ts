import type { KubeObject, Secret } from "../runtime/objects.ts";
import { type InferenceService, marks } from "./types.ts";

/** Where a model's files come from. */
export interface ModelSource {
  /** As the storage initializer is told; undefined when the runtime brings the model itself. */
  readonly uri?: string;
  /** The Secret that the credentials are in. */
  readonly secretName?: string;
  /** Why it cannot be fetched: the words with which the storage initializer ends. */
  readonly problem?: string;
  /** Why KServe does not even try. */
  readonly invalid?: string;
}

/** What of the cluster decides whether a model can be fetched. */
export interface StorageFacts {
  secret(name: string): Secret | undefined;
  /** A Service of the cluster. */
  service(namespace: string, name: string): KubeObject | undefined;
}

/** Source: kserve pkg/controller/v1beta1/inferenceservice/utils (SupportedStorageURIPrefixList) */
const supportedPrefixes = [
  "gs://",
  "s3://",
  "pvc://",
  "file://",
  "https://",
  "http://",
  "hdfs://",
  "webhdfs://",
  "oci://",
  "hf://",
];

/** What each kind of data connection must hold, by its `opendatahub.io/connection-type`. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  s3: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_S3_ENDPOINT", "AWS_S3_BUCKET"],
  "azure-blob": ["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_CONTAINER", "AZURE_STORAGE_ACCESS_KEY"],
  "uri-v1": ["URI"],
  uri: ["URI"],
  "oci-v1": [".dockerconfigjson"],
  oci: [".dockerconfigjson"],
};

/**
 * Where a model comes from and whether it can be had, from what can be looked up: nothing is fetched, and nothing is left to
 * chance. A place whose connection is in order counts as reachable, unless its host is a name that never resolves (RFC 2606),
 * a service of the cluster that is not there, or the connection is marked `sandbox.kiln/fail`.
 */
export function modelSource(service: InferenceService, facts: StorageFacts): ModelSource {
  const { model } = service.spec.predictor;
  const { storage } = model ?? {};
  const given = model?.storageUri ?? storage?.storageUri;
  if (model?.storageUri !== undefined && storage?.path !== undefined) {
    return { invalid: "must provide only one of storageUri and storage.path" };
  }
  if (given !== undefined && !isSupported(given)) {
    return {
      invalid: `StorageURI not supported: storageUri, must be one of: [${supportedPrefixes.join(", ")}] or match https://{}.blob.core.windows.net/{}/{} or be an absolute or relative local path. StorageUri [${given}] is not supported.`,
    };
  }
  const named = connectionOf(service);
  if (named === undefined) {
    if (storage?.path !== undefined && storage.parameters?.type === undefined) {
      return { problem: "unable to determine storage type" };
    }
    const uri = given ?? (storage?.path === undefined ? undefined : uriOf(storage.path, storage.parameters));
    if (uri === undefined) return {};
    const problem = hostProblem(uri, service.metadata.namespace ?? "", facts);
    return { uri, ...(problem === undefined ? {} : { problem: pullFailed(uri, problem) }) };
  }
  return fromConnection(service, named, given, storage?.path, facts);
}

/**
 * The Secret that a model's files are fetched with: the data connection that its storage names, the one that its annotation
 * names, or, for a model in an image, the one that images are pulled with. Pure.
 */
export function connectionOf({ metadata, spec: { predictor } }: InferenceService): string | undefined {
  const { storage, storageUri } = predictor.model ?? {};
  const pulls = (storageUri ?? storage?.storageUri)?.startsWith("oci://");
  return (
    storage?.key ??
    metadata.annotations?.[marks.storageSecretName] ??
    (pulls === true ? predictor.imagePullSecrets?.[0]?.name : undefined)
  );
}

function fromConnection(
  service: InferenceService,
  name: string,
  given: string | undefined,
  path: string | undefined,
  facts: StorageFacts,
): ModelSource {
  const secret = facts.secret(name);
  if (secret === undefined) {
    return {
      ...(given === undefined ? {} : { uri: given }),
      problem: pullFailed(given ?? path ?? name, `the data connection's secret '${name}' does not exist`),
    };
  }
  const { annotations } = secret.metadata;
  const type =
    annotations?.["opendatahub.io/connection-type"] ??
    annotations?.["opendatahub.io/connection-type-ref"] ??
    typeByKeys(secret);
  const value = (key: string): string => valueIn(secret, key);
  const uri = given ?? connectionUri(type, value, path);
  const told = uri ?? path ?? name;
  const at = { ...(uri === undefined ? {} : { uri }), secretName: name };
  const fault = annotations?.[marks.fail];
  if (fault !== undefined) return { ...at, problem: pullFailed(told, fault) };
  const missing = (requiredKeys[type] ?? []).filter((key) => value(key) === "");
  if (missing.length > 0) {
    const keys = missing.map((key) => `'${key}'`).join(", ");
    return { ...at, problem: pullFailed(told, `the data connection '${name}' has no ${keys}`) };
  }
  const endpoint = type === "s3" ? value("AWS_S3_ENDPOINT") : told;
  const problem = hostProblem(endpoint, service.metadata.namespace ?? "", facts);
  return { ...at, ...(problem === undefined ? {} : { problem: pullFailed(told, problem) }) };
}

function typeByKeys(secret: Secret): string {
  const keys = Object.keys(secret.data ?? {});
  if (keys.some((key) => key.startsWith("AZURE_STORAGE_"))) return "azure-blob";
  if (keys.includes("URI")) return "uri-v1";
  if (keys.includes(".dockerconfigjson")) return "oci-v1";
  return "s3";
}

function connectionUri(
  type: string,
  value: (key: string) => string,
  path: string | undefined,
): string | undefined {
  const below = (path ?? "").replace(/^\//, "");
  switch (type) {
    case "s3":
      return `s3://${value("AWS_S3_BUCKET")}/${below}`;
    case "azure-blob":
      return `https://${value("AZURE_STORAGE_ACCOUNT")}.blob.core.windows.net/${value("AZURE_STORAGE_CONTAINER")}/${below}`;
    case "oci-v1":
    case "oci":
      return below === "" ? undefined : `oci://${value("OCI_HOST")}/${below}`;
    // The address may hold a credential: it is not written into a pod's arguments.
    default:
      return undefined;
  }
}

function uriOf(path: string, parameters: Readonly<Record<string, string>> | undefined): string {
  const type = parameters?.type ?? "s3";
  const bucket = parameters?.bucket;
  return `${type}://${bucket === undefined ? "" : `${bucket}/`}${path.replace(/^\//, "")}`;
}

function isSupported(uri: string): boolean {
  if (!/^\w+?:\/\//.test(uri)) return !uri.includes("://");
  if (uri.includes("blob.core.windows.net"))
    return /^https:\/\/(.+?)\.blob\.core\.windows\.net\/(.+)/.test(uri);
  return supportedPrefixes.some((prefix) => uri.startsWith(prefix));
}

/** Why the host of an address cannot be reached, as far as that can be told from here. */
function hostProblem(address: string, namespace: string, facts: StorageFacts): string | undefined {
  if (!/^(?:https?|hdfs|webhdfs|oci):\/\//.test(address)) return undefined;
  let host: string;
  try {
    host = new URL(address.replace(/^(?:oci|hdfs|webhdfs):/, "https:")).hostname;
  } catch {
    return `'${address}' is no address`;
  }
  if (/(?:^|\.)invalid$/.test(host)) return `could not resolve host '${host}'`;
  const inCluster = /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/.exec(host);
  if (inCluster === null) return undefined;
  const [, name = "", of = namespace] = inCluster;
  return facts.service(of, name) === undefined ? `could not resolve host '${host}'` : undefined;
}

function pullFailed(from: string, why: string): string {
  return `failed to pull the model from '${from}': ${why}`;
}

function valueIn(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? "", "base64")
    .toString("utf8")
    .trim();
}
