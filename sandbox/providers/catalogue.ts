import { coreTypes } from "./core-types.ts";
import { dataTypes } from "./data-types.ts";
import type { ResourceType } from "./types.ts";
import { webTypes } from "./web-types.ts";

/*
 * Inputs, outputs and API versions: the `.js` and `.d.ts` of each type in @pulumi/azure-native 3.28.0. What forces a
 * replacement: its provider's list, x-ms-mutability of the REST specifications, and ARM's own refusals.
 */

const types: readonly ResourceType[] = [...coreTypes, ...dataTypes, ...webTypes];

const byToken: ReadonlyMap<string, ResourceType> = new Map(
  types.map((type) => [type.token.toLowerCase(), type]),
);

/** Every type that the sandbox serves. */
export function resourceTypes(): readonly ResourceType[] {
  return types;
}

/**
 * The type of a Pulumi token such as `azure-native:web:WebApp` (`azure-native:web/v20250501:WebApp` is the same type at
 * a version of its own choice, which the sandbox does not tell apart), or undefined when it is not served.
 */
export function findType(token: string): ResourceType | undefined {
  const [, module = "", name = ""] = token.split(":");
  return byToken.get(`${module.split("/")[0]}:${name}`.toLowerCase());
}
