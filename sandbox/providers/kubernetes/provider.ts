import {
  type CheckFailure,
  type CheckRequest,
  type CreateRequest,
  type DeleteRequest,
  type Difference,
  type DiffRequest,
  PartialFailure,
  type Provider,
  type ReadRequest,
  type Session,
  type UpdateRequest,
} from "../provider.ts";
import { hasUnknown, isMap, reveal, type ValueMap } from "../values.ts";
import { annotations } from "./annotations.ts";
import { isApiError, isNamespaceMissing, NoMatchError, UnreachableError } from "./api-error.ts";
import {
  createObject,
  forces,
  newFieldManager,
  patienceOf,
  relinquish,
  updateObject,
  type Write,
  type Written,
} from "./apply.ts";
import { awaitReady, NotReady, verdictNow } from "./await.ts";
import { driftInputs, importedInputs, toObject, toOutputs } from "./body.ts";
import { completeInputs } from "./check.ts";
import { Clusters, type OpenCluster } from "./clusters.ts";
import { diffObjects } from "./diff.ts";
import {
  createdButNotReady,
  createFailure,
  foundNotReady,
  updatedButNotReady,
  updateFailure,
} from "./failures.ts";
import { annotationOf, idOf, type KubeObject, nameOf } from "./json.ts";
import { isList, isPatch, type Kind, kindKey, kindOfToken, liveKind } from "./kinds.ts";
import { readOnRefresh } from "./readiness.ts";
import { reasonsOf } from "./reasons.ts";
import { giveUp, liveObject, remove } from "./remove.ts";
import { hidingSecrets } from "./secrets.ts";
import { refuseSettings, type Settings, settingsOf } from "./settings.ts";

export interface KubernetesOptions {
  /** The path of the kubeconfig of whoever runs the engine; undefined while no API server runs. */
  readonly kubeconfig: () => string | undefined;
  /** Whether a create takes over what exists, where the configuration does not say. @default true */
  readonly upsertExistingObjects?: boolean;
}

/**
 * `kubernetes`: objects of any kind, by server-side apply, as the real provider makes, awaits and deletes them
 * (github.com/pulumi/pulumi-kubernetes v4.34.2, provider/pkg/provider and provider/pkg/await).
 */
export class KubernetesProvider implements Provider {
  readonly name = "kubernetes";
  readonly version = "4.34.2";
  readonly #clusters: Clusters;
  readonly #upsert: boolean;

  constructor(options: KubernetesOptions) {
    this.#clusters = new Clusters(options.kubeconfig);
    this.#upsert = options.upsertExistingObjects ?? true;
  }

  close(): void {
    this.#clusters.close();
  }

  configure(config: Readonly<Record<string, string>>): void {
    refuseSettings(config);
  }

