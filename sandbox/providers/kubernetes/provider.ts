import type { ConstructRequest } from "../monitor.ts";
import {
  type CheckFailure,
  type CheckRequest,
  type ConfigDifference,
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
import { type EncodedValue, hasUnknown, type ValueMap } from "../values.ts";
import { annotations } from "./annotations.ts";
import { NoMatchError, UnreachableError } from "./api-error.ts";
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
import { awaitReady, NotReady } from "./await.ts";
import { toObject, toOutputs } from "./body.ts";
import { completeInputs } from "./check.ts";
import { Clusters, type OpenCluster } from "./clusters.ts";
import { construct } from "./construct.ts";
import { diffObjects } from "./diff.ts";
import { createdButNotReady, createFailure, updatedButNotReady, updateFailure } from "./failures.ts";
import { invoke } from "./functions.ts";
import { annotationOf, idOf, type KubeObject } from "./json.ts";
import { isList, isPatch, type Kind, kindOfToken, liveKind } from "./kinds.ts";
import { withNamespace } from "./namespaces.ts";
import { onlyInPreview, previewed } from "./preview.ts";
import { ifGone, managerOf, readObject } from "./read.ts";
import { giveUp, liveObject, remove } from "./remove.ts";
import { isUnready, replacesUnready } from "./replace-unready.ts";
import { hidingSecrets } from "./secrets.ts";
import { diffSettings, refuseSettings, type Settings, settingsOf, strictFailures } from "./settings.ts";
import { warnOf } from "./warnings.ts";

export interface KubernetesOptions {
  /** The path of the kubeconfig of whoever runs the engine; undefined while no API server runs. */
  readonly kubeconfig: () => string | undefined;
  /** Whether a create takes over what exists, where the configuration does not say. @default true */
  readonly upsertExistingObjects?: boolean;
  /** Where a component's paths of files begin that are not whole. @default the root */
  readonly projectDir?: string;
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
  readonly #folder: string;

  constructor(options: KubernetesOptions) {
    this.#clusters = new Clusters(options.kubeconfig);
    this.#upsert = options.upsertExistingObjects ?? true;
    this.#folder = options.projectDir ?? "/";
  }

  close(): void {
    this.#clusters.close();
  }

  configure(config: Readonly<Record<string, string>>): void {
    refuseSettings(config);
  }

  checkConfig(urn: string, news: ValueMap): CheckFailure[] {
    return strictFailures(urn, news);
  }

  diffConfig(olds: ValueMap, news: ValueMap): ConfigDifference {
    return diffSettings(olds, news);
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
    const { namespace, skipUpdateUnreachable } = this.#settings(session);
    if (skipUpdateUnreachable && Object.keys(request.olds).length > 0 && (await this.#isGone(session))) {
      await session.log(
        request.urn,
        "warning",
        "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...",
      );
      return { inputs: request.olds, failures: [] };
    }
    await warnOf(kind, request, session);
    const inputs = completeInputs(kind, request);
    const live = liveKind(kind, request.news.kind);
    return { inputs: await withNamespace(this.#clusters, live, inputs, namespace, session), failures: [] };
  }

  async diff(request: DiffRequest, session: Session): Promise<Difference> {
    const kind = kindOfToken(request.type);
    const unready = replacesUnready(request) && (await isUnready(this.#clusters, kind, request, session));
    return diffObjects(kind, request, this.#settings(session), unready);
  }

  async create(request: CreateRequest, session: Session): Promise<{ id: string; outputs: ValueMap }> {
    const kind = kindOfToken(request.type);
    const { inputs, preview, urn } = request;
    const cluster = await this.#clusters.of(session.config);
    const patch = isPatch(kind, inputs.kind);
    if (preview && (hasUnknown(inputs) || patch)) return { id: "", outputs: inputs };
    const settings = this.#settings(session);
    const write = this.#write(request, kind, newFieldManager(), session);
    // Nothing is there that a preview of a create could take from anyone, but what a replacement removes first.
    const force = write.force || preview;
    let written: Written;
    try {
      const upsert = settings.upsertExistingObjects || patch;
      written = await hidingSecrets(inputs, () => createObject(cluster, { ...write, force }, upsert));
    } catch (error) {
      if (preview && (await onlyInPreview(error, urn, session))) return { id: "", outputs: inputs };
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
      const { message, reasons } = createdButNotReady(urn, error);
      throw new PartialFailure(message, { id, outputs: outputs(object), inputs }, error, reasons);
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
      if (preview && (await onlyInPreview(error, urn, session))) return inputs;
      const found = await liveObject(cluster, write.kind, request.id, session.signal).catch(() => undefined);
      throw new Error(updateFailure(urn, request.id, error, found !== undefined), { cause: error });
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
      const { message, reasons } = updatedButNotReady(request.id, error);
      throw new PartialFailure(message, { id: request.id, outputs: outputs(object), inputs }, error, reasons);
    }
  }

  async read(
    request: ReadRequest,
    session: Session,
  ): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap } | undefined> {
    const kind = liveKind(kindOfToken(request.type), request.inputs?.kind);
    return readObject(this.#clusters, kind, request, this.#settings(session), session);
  }

  async delete(request: DeleteRequest, session: Session): Promise<void> {
    const token = kindOfToken(request.type);
    const named = request.inputs.kind;
    const kind = liveKind(token, named);
    try {
      const cluster = await this.#clusters.of(session.config);
      const fieldManager = managerOf(request.outputs);
      if (isPatch(token, named)) await giveUp(cluster, kind, request, fieldManager, session.signal);
      else await remove(cluster, kind, request, session);
    } catch (error) {
      if (error instanceof NoMatchError) return;
      if (!(error instanceof UnreachableError)) throw error;
      if (!this.#settings(session).deleteUnreachable) {
        throw new Error(`${error.message}. ${ifGone}`, { cause: error });
      }
      await session.log(request.urn, "warning", `${error.message}; the resource is taken out of the state`);
    }
  }

  invoke(
    token: string,
    args: ValueMap,
    session: Session,
  ): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
    return invoke(this.#clusters, token, args, session);
  }

  construct(
    request: ConstructRequest,
    session: Session,
  ): Promise<{ urn: string; state: Record<string, EncodedValue> }> {
    const { namespace } = this.#settings(session);
    const options = { clusters: this.#clusters, namespace, folder: this.#folder, version: this.version };
    return construct(request, options, session);
  }

  /** Whether there is no API server to ask. */
  async #isGone(session: Session): Promise<boolean> {
    return this.#clusters.of(session.config).then(
      () => false,
      (error: unknown) => error instanceof UnreachableError,
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
    { inputs, preview, urn, ...more }: Pick<UpdateRequest, "inputs" | "preview" | "urn" | "ignoreChanges">,
    kind: Kind,
    fieldManager: string,
    session: Session,
  ): Write {
    const object = toObject(hasUnknown(inputs) ? {} : inputs);
    return {
      kind: liveKind(kind, inputs.kind),
      object,
      patch: isPatch(kind, inputs.kind),
      ignored: more.ignoreChanges ?? [],
      fieldManager: annotationOf(object, annotations.patchFieldManager) ?? fieldManager,
      force: forces(object, this.#settings(session).enablePatchForce),
      preview,
      signal: session.signal,
      onRetry: (text) => void session.log(urn, "info", text, true),
    };
  }

  #settings(session: Session): Settings {
    return settingsOf(session.config, this.#upsert);
  }

  async #warn(urn: string, { warnings }: Written, session: Session): Promise<void> {
    const { suppressDeprecationWarnings } = this.#settings(session);
    for (const warning of warnings) {
      if (suppressDeprecationWarnings && /deprecated/i.test(warning)) continue;
      await session.log(urn, "warning", warning);
    }
  }
}
