import { describe, expect, it } from "vitest";
import { catalogue } from "../../../scripts/lib/catalogue/index.ts";
import { kubernetesErrors } from "../../../scripts/lib/catalogue/kubernetes.ts";
import { explain, isRegionFull, passesByItself } from "../../../scripts/lib/cloud-errors.ts";

/** What API servers, controllers and the provider say, word for word. */
const said: readonly (readonly [code: string, text: string])[] = [
  ["ClusterUnreachable", "configured Kubernetes cluster is unreachable: connect ECONNREFUSED 127.0.0.1:6443"],
  [
    "FieldConflict",
    'server-side apply field conflict detected, see the docs for troubleshooting help\nThe resource managed by field manager "pulumi-kubernetes-1" had an apply conflict: Apply failed with 1 conflict: conflict with "argocd" using v1: .spec.hard.pods',
  ],
  [
    "ProjectQuotaExceeded",
    'resource "urn" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: pods "scorer-predictor-1" is forbidden: exceeded quota: quota, requested: limits.cpu=9, used: limits.cpu=0, limited: limits.cpu=4',
  ],
  ["LimitExceeded", 'pods "x" is forbidden: maximum cpu usage per Container is 2, but limit is 4'],
  [
    "NamespaceTerminating",
    'limitranges "limits" is forbidden: unable to create new content in namespace kiln-dev-fraud because it is being terminated',
  ],
  [
    "FinalizerHangs",
    "timed out waiting for the condition\n  - finalizers might be preventing deletion (example.com/hold)",
  ],
  ["KindNotKnown", 'no matches for kind "Notebook" in version "kubeflow.org/v1"'],
  [
    "ClusterForbidden",
    'namespaces is forbidden: User "viewer" cannot create resource "namespaces" in API group "" at the cluster scope',
  ],
  ["ClusterUnauthorized", "Unauthorized"],
  ["ClusterUnauthorized", "Preview failed: whoever runs the engine is no user of the sandbox's Kubernetes"],
  ["ObjectRefusedByPolicy", 'admission webhook "check.example.com" denied the request: no'],
  [
    "ObjectExists",
    'namespaces "kiln-dev-fraud" already exists\n\nThe resource already exists in the cluster. Adopt it',
  ],
  ["ObjectInvalid", 'Deployment.apps "x" is invalid: spec.selector: Invalid value: {}: field is immutable'],
  [
    "VolumeCannotShrink",
    'PersistentVolumeClaim "study" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  ],
  [
    "SecretNotRead",
    "failed to fully initialize or become live: timed out waiting for the condition\n  - [SecretSyncedError] could not get secret data from provider\n  - [ExternalSecret models] UpdateFailed: error processing spec.data[0] (key: fraud-s3-id), err: Secret does not exist",
  ],
  [
    "NotReadyInTime",
    'the Kubernetes API server reported that "a/b" failed to fully initialize or become live: no',
  ],
];

describe("refusals of Kubernetes", () => {
  it.each(said)("%s is told in plain words, and after that as the server said it", (code, text) => {
    const trouble = explain([text]);
    expect(trouble.code).toBe(code);
    expect(trouble.cause).toContain(text);
    expect(trouble.message).not.toContain("kubernetes");
  });

  it.each(said)("%s is no reason to leave a region, nor one to try again at once", (code, text) => {
    const trouble = explain([text], { region: "eastus" });
    expect(isRegionFull(trouble)).toBe(false);
    expect(passesByItself(trouble.code)).toBe(false);
    // A code of Azure's would bring what is known of that along.
    expect(catalogue.filter(({ codes }) => codes.includes(code))).toEqual([]);
  });

  it("every entry is found, and says what, why, what follows and what to do", () => {
    expect([...new Set(said.map(([code]) => code))].sort()).toEqual(
      kubernetesErrors.map(({ code }) => code).sort(),
    );
    for (const { what, why, consequence, next } of kubernetesErrors) {
      expect(what).toMatch(/^[a-z].*[^.\s]$/);
      for (const sentence of [why, consequence, next]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
    }
  });
});