  async check(
    request: CheckRequest,
    session: Session,
  ): Promise<{ inputs: ValueMap; failures: CheckFailure[] }> {
    const kind = kindOfToken(request.type);
    if (isList(kind)) {
      throw new Error(
        "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created directly. Use the underlying resource type instead",
      );
    }
    const inputs = completeInputs(kind, request);
    return { inputs: await this.#withNamespace(liveKind(kind), inputs, session), failures: [] };
  }

  diff(request: DiffRequest, session: Session): Difference {
    return diffObjects(kindOfToken(request.type), request, this.#settings(session));
  }

  async create(request: CreateRequest, session: Session): Promise<{ id: string; outputs: ValueMap }> {
    const kind = kindOfToken(request.type);
    const { inputs, preview, urn } = request;
    const cluster = await this.#clusters.of(session.config);
    if (preview && (hasUnknown(inputs) || isPatch(kind))) return { id: "", outputs: inputs };
    const settings = this.#settings(session);
    const write = this.#write(request, kind, newFieldManager(), session);
    // Nothing is there that a preview of a create could take from anyone, but what a replacement removes first.
    const force = write.force || preview;
    let written: Written;
    try {
      const upsert = settings.upsertExistingObjects || isPatch(kind);
      written = await hidingSecrets(inputs, () => createObject(cluster, { ...write, force }, upsert));
    } catch (error) {
      if (preview && (await this.#onlyInPreview(error, urn, session))) return { id: "", outputs: inputs };
      throw new Error(createFailure(urn, kind, error), { cause: error });
    }
    await this.#warn(urn, written, session);
    const outputs = (object: KubeObject) => toOutputs(object, inputs, write.fieldManager);
    if (preview) return { id: "", outputs: previewed(outputs(written.object)) };
    const id = idOf(written.object);
    try {
      const live = await this.#await(cluster, request, written, session);
      if (live.kind === "CustomResourceDefinition") cluster.discovery.invalidate();
      return { id, outputs: outputs(live) };
    } catch (error) {
      const object = error instanceof NotReady ? error.object : written.object;
      const message = createdButNotReady(urn, error);
      throw new PartialFailure(message, { id, outputs: outputs(object), inputs }, error);
    }
  }

  async update(request: UpdateRequest, session: Session): Promise<ValueMap> {
    const kind = kindOfToken(request.type);
    const { inputs, preview, urn } = request;
    const cluster = await this.#clusters.of(session.config);
    if (preview && hasUnknown(inputs)) return inputs;
    const known = managerOf(request.oldOutputs);
    const write = this.#write(request, kind, known ?? newFieldManager(), session);
    const outputs = (object: KubeObject) => toOutputs(object, inputs, write.fieldManager);
    let written: Written;
    try {
      written = await hidingSecrets(inputs, () => updateObject(cluster, write));
    } catch (error) {
      if (preview && (await this.#onlyInPreview(error, urn, session))) return inputs;
      throw new Error(updateFailure(urn, error), { cause: error });
    }
    await this.#warn(urn, written, session);
    if (preview) return outputs(written.object);
    try {
      const live = await this.#await(cluster, request, written, session);
      if (known !== undefined && known !== write.fieldManager) {
        await relinquish(cluster, { ...write, object: live, fieldManager: known });
      }
      return outputs(live);
    } catch (error) {
      const object = error instanceof NotReady ? error.object : written.object;
      const message = updatedButNotReady(request.id, error);
      throw new PartialFailure(message, { id: request.id, outputs: outputs(object), inputs }, error);
    }
  }

  async read(
    request: ReadRequest,
    session: Session,
  ): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap } | undefined> {
    const kind = liveKind(kindOfToken(request.type));
    const settings = this.#settings(session);
    let cluster: OpenCluster;
    let object: KubeObject | undefined;
    try {
      cluster = await this.#clusters.of(session.config);
      object = await liveObject(cluster, kind, request.id, session.signal);
    } catch (error) {
      const { inputs, outputs, id } = request;
      if (!(error instanceof UnreachableError)) throw error;
      await session.log(request.urn, "warning", error.message);
      if (settings.deleteUnreachable) return undefined;
      if (settings.skipUpdateUnreachable && inputs !== undefined) return { id, inputs, outputs };
      throw error;
    }
    if (object === undefined) return undefined;
    const manager = managerOf(request.outputs) ?? newFieldManager();
    const known = request.inputs ?? {};
    const imported = Object.keys(known).length === 0;
    const now = toOutputs(object, known, manager);
    const inputs = imported ? importedInputs(now) : driftInputs(known, request.outputs, now);
    const outputs = toOutputs(object, inputs, manager);
    const resource = await cluster.discovery.require(kind);
    const verdict = imported || !readOnRefresh.has(kindKey(kind)) ? undefined : verdictNow(resource, object);
    if (verdict !== undefined && verdict.state !== "ready") {
      const reasons = [verdict.message, ...(await reasonsOf(cluster, object))];
      const message = foundNotReady(nameOf(object), reasons);
      throw new PartialFailure(message, { id: request.id, outputs, inputs }, undefined);
    }
    return { id: idOf(object), outputs, inputs };
  }

  async delete(request: DeleteRequest, session: Session): Promise<void> {
    const token = kindOfToken(request.type);
    const kind = liveKind(token);
    try {
      const cluster = await this.#clusters.of(session.config);
      const fieldManager = managerOf(request.outputs);
      if (isPatch(token)) await giveUp(cluster, kind, request, fieldManager, session.signal);
      else await remove(cluster, kind, request, session);
    } catch (error) {
      if (error instanceof NoMatchError) return;
      if (!(error instanceof UnreachableError) || !this.#settings(session).deleteUnreachable) throw error;
      await session.log(request.urn, "warning", `${error.message}; the resource is taken out of the state`);
    }
  }

  async invoke(token: string): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
    throw new Error(
      `the sandbox does not serve function '${token}': of manifests and charts, declare the objects`,
    );
  }

  async #await(
    cluster: OpenCluster,
    request: CreateRequest | UpdateRequest,
    written: Written,
    session: Session,
  ): Promise<KubeObject> {
    const { informers } = cluster;
    const { resource, object, before } = written;
    const seconds = patienceOf(request.timeout, object);
    return awaitReady({
      cluster,
      informers,
      session,
      urn: request.urn,
      resource,
      object,
      updated: before !== undefined,
      seconds,
    });
  }

  #write(
    { inputs, preview }: { inputs: ValueMap; preview: boolean },
    kind: Kind,
    fieldManager: string,
    session: Session,
  ): Write {
    const object = toObject(hasUnknown(inputs) ? {} : inputs);
    return {
      kind: liveKind(kind),
      object,
      fieldManager: annotationOf(object, annotations.patchFieldManager) ?? fieldManager,
      force: forces(object, this.#settings(session).enablePatchForce),
      preview,
      signal: session.signal,
    };
  }

  #settings(session: Session): Settings {
    return settingsOf(session.config, this.#upsert);
  }

  /**
   * Whether a failure of a dry run says nothing of the run itself: a namespace or a definition may be made before. What one
   * may not do is said, but does not end a preview, as with the real provider.
   */
  async #onlyInPreview(error: unknown, urn: string, session: Session): Promise<boolean> {
    if (error instanceof NoMatchError || isNamespaceMissing(error)) return true;
    // What is to be replaced is still there.
    if (error instanceof Error && isApiError(error.cause, 409) && error.cause.reason === "AlreadyExists")
      return true;
    if (!isApiError(error, 403)) return false;
    await session.log(urn, "warning", `the API server would refuse this: ${error.message}`);
    return true;
  }

  async #warn(urn: string, { warnings }: Written, session: Session): Promise<void> {
    const { suppressDeprecationWarnings } = this.#settings(session);
    for (const warning of warnings) {
      if (suppressDeprecationWarnings && /deprecated/i.test(warning)) continue;
      await session.log(urn, "warning", warning);
    }
  }

  /** The inputs in the namespace that is configured, unless the kind stands in none. */
  async #withNamespace(kind: Kind, inputs: ValueMap, session: Session): Promise<ValueMap> {
    const metadata = inputs.metadata === undefined ? undefined : reveal(inputs.metadata);
    if (metadata === undefined || !isMap(metadata) || metadata.namespace !== undefined) return inputs;
    const { namespace: configured } = this.#settings(session);
    const cluster = await this.#clusters.of(session.config).catch((error: unknown) => {
      // Without an API server a plan can still be shown up to here.
      if (configured === undefined) return undefined;
      throw error;
    });
    const namespace = configured ?? cluster?.namespace;
    if (namespace === undefined || cluster === undefined) return inputs;
    const resource = await cluster.discovery.find(kind);
    if (resource?.namespaced === false) return inputs;
    return { ...inputs, metadata: { ...metadata, namespace } };
  }
}

function managerOf(outputs: ValueMap): string | undefined {
  const manager = outputs.__fieldManager;
  return typeof manager === "string" ? manager : undefined;
}

/** A status is not known before there is one. */
function previewed({ status: _status, ...outputs }: ValueMap): ValueMap {
  return outputs;
}
