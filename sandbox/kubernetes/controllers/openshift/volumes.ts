import { amountOf } from "../../../providers/kubernetes/quantity.ts";
import type { Cluster } from "../runtime/cluster.ts";
import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import { isBeingDeleted, type KubeObject, splitKey } from "../runtime/objects.ts";

export interface Claim extends KubeObject {
  readonly spec: {
    readonly storageClassName?: string;
    readonly accessModes?: readonly string[];
    readonly volumeMode?: string;
    readonly volumeName?: string;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
    readonly dataSource?: unknown;
  };
  readonly status?: { readonly phase?: string; readonly capacity?: { readonly storage?: string } };
}

export interface StorageClass extends KubeObject {
  readonly provisioner: string;
  readonly reclaimPolicy?: string;
  readonly volumeBindingMode?: string;
  readonly mountOptions?: readonly string[];
}

export interface PersistentVolume extends KubeObject {
  readonly spec: {
    readonly capacity: { readonly storage: string };
    readonly persistentVolumeReclaimPolicy?: string;
    readonly claimRef?: { readonly namespace: string; readonly name: string; readonly uid?: string };
    readonly [field: string]: unknown;
  };
  readonly status?: { readonly phase?: string };
}

const selectedNode = "volume.kubernetes.io/selected-node";
const provisionedBy = "pv.kubernetes.io/provisioned-by";

/**
 * The volume that a provisioner makes for a claim, or nothing while it has to wait: a class that binds for the first consumer
 * waits for the scheduler to choose a node. Binding is the work of Kubernetes' own controller. Pure.
 */
export function volumeFor(
  claim: Claim,
  storageClass: StorageClass | undefined,
): PersistentVolume | undefined {
  const { uid = "", namespace = "", name, annotations } = claim.metadata;
  if (storageClass === undefined || (claim.spec.volumeName ?? "") !== "") return undefined;
  if (claim.status?.phase !== undefined && claim.status.phase !== "Pending") return undefined;
  const waits = storageClass.volumeBindingMode === "WaitForFirstConsumer";
  if (waits && annotations?.[selectedNode] === undefined) return undefined;
  const storage = claim.spec.resources?.requests?.storage;
  if (storage === undefined) return undefined;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: `pvc-${uid}`,
      annotations: { [provisionedBy]: storageClass.provisioner },
    },
    spec: {
      capacity: { storage },
      accessModes: claim.spec.accessModes ?? ["ReadWriteOnce"],
      volumeMode: claim.spec.volumeMode ?? "Filesystem",
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata.name,
      ...(storageClass.mountOptions === undefined ? {} : { mountOptions: storageClass.mountOptions }),
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid } as never,
      csi: { driver: storageClass.provisioner, volumeHandle: `sandbox/${uid}`, fsType: "ext4" },
    },
  };
}

/** Whether a bound claim asks for more than it has. Volumes never shrink. Pure. */
export function wantsToGrow(claim: Claim): string | undefined {
  const wanted = claim.spec.resources?.requests?.storage;
  const has = claim.status?.capacity?.storage;
  if (claim.status?.phase !== "Bound" || wanted === undefined || has === undefined) return undefined;
  return amountOf(wanted) > amountOf(has) ? wanted : undefined;
}

/** A volume of ours whose claim is gone, and which nobody wants to keep. Pure. */
export function isLeftOver(volume: PersistentVolume): boolean {
  return (
    volume.metadata.annotations?.[provisionedBy] !== undefined &&
    volume.status?.phase === "Released" &&
    volume.spec.persistentVolumeReclaimPolicy === "Delete"
  );
}

/** The storage driver: makes volumes for claims, lets them grow, removes them. They hold nothing. */
export const volumeController: Controller = {
  name: "volumes",
  of: kinds.volumeClaim,
  also: [
    {
      kind: kinds.volume,
      keysOf: (volume) => {
        const { claimRef } = (volume as PersistentVolume).spec;
        return claimRef === undefined ? [] : [`${claimRef.namespace}/${claimRef.name}`];
      },
    },
    {
      kind: kinds.storageClass,
      keysOf: (storageClass, cluster) =>
        cluster
          .list<Claim>(kinds.volumeClaim)
          .filter(({ spec }) => spec.storageClassName === storageClass.metadata.name)
          .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    },
  ],
  reconcile: async (key, cluster) => {
    const { namespace = "", name } = splitKey(key);
    await removeLeftOvers(namespace, name, cluster);
    const claim = cluster.get<Claim>(kinds.volumeClaim, namespace, name);
    if (claim === undefined || isBeingDeleted(claim)) return undefined;
    const storageClass = cluster.get<StorageClass>(
      kinds.storageClass,
      undefined,
      claim.spec.storageClassName ?? "",
    );
    const wanted = volumeFor(claim, storageClass);
    const made = wanted && cluster.get(kinds.volume, undefined, wanted.metadata.name);
    if (wanted !== undefined && made === undefined) await cluster.ensure(kinds.volume, wanted);
    await grow(claim, cluster);
    return undefined;
  },
};

async function grow(claim: Claim, cluster: Cluster): Promise<void> {
  const storage = wantsToGrow(claim);
  const volume = cluster.get(kinds.volume, undefined, claim.spec.volumeName ?? "");
  if (storage === undefined || volume === undefined) return;
  await cluster.api.merge(kinds.volume, volume, { spec: { capacity: { storage } } });
  await cluster.setStatus(kinds.volumeClaim, claim, { ...claim.status, capacity: { storage } });
}

async function removeLeftOvers(namespace: string, name: string, cluster: Cluster): Promise<void> {
  for (const volume of cluster.list<PersistentVolume>(kinds.volume)) {
    const { claimRef } = volume.spec;
    const ofClaim = claimRef?.namespace === namespace && claimRef.name === name;
    if (ofClaim && isLeftOver(volume) && !isBeingDeleted(volume)) await cluster.remove(kinds.volume, volume);
  }
}
