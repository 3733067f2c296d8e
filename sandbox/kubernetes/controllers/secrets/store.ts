import type { Cluster } from "../runtime/cluster.ts";
import { type Kind, kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import { isBeingDeleted, keyOf, splitKey } from "../runtime/objects.ts";
import { conditionOf } from "./refresh.ts";
import { marks, SecretProblem, type SecretStore } from "./types.ts";
import { audiencesOf, identityOf, type MakeVaultReader, type VaultReader } from "./vault.ts";

/** Readers by who reads what, kept so that a token is asked for once in its life. */
export class VaultReaders {
  readonly #make: MakeVaultReader;
  readonly #readers = new Map<string, Promise<VaultReader>>();

  constructor(make: MakeVaultReader) {
    this.#make = make;
  }

  /**
   * @param namespace whose service account a namespaced store's reader is
   * @throws SecretProblem
   */
  async of(store: SecretStore, namespace: string, cluster: Cluster): Promise<VaultReader> {
    const { azurekv } = store.spec.provider;
    if (azurekv === undefined) {
      const [provider = "none"] = Object.keys(store.spec.provider);
      throw new SecretProblem(`provider '${provider}' is not known to the sandbox; azurekv is`);
    }
    const ref = azurekv.serviceAccountRef;
    const of = store.kind === "ClusterSecretStore" ? (ref?.namespace ?? namespace) : namespace;
    const account = cluster.get(kinds.serviceAccount, of, ref?.name ?? "");
    const { tenantId, clientId } = identityOf(azurekv, account, marks);
    const id = JSON.stringify([azurekv.vaultUrl, tenantId, clientId, account?.metadata.uid]);
    const known = this.#readers.get(id);
    if (known !== undefined) return known;
    const token = () => cluster.api.tokenFor(of, ref?.name ?? "", audiencesOf(azurekv));
    const made = this.#make(azurekv.vaultUrl, { tenantId, clientId, token });
    this.#readers.set(id, made);
    return made;
  }
}

/** External Secrets' look at a store: whether a reader can be made of it. It reads nothing. */
export function storeController(kind: Kind, readers: VaultReaders): Controller {
  return {
    name: kind.plural,
    of: kind,
    also: [
      {
        kind: kinds.serviceAccount,
        keysOf: (account, cluster) =>
          cluster
            .list<SecretStore>(kind, kind.namespaced ? account.metadata.namespace : undefined)
            .filter(({ spec }) => spec.provider.azurekv?.serviceAccountRef?.name === account.metadata.name)
            .map(keyOf),
      },
    ],
    reconcile: async (key, cluster) => {
      const { namespace, name } = splitKey(key);
      const store = cluster.get<SecretStore>(kind, namespace, name);
      if (store === undefined || isBeingDeleted(store)) return undefined;
      const now = new Date(cluster.timers.now()).toISOString().replace(/\.\d+Z$/, "Z");
      const before = store.status?.conditions;
      try {
        await readers.of(store, namespace ?? "", cluster);
        const valid = { status: "True" as const, reason: "Valid", message: "store validated" };
        await cluster.setStatus(kind, store, {
          capabilities: "ReadOnly",
          conditions: [conditionOf(before, valid, now)],
        });
      } catch (error) {
        if (!(error instanceof SecretProblem)) throw error;
        await cluster.tell(store, "Warning", "InvalidProviderConfig", error.message, kind);
        const invalid = {
          status: "False" as const,
          reason: "InvalidProviderConfig",
          message: "unable to create client",
        };
        await cluster.setStatus(kind, store, { conditions: [conditionOf(before, invalid, now)] });
      }
      return undefined;
    },
  };
}
