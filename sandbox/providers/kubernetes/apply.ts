import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { annotations } from "./annotations.ts";
import { type ApiError, isApiError, NoMatchError } from "./api-error.ts";
import type { KubeAnswer, KubeClient } from "./client.ts";
import { defaultNamespace } from "./diff.ts";
import { type ApiResource, type Discovery, pathOf } from "./discovery.ts";
import { withoutIgnored } from "./ignored.ts";
import { annotationOf, type KubeObject, mapsAt, nameOf, namespaceOf, textAt } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { createManager, hasCreateManager, takeOver } from "./managed-fields.ts";
import { removedKind } from "./warnings.ts";

/** One API server, and what it is known to have. */
export interface Cluster {
  readonly client: KubeClient;
  readonly discovery: Discovery;
}

export interface Write {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly fieldManager: string;
  /** Takes the fields of others, too. */
  readonly force: boolean;
  /** Asks what would be, and changes nothing. */
  readonly preview: boolean;
  /** Only some fields of what others made: nobody's fields are taken over. */
  readonly patch?: boolean;
  /** Paths of fields that stay as they are. @default none */
  readonly ignored?: readonly string[];
  readonly signal: AbortSignal;
  /** Hears of each try of a create that came too early. */
  readonly onRetry?: (text: string) => void;
}

export interface Written {
  readonly resource: ApiResource;
  readonly object: KubeObject;
  readonly warnings: readonly string[];
  /** As it was before an update. */
  readonly before?: KubeObject;
}

/** A name for a manager of fields: each resource has its own, so that two stacks on one object are two. */
export function newFieldManager(): string {
  return `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
}

/** Seconds before another try of a create whose kind or namespace is not there yet (the real provider's 1, 2, 4, 8, 16, 32). */
const createDelays = [1, 2, 4, 8, 16, 32];

/**
 * Makes an object. With `upsert` by a server-side apply, which takes over what exists as long as nobody else manages
 * fields to other values; else by a plain create, which what exists refuses.
 * @throws ApiError, NoMatchError
 */
export async function createObject(cluster: Cluster, write: Write, upsert: boolean): Promise<Written> {
  for (let attempt = 0; ; attempt++) {
    try {
      const resource = await cluster.discovery.require(write.kind);
      const answer = upsert
        ? await applyOrRename(cluster.client, resource, write)
        : await post(cluster.client, resource, write);
      return { resource, object: answer.body, warnings: answer.warnings };
    } catch (error) {
      const wait = createDelays[attempt];
      const gone = error instanceof NoMatchError && !write.preview ? removedKind(write.kind) : undefined;
      if (gone !== undefined) throw new Error(gone, { cause: error });
      const early = error instanceof NoMatchError || isApiError(error, 404);
      if (!early || wait === undefined || write.preview) throw error;
      write.onRetry?.(`Retry #${attempt}; creation failed: ${error.message}`);
      // What is missing may be under way: a namespace, a definition.
      cluster.discovery.invalidate();
      await delay(wait * 1000, undefined, { signal: write.signal });
    }
  }
}

/** How the API server words that a field cannot change, for one kind or another. */
const immutable = /immutable|Forbidden: updates to|may not change|cannot change/;

/**
 * A preview of a replacement meets the object that is to go. Under another name, the rest of the answer is as it will be.
 */
async function applyOrRename(client: KubeClient, resource: ApiResource, write: Write): Promise<KubeAnswer> {
  try {
    return await apply(client, resource, write);
  } catch (error) {
    if (!write.preview || !isApiError(error, 422) || !immutable.test(error.message)) throw error;
    const name = `${nameOf(write.object)}-${randomBytes(3).toString("hex")}`;
    const metadata = { ...(write.object.metadata as KubeObject), name };
    const answer = await apply(client, resource, { ...write, object: { ...write.object, metadata } });
    return {
      ...answer,
      body: {
        ...answer.body,
        metadata: { ...(answer.body.metadata as KubeObject), name: nameOf(write.object) },
      },
    };
  }
}

async function post(client: KubeClient, resource: ApiResource, write: Write): Promise<KubeAnswer> {
  const namespace = resource.namespaced ? (namespaceOf(write.object) ?? defaultNamespace) : undefined;
  const begun = Date.now();
  let lost = 0;
  try {
    const answer = await client.send({
      method: "POST",
      path: pathOf(resource, namespace),
      query: {
        fieldManager: createManager,
        dryRun: write.preview ? "All" : undefined,
        fieldValidation: "Warn",
      },
      body: write.object,
      signal: write.signal,
      onLost: () => lost++,
    });
    return answer;
  } catch (error) {
    if (!isApiError(error, 409) || error.reason !== "AlreadyExists") throw error;
    if (lost > 0) {
      const found = await client.send({
        method: "GET",
        path: pathOf(resource, namespace, nameOf(write.object)),
        signal: write.signal,
      });
      const made = Date.parse(textAt(found.body, "metadata", "creationTimestamp") ?? "");
      // The request whose answer was lost had been done. (The timestamp has whole seconds.)
      if (made >= begun - 1_000) return found;
    }
    throw alreadyExists(error);
  }
}

/** With the real provider's advice. */
function alreadyExists(error: ApiError): Error {
  const advice = [
    "The resource already exists in the cluster. This can happen when:",
    "",
    "  - Renaming a Pulumi resource: use an alias to preserve its identity, or deleteBeforeReplace where it has to be replaced.",
    "  - Managing what is there already: use a Patch resource (e.g. NamespacePatch) to manage some fields without owning the object.",
    "  - Adopting it into Pulumi: use `pulumi import`.",
    "  - An intended upsert: set upsertExistingObjects on the provider to let a create update existing objects.",
  ];
  return new Error(`${error.message}\n\n${advice.join("\n")}`, { cause: error });
}

