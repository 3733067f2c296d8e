import { exitCodes, KilnError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { State } from "../state.ts";
import { clusterLabels, refOf } from "./objects.ts";

/**
 * Holds a run that would take another cluster for the environment's, one with none of the namespaces on record: `up` would build
 * everything anew there, `down` would forget everything where it is. What a killed run left half-deleted is healed, not held. (The
 * sandbox has one cluster only.)
 * @throws KilnError `NothingInCluster`
 */
export async function refuseOtherCluster(
  { target, config, clients, resolved }: Pick<Session, "target" | "config" | "clients" | "resolved">,
  { resources, pending }: Pick<State, "resources" | "pending">,
): Promise<void> {
  if (target.name !== "azure" || !config.serving.enabled || pending.length > 0) return;
  const refs = resources.flatMap((resource) => refOf(resource) ?? []);
  const namespaces = refs.filter(({ apiVersion, kind }) => apiVersion === "v1" && kind === "Namespace");
  if (namespaces.length === 0) return;
  const { environment } = resolved;
  const found = await (await clients.cluster()).find(namespaces, clusterLabels(environment));
  if (found.size > 0) return;
  const { kubeconfig, context } = target.cluster ?? {};
  const names = namespaces.map(({ name }) => name).join(", ");
  throw new KilnError(
    {
      code: "NothingInCluster",
      message: `the cluster has none of the namespaces of ${environment}`,
      cause: `On record are ${names}. Either someone deleted all of them, or ${kubeconfig ?? "the kubeconfig"}, context ${context ?? "current"}, leads to another cluster than the one that they are in. Nothing was touched.`,
      next: "Lead it to the right cluster (KUBECONFIG, kiln:serving.cluster.context). If they were deleted on purpose, set kiln:serving.enabled to false and run `kiln up` once: that forgets them.",
    },
    exitCodes.failed,
  );
}
