import type { DiffRequest, Session } from "../provider.ts";
import { annotations } from "./annotations.ts";
import { mapAt } from "./check.ts";
import type { Clusters } from "./clusters.ts";
import { conditionOf, idOf, type KubeObject, textAt } from "./json.ts";
import { type Kind, kindKey } from "./kinds.ts";
import { liveObject } from "./remove.ts";

/** Whether the program wants an object that is not ready to be made anew (`pulumi.com/replaceUnready`). */
export function replacesUnready({ inputs }: Pick<DiffRequest, "inputs">): boolean {
  return mapAt(mapAt(inputs, "metadata"), "annotations")[annotations.replaceUnready] === "true";
}

/** Whether a Job has not succeeded yet. Of what cannot be looked at, and of other kinds, it is said that they stay. */
export async function isUnready(
  clusters: Clusters,
  kind: Kind,
  request: Pick<DiffRequest, "urn" | "oldOutputs">,
  session: Session,
): Promise<boolean> {
  const warn = (text: string) => session.log(request.urn, "warning", text);
  if (kindKey(kind) !== "batch/v1/Job") {
    await warn("replaceUnready annotation is not supported for this resource");
    return false;
  }
  try {
    const cluster = await clusters.of(session.config);
    const metadata = mapAt(request.oldOutputs, "metadata") as KubeObject;
    const job = await liveObject(cluster, kind, idOf({ metadata }), session.signal);
    if (job === undefined) return false;
    const started = textAt(job, "status", "startTime") !== undefined;
    return !started || conditionOf(job, "Complete")?.status !== "True";
  } catch (error) {
    session.signal.throwIfAborted();
    await warn(
      `skipping the replaceUnready check: ${error instanceof Error ? error.message : String(error)}`,
    );
    return false;
  }
}