async function apply(client: KubeClient, resource: ApiResource, write: Write): Promise<KubeAnswer> {
  const namespace = resource.namespaced ? (namespaceOf(write.object) ?? defaultNamespace) : undefined;
  try {
    return await client.send({
      method: "PATCH",
      path: pathOf(resource, namespace, nameOf(write.object)),
      query: {
        fieldManager: write.fieldManager,
        force: String(write.force),
        dryRun: write.preview ? "All" : undefined,
        fieldValidation: "Warn",
      },
      body: write.object,
      contentType: "application/apply-patch+yaml",
      signal: write.signal,
    });
  } catch (error) {
    throw isApiError(error, 409) ? conflict(error, write.fieldManager) : error;
  }
}

const conflictHelp =
  "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources";

/** The API server names the other manager and the fields. */
function conflict(error: ApiError, fieldManager: string): Error {
  return new Error(
    `server-side apply field conflict detected, see ${conflictHelp} for troubleshooting help\nThe resource managed by field manager "${fieldManager}" had an apply conflict: ${error.message}\nTo take the fields over, set the annotation ${annotations.patchForce}: "true" on the resource.`,
    { cause: error },
  );
}

/**
 * Changes an object that is there. A definition is replaced as a whole, as `kubectl replace` does; all else is applied.
 * @throws ApiError with 404 when it is gone
 */
export async function updateObject(cluster: Cluster, write: Write): Promise<Written> {
  const { client } = cluster;
  const resource = await cluster.discovery.require(write.kind);
  const namespace = resource.namespaced ? (namespaceOf(write.object) ?? defaultNamespace) : undefined;
  const path = pathOf(resource, namespace, nameOf(write.object));
  const read = async () => (await client.send({ method: "GET", path, signal: write.signal })).body;
  const before = await read();
  if (write.kind.kind === "CustomResourceDefinition") {
    const answer = await replace(client, path, before, write);
    cluster.discovery.invalidate();
    return { resource, object: answer.body, warnings: answer.warnings, before };
  }
  const managed = mapsAt(before, "metadata", "managedFields").length > 0;
  const force = write.force || !managed || (write.preview && hasCreateManager(before));
  const takes = managed && !write.preview && write.patch !== true;
  for (let attempt = 1, now = before; ; attempt++) {
    if (takes) now = await takeFields(client, path, now, write);
    const object = withoutIgnored(write.object, now, write.fieldManager, write.ignored ?? []);
    try {
      const answer = await apply(client, resource, { ...write, object, force });
      return { resource, object: answer.body, warnings: answer.warnings, before };
    } catch (error) {
      if (!isConflict(error) || !takes || attempt >= mostTakeovers) throw error;
      now = await read();
      // Someone whose fields are taken over may have written once more, between that and this; others stay in the way.
      if (takeOver(now, write.fieldManager) === undefined) throw error;
    }
  }
}

/** How often fields are taken over from someone who goes on writing them meanwhile. */
const mostTakeovers = 10;

function isConflict(error: unknown): boolean {
  return error instanceof Error && isApiError(error.cause, 409);
}

async function replace(
  client: KubeClient,
  path: string,
  before: KubeObject,
  write: Write,
): Promise<KubeAnswer> {
  const resourceVersion = textAt(before, "metadata", "resourceVersion") ?? "";
  const metadata = { ...(write.object.metadata as KubeObject), resourceVersion };
  return client.send({
    method: "PUT",
    path,
    query: { fieldManager: write.fieldManager, dryRun: write.preview ? "All" : undefined },
    body: { ...write.object, metadata },
    signal: write.signal,
  });
}

/** @returns the object as it is then */
async function takeFields(
  client: KubeClient,
  path: string,
  before: KubeObject,
  write: Write,
): Promise<KubeObject> {
  const managers = takeOver(before, write.fieldManager);
  if (managers === undefined) return before;
  try {
    const { body } = await client.send({
      method: "PATCH",
      path,
      body: [
        { op: "replace", path: "/metadata/managedFields", value: managers },
        // Only as long as it is as it was read: the server answers 409 when someone changed it since. (A `test` that does not hold
        // is to it no conflict, but an invalid request.)
        {
          op: "replace",
          path: "/metadata/resourceVersion",
          value: textAt(before, "metadata", "resourceVersion"),
        },
      ],
      contentType: "application/json-patch+json",
      signal: write.signal,
    });
    return body;
  } catch (error) {
    if (!isApiError(error, 409)) throw error;
    const { body } = await client.send({ method: "GET", path, signal: write.signal });
    return takeFields(client, path, body, write);
  }
}

/** Gives all fields of a manager up; those that nobody else manages go. */
export async function relinquish(cluster: Cluster, write: Omit<Write, "preview" | "force">): Promise<void> {
  const resource = await cluster.discovery.require(write.kind);
  const { apiVersion = "", kind = "" } = write.object;
  const namespace = namespaceOf(write.object);
  const metadata = { name: nameOf(write.object), ...(namespace === undefined ? {} : { namespace }) };
  const object = { apiVersion, kind, metadata };
  await apply(cluster.client, resource, { ...write, object, force: false, preview: false });
}

/** Whether a write takes the fields of other managers. */
export function forces(object: KubeObject, enablePatchForce: boolean): boolean {
  return enablePatchForce || annotationOf(object, annotations.patchForce) === "true";
}

/** Seconds: what the program says, the annotation, the real provider's ten minutes. */
export function patienceOf(timeout: number, object: KubeObject): number {
  if (timeout > 0) return timeout;
  const annotated = Number(annotationOf(object, annotations.timeoutSeconds));
  return Number.isInteger(annotated) && annotated > 0 ? annotated : 600;
}
