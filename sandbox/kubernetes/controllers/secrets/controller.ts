import { ApiError } from "../runtime/api.ts";
import type { Cluster } from "../runtime/cluster.ts";
import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import { controllerOf, isBeingDeleted, keyOf, type Secret, splitKey } from "../runtime/objects.ts";
import { backoffMs } from "../runtime/queue.ts";
import { dueInMs, externalSecretStatus, type Outcome } from "./refresh.ts";
import type { VaultReaders } from "./store.ts";
import { targetName, targetSecret, type Values } from "./template.ts";
import { type ExternalSecret, type RemoteRef, SecretProblem, type SecretStore } from "./types.ts";
import type { VaultReader } from "./vault.ts";

/** Pauses between attempts at a vault that refuses, in milliseconds: a fresh grant takes a while to take effect. */
const firstPauseMs = 500;
const lastPauseMs = 15_000;

/** External Secrets' main loop: what a vault has becomes a Secret. No value is ever told to anybody but the API server. */
export function externalSecretController(readers: VaultReaders): Controller {
  const failures = new Map<string, number>();
  return {
    name: "external-secrets",
    of: kinds.externalSecret,
    owns: [kinds.secret],
    also: [
      {
        kind: kinds.secretStore,
        keysOf: ({ metadata }, cluster) => usersOf("SecretStore", metadata.name, cluster, metadata.namespace),
      },
      {
        kind: kinds.clusterSecretStore,
        keysOf: ({ metadata }, cluster) => usersOf("ClusterSecretStore", metadata.name, cluster),
      },
    ],
    reads: [kinds.serviceAccount],
    reconcile: async (key, cluster) => {
      const { namespace = "", name } = splitKey(key);
      const external = cluster.get<ExternalSecret>(kinds.externalSecret, namespace, name);
      if (external === undefined || isBeingDeleted(external)) {
        failures.delete(key);
        return undefined;
      }
      const target = cluster.get<Secret>(kinds.secret, namespace, targetName(external));
      const due = dueInMs(external, target, cluster.timers.now());
      if (due !== 0) return due === undefined ? undefined : { againInMs: due };
      const outcome = await synchronize(external, readers, cluster);
      const now = new Date(cluster.timers.now()).toISOString();
      const status = externalSecretStatus(
        external,
        outcome,
        targetName(external),
        now.replace(/\.\d+Z$/, "Z"),
      );
      await cluster.setStatus(kinds.externalSecret, external, status);
      if ("done" in outcome) {
        failures.delete(key);
        // Then the Secret that was written has been seen, and the next time is reckoned from it.
        return { againInMs: 1_000 };
      }
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      return { againInMs: backoffMs(count, firstPauseMs, lastPauseMs) };
    },
  };
}

async function synchronize(
  external: ExternalSecret,
  readers: VaultReaders,
  cluster: Cluster,
): Promise<Outcome> {
  const { namespace = "" } = external.metadata;
  const { deletionPolicy = "Retain", creationPolicy = "Owner" } = external.spec.target ?? {};
  const known = cluster.get<Secret>(kinds.secret, namespace, targetName(external));
  let doing = "could not get secret data from provider";
  try {
    const reader = await readers.of(storeOf(external, cluster), namespace, cluster);
    const values = await valuesOf(external, reader);
    doing = "could not update secret";
    if (Object.keys(values).length === 0 && deletionPolicy === "Delete") {
      if (known !== undefined) await cluster.remove(kinds.secret, known);
      return { done: "SecretDeleted" };
    }
    if (creationPolicy === "None") return { done: "SecretSynced" };
    if (creationPolicy === "Merge" && known === undefined) return { done: "SecretMissing" };
    const owner = known === undefined ? undefined : controllerOf(known);
    if (owner?.kind === "ExternalSecret" && owner.uid !== external.metadata.uid) {
      throw new SecretProblem("target is owned by another ExternalSecret");
    }
    await cluster.ensure(kinds.secret, targetSecret(external, values));
    return { done: "SecretSynced" };
  } catch (error) {
    if (!(error instanceof SecretProblem || error instanceof ApiError)) throw error;
    await cluster.tell(external, "Warning", "UpdateFailed", error.message, kinds.externalSecret);
    return { failed: doing };
  }
}

function storeOf(external: ExternalSecret, cluster: Cluster): SecretStore {
  const { name = "", kind = "SecretStore" } = external.spec.secretStoreRef ?? {};
  const store =
    kind === "ClusterSecretStore"
      ? cluster.get<SecretStore>(kinds.clusterSecretStore, undefined, name)
      : cluster.get<SecretStore>(kinds.secretStore, external.metadata.namespace, name);
  if (store === undefined) throw new SecretProblem(`${kind} '${name}' does not exist`);
  return store;
}

async function valuesOf(external: ExternalSecret, reader: VaultReader): Promise<Values> {
  const { data = [], dataFrom = [], target } = external.spec;
  const forgives = (target?.deletionPolicy ?? "Retain") !== "Retain";
  const values: Record<string, string> = {};
  const read = async (where: string, ref: RemoteRef): Promise<string | undefined> => {
    const value = await reader.read(ref);
    if (value === undefined && !forgives) {
      throw new SecretProblem(`error processing ${where} (key: ${ref.key}), err: Secret does not exist`);
    }
    return value;
  };
  for (const [index, each] of dataFrom.entries()) {
    if (each.extract === undefined) {
      throw new SecretProblem(`spec.dataFrom[${index}]: the sandbox knows 'extract' only`);
    }
    const value = await read(`spec.dataFrom[${index}].extract`, each.extract);
    if (value !== undefined) Object.assign(values, fieldsOf(value, each.extract));
  }
  for (const [index, { secretKey, remoteRef }] of data.entries()) {
    const where = `spec.data[${index}]`;
    const value = await read(where, remoteRef);
    if (value === undefined) continue;
    const field = remoteRef.property === undefined ? value : fieldsOf(value, remoteRef)[remoteRef.property];
    if (field === undefined) {
      throw new SecretProblem(
        `error processing ${where} (key: ${remoteRef.key}), err: property ${remoteRef.property} does not exist`,
      );
    }
    values[secretKey] =
      remoteRef.decodingStrategy === "Base64" ? Buffer.from(field, "base64").toString("utf8") : field;
  }
  return values;
}

/** Fields of a value that is JSON; what the parser would say of it stays unsaid, since it quotes. */
function fieldsOf(value: string, { key }: RemoteRef): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    throw new SecretProblem(`the value of '${key}' is not JSON`);
  }
  if (typeof parsed !== "object" || parsed === null) {
    throw new SecretProblem(`the value of '${key}' is not a JSON object`);
  }
  return Object.fromEntries(
    Object.entries(parsed).map(([name, each]) => [
      name,
      typeof each === "string" ? each : JSON.stringify(each),
    ]),
  );
}

function* usersOf(kind: string, name: string, cluster: Cluster, namespace?: string): Iterable<string> {
  for (const external of cluster.list<ExternalSecret>(kinds.externalSecret, namespace)) {
    const ref = external.spec.secretStoreRef;
    if (ref?.name === name && (ref.kind ?? "SecretStore") === kind) yield keyOf(external);
  }
}
