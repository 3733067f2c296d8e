import type { Condition, KubeObject } from "../runtime/objects.ts";

/** Where the cluster's applications are found. */
export const appsDomain = "apps.kiln.sandbox";

export interface RouteIngress {
  readonly host: string;
  readonly routerName: string;
  readonly routerCanonicalHostname?: string;
  readonly wildcardPolicy?: string;
  readonly conditions?: readonly Condition[];
}

export interface Route extends KubeObject {
  readonly spec: {
    readonly host?: string;
    readonly subdomain?: string;
    readonly path?: string;
    readonly to: { readonly kind: string; readonly name: string; readonly weight?: number };
    readonly tls?: { readonly termination: string; readonly [field: string]: unknown };
    readonly [field: string]: unknown;
  };
  readonly status?: { readonly ingress?: readonly RouteIngress[] };
}

/** The host at which a router lets a Route through; undefined until one does. Pure. */
export function admittedHost(route: Route): string | undefined {
  return route.status?.ingress?.find(({ conditions }) =>
    conditions?.some(({ type, status }) => type === "Admitted" && status === "True"),
  )?.host;
}

/** Whether a router has looked at a Route and does not let it through. Pure. */
export function isRefused(route: Route): boolean {
  return (route.status?.ingress ?? []).some(({ conditions }) =>
    conditions?.some(({ type, status }) => type === "Admitted" && status === "False"),
  );
}

/** The host that OpenShift gives a Route which names none. Pure. */
export function generatedHost(route: Route): string {
  const { name, namespace } = route.metadata;
  return `${route.spec.subdomain ?? `${name}-${namespace}`}.${appsDomain}`;
}

/**
 * What the router says of a Route, given all that ask for the same host: the oldest has it. A host belongs to the namespace of
 * the oldest; there each path may be asked for once.
 * Source: openshift/router pkg/router/controller (unique_host.go). Pure.
 * @param now ISO 8601
 */
export function admission(route: Route, sameHost: readonly Route[], now: string): RouteIngress {
  const host = route.spec.host ?? "";
  const older = sameHost
    .filter((other) => other.metadata.uid !== route.metadata.uid && isOlder(other, route))
    .sort((left, right) => (isOlder(left, right) ? -1 : 1));
  // Those of other namespaces than the oldest's have nothing, so they are in nobody's way.
  const [oldest] = older;
  const holder =
    oldest?.metadata.namespace === route.metadata.namespace
      ? older.find(
          ({ metadata, spec }) =>
            metadata.namespace === route.metadata.namespace && (spec.path ?? "") === (route.spec.path ?? ""),
        )
      : oldest;
  const refusal =
    host.length > 253 || host.split(".").some((label) => label.length > 63)
      ? {
          reason: "InvalidHost",
          message: `host name validation errors: '${host}' has a part longer than 63 characters`,
        }
      : holder === undefined
        ? undefined
        : {
            reason: "HostAlreadyClaimed",
            message:
              holder.metadata.namespace === route.metadata.namespace
                ? `route ${holder.metadata.name} already exposes ${host} and is older`
                : `a route in another namespace holds ${host} and is older than ${route.metadata.name}`,
          };
  const wanted = { status: refusal === undefined ? ("True" as const) : ("False" as const), ...refusal };
  const before = route.status?.ingress?.[0];
  const known = before?.conditions?.find(({ type }) => type === "Admitted");
  const same = before?.host === host && known?.status === wanted.status && known.reason === refusal?.reason;
  return {
    host,
    routerName: "default",
    routerCanonicalHostname: `router-default.${appsDomain}`,
    wildcardPolicy: "None",
    conditions: [
      {
        type: "Admitted",
        ...wanted,
        lastTransitionTime: same ? (known.lastTransitionTime ?? now) : now,
      },
    ],
  };
}

/** By the time of creation, then by namespace and name, so that of two made in the same second one is the older too. */
function isOlder(left: Route, right: Route): boolean {
  const rank = ({ metadata }: Route) =>
    [metadata.creationTimestamp ?? "", metadata.namespace ?? "", metadata.name].join(" ");
  return rank(left) < rank(right);
}
