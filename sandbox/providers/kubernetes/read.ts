import type { ReadRequest, Session } from "../provider.ts";
import { PartialFailure } from "../provider.ts";
import type { ValueMap } from "../values.ts";
import { UnreachableError } from "./api-error.ts";
import { newFieldManager } from "./apply.ts";
import { verdictNow } from "./await.ts";
import { driftInputs, importedInputs, toOutputs } from "./body.ts";
import type { Clusters, OpenCluster } from "./clusters.ts";
import { foundNotReady } from "./failures.ts";
import { idOf, type KubeObject, nameOf } from "./json.ts";
import { type Kind, kindKey } from "./kinds.ts";
import { readOnRefresh } from "./readiness.ts";
import { reasonsOf } from "./reasons.ts";
import { liveObject } from "./remove.ts";
import type { Settings } from "./settings.ts";
import { shortcomings } from "./shortcomings.ts";

/** What a resource's outputs tell of who manages its fields. */
export function managerOf(outputs: ValueMap): string | undefined {
  const manager = outputs.__fieldManager;
  return typeof manager === "string" ? manager : undefined;
}

/** What may be done where the cluster is gone. */
export const ifGone =
  "If the cluster was deleted, take the resource out of the state: by `pulumi state delete`, or by kubernetes:deleteUnreachable in the stack's configuration, which a refresh or a destroy goes by after an up. (The real provider takes PULUMI_K8S_DELETE_UNREACHABLE=true in the environment as well, which the sandbox's does not see.)";

/**
 * A resource as it is; undefined when it is gone.
 * @throws PartialFailure when a refresh finds it not ready
 */
export async function readObject(
  clusters: Clusters,
  kind: Kind,
  request: ReadRequest,
  settings: Settings,
  session: Session,
): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap } | undefined> {
  let cluster: OpenCluster;
  let object: KubeObject | undefined;
  try {
    cluster = await clusters.of(session.config);
    object = await liveObject(cluster, kind, request.id, session.signal);
  } catch (error) {
    const { inputs, outputs, id } = request;
    if (!(error instanceof UnreachableError)) throw error;
    await session.log(request.urn, "warning", error.message);
    if (settings.deleteUnreachable) return undefined;
    if (settings.skipUpdateUnreachable && inputs !== undefined) return { id, inputs, outputs };
    throw new Error(`failed to read resource state: ${error.message}. ${ifGone}`, {
      cause: error,
    });
  }
  if (object === undefined) return undefined;
  const manager = managerOf(request.outputs) ?? newFieldManager();
  const known = request.inputs ?? {};
  const imported = Object.keys(known).length === 0;
  const now = toOutputs(object, known, manager);
  const inputs = imported ? importedInputs(now) : driftInputs(known, request.outputs, now);
  const outputs = toOutputs(object, inputs, manager);
  if (!imported && readOnRefresh.has(kindKey(kind))) {
    const { verdict, slices } = await verdictNow(cluster, kind, object, session.signal);
    if (verdict !== undefined && verdict.state !== "ready") {
      const lacks = [
        verdict.message,
        ...shortcomings(kind, object, slices),
        ...(await reasonsOf(cluster, object)),
      ];
      const { message, reasons } = foundNotReady(nameOf(object), [...new Set(lacks)]);
      throw new PartialFailure(message, { id: request.id, outputs, inputs }, undefined, reasons);
    }
  }
  return { id: idOf(object), outputs, inputs };
}
