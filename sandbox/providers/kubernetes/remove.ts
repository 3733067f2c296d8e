import type { DeleteRequest, Session } from "../provider.ts";
import { annotations } from "./annotations.ts";
import { isApiError } from "./api-error.ts";
import { type Cluster, patienceOf, relinquish } from "./apply.ts";
import { awaitGone } from "./await.ts";
import { toObject } from "./body.ts";
import type { OpenCluster } from "./clusters.ts";
import { defaultNamespace } from "./diff.ts";
import { type ApiResource, pathOf } from "./discovery.ts";
import { annotationOf, type KubeObject } from "./json.ts";
import { type Kind, kindKey } from "./kinds.ts";

/** Kinds whose end is not waited for, where the program says `skipAwait`; of others, it only speaks of their beginning. */
const deletedUnwatched: ReadonlySet<string> = new Set([
  "v1/Namespace",
  "v1/Pod",
  "v1/ReplicationController",
  "apps/v1/DaemonSet",
  "apps/v1/Deployment",
  "apps/v1/StatefulSet",
  "batch/v1/Job",
]);

/** Deletes an object, with what was made for it, and waits until it is gone. It may be gone already. */
export async function remove(
  cluster: OpenCluster,
  kind: Kind,
  request: DeleteRequest,
  session: Session,
): Promise<void> {
  const resource = await cluster.discovery.require(kind);
  const inputs = toObject(request.inputs);
  let object: KubeObject;
  try {
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: propagationPolicy(annotationOf(inputs, annotations.deletionPropagation)),
    };
    const path = pathById(resource, request.id);
    object = (await cluster.client.send({ method: "DELETE", path, body, signal: session.signal })).body;
  } catch (error) {
    if (isApiError(error, 404)) return;
    throw error;
  }
  const unwatched =
    annotationOf(inputs, annotations.skipAwait) === "true" && deletedUnwatched.has(kindKey(kind));
  // What went at once is answered with a Status; what has to be taken apart first, as it is now.
  if (object.kind === "Status" || unwatched) return;
  const seconds = patienceOf(request.timeout, inputs);
  const { informers } = cluster;
  await awaitGone({ cluster, informers, session, urn: request.urn, resource, object, seconds });
  if (kind.kind === "CustomResourceDefinition") cluster.discovery.invalidate();
}

/** @default Foreground: what was made for an object goes before it */
export function propagationPolicy(annotation: string | undefined): "Orphan" | "Background" | "Foreground" {
  const policy = annotation?.toLowerCase();
  if (policy === "orphan") return "Orphan";
  return policy === "background" ? "Background" : "Foreground";
}

/** The end of a `…Patch` resource: its fields are given up, the object stays. */
export async function giveUp(
  cluster: Cluster,
  kind: Kind,
  request: DeleteRequest,
  fieldManager: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const object = await liveObject(cluster, kind, request.id, signal);
  if (object === undefined || fieldManager === undefined) return;
  try {
    await relinquish(cluster, { kind, object, fieldManager, signal });
  } catch (error) {
    if (!isApiError(error, 422) || !/Required value/.test(error.message)) throw error;
    throw new Error(
      `this Patch resource is currently managing a required field, so it can't be deleted directly. Either set the \`retainOnDelete\` resource option, or transfer ownership of the field before deleting: ${error.fields.join(", ")}`,
      { cause: error },
    );
  }
}

/** The object of an id; undefined when it, or its kind, is not there. */
export async function liveObject(
  cluster: Cluster,
  kind: Kind,
  id: string,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const parsed = parseId(id);
  const resource = await cluster.discovery.find(kind);
  if (resource === undefined) return undefined;
  try {
    return (await cluster.client.send({ method: "GET", path: pathById(resource, parsed), signal })).body;
  } catch (error) {
    if (isApiError(error, 404)) return undefined;
    throw error;
  }
}

interface Id {
  readonly namespace: string | undefined;
  readonly name: string;
}

function pathById(resource: ApiResource, id: string | Id): string {
  const { namespace = defaultNamespace, name } = typeof id === "string" ? parseId(id) : id;
  return pathOf(resource, resource.namespaced ? namespace : undefined, name);
}

/** @throws Error for what is no id */
export function parseId(id: string): Id {
  const [first = "", second, ...more] = id.split("/");
  if (first === "" || second === "" || more.length > 0) {
    throw new Error(`'${id}' is no id of an object: it has the form 'namespace/name' or 'name'`);
  }
  return second === undefined ? { namespace: undefined, name: first } : { namespace: first, name: second };
}
