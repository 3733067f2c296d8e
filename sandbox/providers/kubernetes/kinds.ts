/** A kind of object at a version of its API; the core group has no name. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export function apiVersionOf({ group, version }: Pick<Kind, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

/** `apps/v1/Deployment`, `v1/Pod` */
export function kindKey(kind: Kind): string {
  return `${apiVersionOf(kind)}/${kind.kind}`;
}

/** The kind of an object as it says it itself: `apps/v1` and `Deployment`. */
export function kindOfApiVersion(apiVersion: string, kind: string): Kind {
  const [group = "", version] = apiVersion.split("/");
  return version === undefined ? { group: "", version: group, kind } : { group, version, kind };
}

/** What the real provider calls its other resources, by the first part of the module. */
const notServed = /^kubernetes:(yaml|helm\.sh|kustomize|index)(\/|:)/;
/** What may be done in their place. */
const instead: Readonly<Record<string, string>> = {
  "helm.sh":
    "there is no Helm in it. Render the chart with `helm template`, and read the file with yaml.ConfigFile",
  kustomize:
    "there is no Kustomize in it. Render the folder with `kubectl kustomize`, and read the file with yaml.ConfigFile",
};

/**
 * The kind behind a Pulumi token: `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Pod`, or that of any custom resource.
 * @throws Error for a token that names no kind, or one of the real provider's other resources
 */
export function kindOfToken(token: string): Kind {
  const [, module = "", kind = ""] = token.split(":");
  const [group = "", version = "", ...more] = module.split("/");
  const [, other] = notServed.exec(token) ?? [];
  if (other !== undefined) {
    throw new Error(
      `the sandbox does not serve '${token}': ${instead[other] ?? "it serves single objects of any kind"}`,
    );
  }
  if (version === "" || kind === "" || more.length > 0) {
    throw new Error(`apiVersion does not have both a group and a version: "${module}"`);
  }
  return { group: group === "core" ? "" : group, version, kind };
}

/** Groups of the API server's own kinds, in which the SDK has a `…Patch` and a `…List` for each. */
export function isBuiltIn({ group }: Kind): boolean {
  return !group.includes(".") || group.endsWith(".k8s.io");
}

/** The SDK's `…List` resources exist for manifests, and no API server takes them. */
export function isList(kind: Kind): boolean {
  return kind.kind.endsWith("List") && isBuiltIn(kind);
}

/**
 * Whether a resource is one of the SDK's `…Patch` resources: their token ends in it, their `kind` does not.
 * @param named `kind` of the inputs. It tells a patch of an object from an object of a definition that is called so; the API
 *   server's own kinds need none.
 */
export function isPatch(kind: Kind, named?: unknown): boolean {
  return `${String(named)}Patch` === kind.kind || (kind.kind.endsWith("Patch") && isBuiltIn(kind));
}

/** The kind of the object behind a resource, be it a `…Patch`. @param named as of {@link isPatch} */
export function liveKind(kind: Kind, named?: unknown): Kind {
  return isPatch(kind, named) ? { ...kind, kind: kind.kind.replace(/Patch$/, "") } : kind;
}
