import { CloudError } from "./errors.ts";
import type { Collection } from "./store.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** An ARM resource as the cloud keeps it. */
export interface Resource {
  /** In the case that it was created with. */
  readonly id: string;
  /** `Microsoft.KeyVault/vaults`. */
  readonly type: string;
  readonly name: string;
  readonly resourceGroup: string;
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Everything else that a GET shows: properties, sku, kind, identity, … */
  readonly body: JsonObject;
  /** What the service keeps to itself: keys, counters. Never shown. */
  readonly hidden?: JsonObject;
  readonly createdAt: number;
}

/** What happens beside a removal; `removed` is everything that goes in the same stroke, children before parents. */
type RemovalHook = (resource: Resource, removed: readonly Resource[]) => void;

/** The live resources of the subscription, found by ARM id without regard to case. */
export class Resources {
  readonly #all: Collection<Resource>;
  readonly #removals: { type: string | undefined; hook: RemovalHook }[] = [];

  constructor(all: Collection<Resource>) {
    this.#all = all;
  }

  get(id: string): Resource | undefined {
    return this.#all.get(key(id));
  }

  /** @throws CloudError 404 `ResourceNotFound` / `ResourceGroupNotFound`, as ARM words it. */
  require(id: string): Resource {
    const found = this.get(id);
    if (found !== undefined) return found;
    const segments = id.split("/").filter((segment) => segment !== "");
    const group = segments[3] ?? "";
    const groupId = `/${segments.slice(0, 4).join("/")}`;
    if (segments[2]?.toLowerCase() === "resourcegroups" && this.get(groupId) === undefined)
      throw groupNotFound(group);
    const provider = segments.slice(5);
    const types = provider.filter((_, index) => index === 0 || index % 2 === 1).join("/");
    const names = provider.filter((_, index) => index > 0 && index % 2 === 0).join("/");
    throw new CloudError(
      404,
      "ResourceNotFound",
      `The Resource '${types}/${names}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
    );
  }

  put(resource: Resource): Resource {
    this.#all.put(key(resource.id), resource);
    return resource;
  }

  /** Changes what is there; nothing when it is gone. */
  update(id: string, change: (resource: Resource) => Resource): Resource | undefined {
    const found = this.get(id);
    return found === undefined ? undefined : this.put(change(found));
  }

  /** Says what else happens when a resource of this type (or, without a type, any resource) goes away. */
  onRemove(type: string | undefined, hook: RemovalHook): void {
    this.#removals.push({ type: type?.toLowerCase(), hook });
  }

  /**
   * Takes a resource away with everything below it, deepest first, running what the services said of it: soft delete,
   * stopping a process, dropping the role assignments. Run it in a transaction of the store.
   */
  remove(id: string): boolean {
    const below = this.under(id).sort((a, b) => b.id.length - a.id.length);
    const self = this.get(id);
    const removed = self === undefined ? below : [...below, self];
    for (const resource of removed) {
      if (!this.#all.delete(key(resource.id))) continue;
      for (const { type, hook } of this.#removals) {
        if (type === undefined || type === resource.type.toLowerCase()) hook(resource, removed);
      }
    }
    return self !== undefined;
  }

  ofType(type: string): Resource[] {
    const wanted = type.toLowerCase();
    return this.#all.values().filter((resource) => resource.type.toLowerCase() === wanted);
  }

  /** Everything below an id (not itself): the children of an account, the content of a group. */
  under(id: string): Resource[] {
    const prefix = `${key(id)}/`;
    return this.#all
      .entries()
      .filter(([each]) => each.startsWith(prefix))
      .map(([, resource]) => resource);
  }
}

export function groupNotFound(group: string): CloudError {
  return new CloudError(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);
}

function key(id: string): string {
  return id.toLowerCase().replace(/\/+$/, "");
}

/** What a GET of the resource answers. */
export function envelope(resource: Resource): JsonObject {
  return {
    id: resource.id,
    name: resource.name,
    type: resource.type,
    ...(resource.location === undefined ? {} : { location: resource.location }),
    ...(resource.tags === undefined ? {} : { tags: resource.tags }),
    ...resource.body,
  };
}
