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

/** What the real provider calls its other resources, by the first part of the module. */
const notServed = /^kubernetes:(yaml|helm\.sh|kustomize|index)(\/|:)/;

/**
 * The kind behind a Pulumi token: `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Pod`, or that of any custom resource.
 * @throws Error for a token that names no kind, or one of the real provider's other resources
 */
export function kindOfToken(token: string): Kind {
  const [, module = "", kind = ""] = token.split(":");
  const [group = "", version = "", ...more] = module.split("/");
  if (notServed.test(token)) {
    throw new Error(
      `the sandbox does not serve '${token}': it serves single objects of any kind; of manifests and charts, declare the objects`,
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

/** The SDK's `…Patch` resources: their token ends in it, their `kind` does not. */
export function isPatch(kind: Kind): boolean {
  return kind.kind.endsWith("Patch") && isBuiltIn(kind);
}

/** The kind of the object behind a `…Patch` resource. */
export function liveKind(kind: Kind): Kind {
  return isPatch(kind) ? { ...kind, kind: kind.kind.replace(/Patch$/, "") } : kind;
}
