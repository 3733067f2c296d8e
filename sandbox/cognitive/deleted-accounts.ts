import type { Cloud } from "../core/cloud.ts";
import type { Resource } from "../core/resources.ts";
import { accountType, deploymentType, hiddenOf, propertiesOf, subdomains } from "./state.ts";

/** How long a deleted account can be restored and holds its name, subdomain and quota. Source: Azure's documentation. */
export const retentionMs = 48 * 60 * 60 * 1000;

/** A soft-deleted account with the deployments it was deleted with. Times are in sandbox milliseconds. */
export interface DeletedAccount {
  readonly account: Resource;
  readonly deployments: readonly Resource[];
  readonly deletedAt: number;
  readonly purgesAt: number;
}

/** The soft-deleted accounts; one whose time has run out is gone the moment anybody looks. */
export class DeletedAccounts {
  readonly #cloud: Cloud;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  list(): DeletedAccount[] {
    const all = this.#all();
    for (const [id, each] of all.entries()) {
      if (each.purgesAt <= this.#cloud.clock.now()) this.#drop(id, each);
    }
    return all.values();
  }

  /** By the ARM id that the account had. */
  get(accountId: string): DeletedAccount | undefined {
    const wanted = accountId.toLowerCase();
    return this.list().find((each) => each.account.id.toLowerCase() === wanted);
  }

  holdsSubdomain(subdomain: string): boolean {
    return this.list().some(
      ({ account }) => String(propertiesOf(account).customSubDomainName ?? "").toLowerCase() === subdomain,
    );
  }

  add(account: Resource, deployments: readonly Resource[]): void {
    const deletedAt = this.#cloud.clock.now();
    this.#all().put(account.id.toLowerCase(), {
      account,
      deployments,
      deletedAt,
      purgesAt: deletedAt + retentionMs,
    });
  }

  /** Takes it out of the deleted ones without ending it: it is being restored. */
  take(accountId: string): DeletedAccount | undefined {
    const found = this.get(accountId);
    if (found !== undefined) this.#all().delete(accountId.toLowerCase());
    return found;
  }

  purge(accountId: string): void {
    const found = this.get(accountId);
    if (found !== undefined) this.#drop(accountId.toLowerCase(), found);
  }

  #drop(key: string, deleted: DeletedAccount): void {
    this.#cloud.store.transaction(() => {
      const { identityClientId } = hiddenOf(deleted.account);
      if (identityClientId !== undefined) this.#cloud.principals.remove(identityClientId);
      this.#all().delete(key);
    });
  }

  #all() {
    return this.#cloud.store.collection<DeletedAccount>("deleted-accounts");
  }
}

/** Whatever takes an account away (its own DELETE, its group's) soft-deletes it, together with its deployments. */
export function softDeleteOnRemove(cloud: Cloud, deleted: DeletedAccounts): void {
  cloud.resources.onRemove(accountType, (account, removed) => {
    const below = `${account.id.toLowerCase()}/`;
    const subdomain = propertiesOf(account).customSubDomainName;
    if (typeof subdomain === "string") subdomains(cloud).delete(subdomain.toLowerCase());
    deleted.add(
      account,
      removed.filter((each) => each.type === deploymentType && each.id.toLowerCase().startsWith(below)),
    );
  });
}
