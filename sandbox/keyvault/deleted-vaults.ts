import type { Cloud } from "../core/cloud.ts";
import type { Resource } from "../core/resources.ts";
import { VaultSecrets } from "./secrets.ts";
import { vaultNames, vaultProperties, vaultType } from "./state.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** A soft-deleted vault; its secrets wait with it. Times are in sandbox milliseconds. */
export interface DeletedVault {
  readonly vault: Resource;
  readonly deletedAt: number;
  readonly purgesAt: number;
}

/** The soft-deleted vaults; one whose retention has run out is gone the moment anybody looks. */
export class DeletedVaults {
  readonly #cloud: Cloud;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  list(): DeletedVault[] {
    for (const each of this.#all().values()) {
      if (each.purgesAt <= this.#cloud.clock.now()) this.#drop(each);
    }
    return this.#all().values();
  }

  get(name: string): DeletedVault | undefined {
    return this.list().find((each) => each.vault.name.toLowerCase() === name.toLowerCase());
  }

  add(vault: Resource): void {
    const deletedAt = this.#cloud.clock.now();
    const days = vaultProperties(vault).softDeleteRetentionInDays;
    this.#all().put(vault.name.toLowerCase(), { vault, deletedAt, purgesAt: deletedAt + days * dayMs });
  }

  /** Takes it out of the deleted ones without ending it: it is being recovered. */
  take(name: string): Resource | undefined {
    const found = this.get(name);
    if (found !== undefined) this.#all().delete(name.toLowerCase());
    return found?.vault;
  }

  purge(name: string): void {
    const found = this.get(name);
    if (found !== undefined) this.#drop(found);
  }

  #drop({ vault }: DeletedVault): void {
    this.#cloud.store.transaction(() => {
      new VaultSecrets(this.#cloud, vault).dropAll();
      this.#all().delete(vault.name.toLowerCase());
    });
  }

  #all() {
    return this.#cloud.store.collection<DeletedVault>("deleted-vaults");
  }
}

/** Whatever takes a vault away (its own DELETE, its group's) soft-deletes it. */
export function softDeleteOnRemove(cloud: Cloud, deleted: DeletedVaults): void {
  cloud.resources.onRemove(vaultType, (vault) => {
    vaultNames(cloud).delete(vault.name.toLowerCase());
    deleted.add(vault);
  });
}
