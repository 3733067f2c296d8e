import type { ResourceShape } from "./shape.ts";
import type { ValueMap } from "./values.ts";

/** How a name comes about that the program leaves out. */
export type AutoName = "random" | "copy" | "uuid";

/** One resource type of azure-native: all that translating it to ARM needs. */
export interface ResourceType {
  /** Without the package: `web:WebApp`. */
  readonly token: string;
  readonly apiVersion: string;
  /** ARM id with the SDK's input names in braces; `subscriptionId` is the provider's. */
  readonly path: string;
  readonly shape: ResourceShape;
  /** Inputs (dotted paths) that must be there, beside the parameters of the path. */
  readonly required?: readonly string[];
  /** The name that is made up when it is left out. */
  readonly naming?: { readonly parameter: string; readonly auto: AutoName };
  /** What a path parameter must look like. Source: the type's REST specification. */
  readonly patterns?: Readonly<Record<string, RegExp>>;
  /** Inputs (dotted paths) beside the path's that cannot change on a live resource. */
  readonly replaceOn?: readonly string[];
  /** Inputs (dotted paths) that can be added to a live resource, and then neither change nor go. */
  readonly fixedOnceSet?: readonly string[];
  /** What the service assumes of an input that is left out; an import leaves these out. */
  readonly defaults?: ValueMap;
  /** Read by a POST to this path below the id, for what ARM does not show to a GET. */
  readonly readByPost?: string;
  /** A part of the output that has an address of its own below the id. */
  readonly separate?: { readonly output: string; readonly path: string };
  /** Always there while its parent is: created by overwriting, deleted by this body (or not at all). */
  readonly singleton?: { readonly reset?: ValueMap };
  readonly deleteQuery?: Readonly<Record<string, string>>;
  /** Deleted on the vault's own host, for ARM cannot. */
  readonly deleteOnVault?: boolean;
}

/** The names in braces of a path, in order. */
export function pathParameters(type: ResourceType): string[] {
  return [...type.path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) =>
    name === undefined || name === "subscriptionId" ? [] : [name],
  );
}

/** The id of a resource. The parameters must be known strings. */
export function resourceId(
  type: Pick<ResourceType, "path">,
  subscriptionId: string,
  inputs: ValueMap,
): string {
  return type.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = name === "subscriptionId" ? subscriptionId : inputs[name];
    if (typeof value !== "string") throw new Error(`'${name}' has no value`);
    return name === "scope" ? value.replace(/^\/+|\/+$/g, "") : encodeURIComponent(value);
  });
}

/** The parameters of an id, or undefined when it is not one of this type. ARM ids have no case. */
export function parseResourceId(type: ResourceType, id: string): Record<string, string> | undefined {
  const pattern = type.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === "scope" ? "(?<scope>.+)" : `(?<${name}>[^/]+)`,
  );
  const found = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("\\.+", ".+")}/?$`, "i").exec(
    id,
  )?.groups;
  if (found === undefined) return undefined;
  const { subscriptionId: _, ...parameters } = found;
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      name === "scope" ? scopeOf(value ?? "") : decodeURIComponent(value ?? ""),
    ]),
  );
}

function scopeOf(scope: string): string {
  return `/${scope.replace(/^\/+/, "")}`;
}
