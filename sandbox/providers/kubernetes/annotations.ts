/** Annotations by which a program speaks to the provider (github.com/pulumi/pulumi-kubernetes, provider/pkg/metadata). */
export const annotations = {
  autonamed: "pulumi.com/autonamed",
  skipAwait: "pulumi.com/skipAwait",
  waitFor: "pulumi.com/waitFor",
  timeoutSeconds: "pulumi.com/timeoutSeconds",
  replaceUnready: "pulumi.com/replaceUnready",
  patchForce: "pulumi.com/patchForce",
  patchFieldManager: "pulumi.com/patchFieldManager",
  deletionPropagation: "pulumi.com/deletionPropagationPolicy",
} as const;

/** What `kubectl apply` leaves of what it was given: of a Secret, the data in plain. */
export const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
