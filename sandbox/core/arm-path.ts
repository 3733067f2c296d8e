import { CloudError } from "./errors.ts";

/** An ARM path taken apart. Of an extension resource (`…/providers/A/…/providers/B/…`) only the last provider counts. */
export interface ArmPath {
  readonly subscription: string | undefined;
  readonly resourceGroup: string | undefined;
  /** `Microsoft.KeyVault`; undefined for subscriptions and resource groups themselves. */
  readonly namespace: string | undefined;
  readonly types: readonly string[];
  readonly names: readonly string[];
  /** A last segment that names no resource: a collection (`GET …/vaults`) or an action (`POST …/listKeys`). */
  readonly tail: string | undefined;
  /** What an extension resource extends; for others the path itself. */
  readonly scope: string;
}

export function parseArmPath(path: string): ArmPath {
  const segments = path.split("/").filter((segment) => segment !== "");
  const lower = segments.map((segment) => segment.toLowerCase());
  const subscription = lower[0] === "subscriptions" ? segments[1] : undefined;
  const resourceGroup = subscription !== undefined && lower[2] === "resourcegroups" ? segments[3] : undefined;
  const at = lower.lastIndexOf("providers");
  if (at === -1) {
    const types = subscription === undefined ? [] : ["subscriptions"];
    const tail = lower.length % 2 === 1 ? segments.at(-1) : undefined;
    return {
      subscription,
      resourceGroup,
      namespace: undefined,
      types: resourceGroup === undefined ? types : ["subscriptions", "resourceGroups"],
      names: [subscription, resourceGroup].filter((name) => name !== undefined),
      tail,
      scope: path,
    };
  }
  const rest = segments.slice(at + 2);
  const paired = rest.length - (rest.length % 2);
  return {
    subscription,
    resourceGroup,
    namespace: segments[at + 1],
    types: rest.slice(0, paired).filter((_, index) => index % 2 === 0),
    names: rest.slice(0, paired).filter((_, index) => index % 2 === 1),
    tail: rest.length % 2 === 1 ? rest.at(-1) : undefined,
    scope: lower.indexOf("providers") === at ? path : `/${segments.slice(0, at).join("/")}`,
  };
}

/** The permission a request needs, such as `Microsoft.KeyVault/vaults/write`. */
export function actionOf(method: string, path: ArmPath): string {
  const types =
    path.namespace === undefined ? ["Microsoft.Resources", ...path.types] : [path.namespace, ...path.types];
  const collection = path.tail === undefined ? types : [...types, path.tail];
  switch (method) {
    case "GET":
    case "HEAD":
      return [...collection, "read"].join("/");
    case "DELETE":
      return [...types, "delete"].join("/");
    case "POST":
      return [...collection, "action"].join("/");
    default:
      return [...collection, "write"].join("/");
  }
}

const resourceGroupName = /^[-\w._()]{0,89}[-\w_()]$/;

export function requireResourceGroupName(name: string): void {
  if (!resourceGroupName.test(name)) {
    throw new CloudError(
      400,
      "InvalidResourceGroup",
      `The provided resource group name '${name}' is not valid: at most 90 letters, digits, '-', '_', '(', ')' and '.', not ending in '.'.`,
    );
  }
}
