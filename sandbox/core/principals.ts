import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import type { Mint } from "./minted.ts";
import type { Collection } from "./store.ts";

/** Someone who can sign in: a service principal of the sandbox, or a managed identity. */
export interface Principal {
  /** `owner`, `contributor`, `reader`, `stranger`; for a managed identity its ARM id. */
  readonly name: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly kind: "ServicePrincipal" | "ManagedIdentity";
  /** SHA-256 of the client secret; managed identities have none. */
  readonly secretHash?: string;
  /** Sandbox time from which the directory has replicated it everywhere. */
  readonly knownFrom: number;
}

/** The principals that every sandbox has, with the role that each holds on the subscription from the start. */
export const knownPrincipals = {
  owner: "Owner",
  contributor: "Contributor",
  reader: "Reader",
  stranger: undefined,
} as const;

export type KnownPrincipal = keyof typeof knownPrincipals;

/** The sandbox's directory: one tenant and who can sign in to it. */
export class Principals {
  readonly #all: Collection<Principal>;
  readonly #mint: Mint;

  constructor(all: Collection<Principal>, mint: Mint) {
    this.#all = all;
    this.#mint = mint;
  }

  list(): Principal[] {
    return this.#all.values();
  }

  byName(name: string): Principal | undefined {
    return this.list().find((principal) => principal.name === name);
  }

  byClientId(clientId: string): Principal | undefined {
    return this.#all.get(clientId.toLowerCase());
  }

  byObjectId(objectId: string): Principal | undefined {
    const wanted = objectId.toLowerCase();
    return this.list().find((principal) => principal.objectId === wanted);
  }

  /** Makes a service principal; its secret is given out this once. */
  createService(name: string): { principal: Principal; secret: string } {
    const secret = this.#mint.clientSecret(name);
    const principal: Principal = {
      name,
      clientId: randomUUID(),
      objectId: randomUUID(),
      kind: "ServicePrincipal",
      secretHash: hash(secret),
      knownFrom: 0,
    };
    this.#all.put(principal.clientId, principal);
    return { principal, secret };
  }

  createManagedIdentity(armId: string, knownFrom: number): Principal {
    const principal: Principal = {
      name: armId,
      clientId: randomUUID(),
      objectId: randomUUID(),
      kind: "ManagedIdentity",
      knownFrom,
    };
    this.#all.put(principal.clientId, principal);
    return principal;
  }

  remove(clientId: string): void {
    this.#all.delete(clientId.toLowerCase());
  }

  /** The identities go with the resources that they belonged to. */
  dropManagedIdentities(): void {
    for (const principal of this.list())
      if (principal.kind === "ManagedIdentity") this.remove(principal.clientId);
  }

  secretMatches(principal: Principal, secret: string): boolean {
    if (principal.secretHash === undefined) return false;
    return timingSafeEqual(Buffer.from(hash(secret)), Buffer.from(principal.secretHash));
  }
}

function hash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
