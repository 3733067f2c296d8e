import { entries, KUBERNETES, type KubeObject, objectsOf, within } from "../kubernetes/objects.ts";
import { at, isObject, isPresent, type Rule, same, UNKNOWN, type Violation } from "../model.ts";

/**
 * What comes into the cluster comes encrypted, through the router: tokens travel on every call. A Service that opens a port of
 * the nodes or a balancer of its own goes past it.
 */
export const routeTls: Rule = {
  name: "route-tls",
  description: "Routes and Ingresses speak TLS only, and no Service opens a way around them.",
  severity: "high",
  package: KUBERNETES,
  check: (resource) =>
    objectsOf(resource).flatMap((of) => {
      if (of.kind === "Route" && of.group === "route.openshift.io") return routeFaults(of);
      if (of.kind === "Ingress" && ["networking.k8s.io", "extensions"].includes(of.group))
        return ingressFaults(of);
      return of.kind === "Service" && of.group === "" ? serviceFaults(of) : [];
    }),
};

function routeFaults({ object, path, patch }: KubeObject): Violation[] {
  const tls = at(object, "spec.tls");
  if (tls === UNKNOWN) return [];
  if (!isObject(tls))
    return patch
      ? []
      : [
          {
            property: within(path, "spec.tls"),
            message: "must be set: without it the Route speaks plain HTTP.",
          },
        ];
  const { termination, insecureEdgeTerminationPolicy: insecure } = tls;
  const violations: Violation[] = [];
  const known = ["edge", "reencrypt", "passthrough"].some((each) => same(termination, each));
  if (termination !== UNKNOWN && !known && !(patch && !isPresent(termination)))
    violations.push({
      property: within(path, "spec.tls.termination"),
      message: "must be reencrypt, passthrough or edge.",
    });
  if (insecure !== UNKNOWN && isPresent(insecure) && !same(insecure, "None") && !same(insecure, "Redirect"))
    violations.push({
      property: within(path, "spec.tls.insecureEdgeTerminationPolicy"),
      message: "must be Redirect or None: Allow answers plain HTTP, too.",
    });
  return violations;
}

function ingressFaults({ object, path, patch }: KubeObject): Violation[] {
  const tls = at(object, "spec.tls");
  const open = tls !== UNKNOWN && !(Array.isArray(tls) && tls.length > 0) && !patch;
  return open
    ? [
        {
          property: within(path, "spec.tls"),
          message: "must be set: without it the Ingress speaks plain HTTP.",
        },
      ]
    : [];
}

function serviceFaults({ object, path }: KubeObject): Violation[] {
  const violations: Violation[] = [];
  const type = at(object, "spec.type");
  if (type === "NodePort" || type === "LoadBalancer")
    violations.push({
      property: within(path, "spec.type"),
      message: "must be ClusterIP: what people call from outside has a Route.",
    });
  if (entries(at(object, "spec.externalIPs"), "").length > 0)
    violations.push({
      property: within(path, "spec.externalIPs"),
      message: "must not be set: it takes over addresses.",
    });
  return violations;
}
