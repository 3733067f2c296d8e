import { type Case, tags } from "../case.ts";
import { inference, object } from "./objects.ts";

const metadata = (name: string) => ({ name, namespace: "kiln-prod-broken" });

/** A project of which each object passes by itself, and which is wrong as a whole. */
export const brokenProject: Readonly<Record<string, Case>> = {
  project: object("core/v1:Namespace", "v1", {
    metadata: {
      name: "kiln-prod-broken",
      labels: { ...tags(), repo: "o-r", "opendatahub.io/dashboard": "true" },
    },
  }),
  // No LimitRange beside it, and too little for two replicas of 4 GiB.
  quota: object("core/v1:ResourceQuota", "v1", {
    metadata: metadata("quota"),
    spec: { hard: { "limits.memory": "6Gi" } },
  }),
  // Closes one direction only.
  inward: object("networking.k8s.io/v1:NetworkPolicy", "networking.k8s.io/v1", {
    metadata: metadata("inward"),
    spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
  }),
  model: inference({ model: { resources: { limits: { memory: "4Gi" } } } }, metadata("model")),
};
