import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import type { Resource } from "@pulumi/pulumi";
import { kubernetesLabels } from "../shared/kubernetes.ts";
import type { Tags } from "../shared/tags.ts";
import { type FieldProblem, nameProblem } from "../shared/validation.ts";
import { type ProjectPlace, placed } from "./place.ts";

/** A Secret that External Secrets makes of secrets in the project's vault. */
export interface VaultSecretArgs {
  readonly project: ProjectPlace;
  /** Name of the Secret in the project. */
  readonly secretName: string;
  readonly tags: Tags;
  /** Names of the vault's secrets, by the key under which the Secret holds each. */
  readonly keys: Readonly<Record<string, string>>;
  /** Minutes between two looks at the vault, 1 to 1,440; `once`: the value stays until the Secret is deleted. */
  readonly refresh: number | "once";
}

/** Lets External Secrets make a Secret, and waits until it has. The values pass through no program and no state. */
export function vaultSecret(
  name: string,
  args: VaultSecretArgs,
  options: { readonly parent: Resource; readonly after?: readonly Resource[] },
): CustomResource {
  const { project } = args;
  const store = project.secretStore?.object;
  const after = [...(options.after ?? []), ...(store === undefined ? [] : [store])];
  return new CustomResource(
    name,
    {
      apiVersion: "external-secrets.io/v1",
      kind: "ExternalSecret",
      metadata: {
        name: args.secretName,
        namespace: project.namespace,
        labels: kubernetesLabels(args.tags),
        annotations: { "pulumi.com/waitFor": "condition=Ready" },
      },
      spec: vaultSecretSpec(args),
    },
    {
      ...placed(project, { parent: options.parent }, after),
      // A fresh grant on the vault takes minutes to take effect.
      customTimeouts: { create: "5m", update: "5m" },
    },
  );
}

/** What External Secrets is asked for. Pure. */
export function vaultSecretSpec(args: VaultSecretArgs) {
  return {
    ...(args.refresh === "once"
      ? { refreshPolicy: "CreatedOnce", refreshInterval: "0s" }
      : { refreshPolicy: "Periodic", refreshInterval: refreshInterval(args.refresh) }),
    secretStoreRef: { kind: "SecretStore", name: args.project.secretStore?.name ?? "" },
    target: { name: args.secretName, creationPolicy: "Owner", deletionPolicy: "Retain" },
    data: Object.entries(args.keys).map(([secretKey, key]) => ({ secretKey, remoteRef: { key } })),
  };
}

/** Minutes as Go writes a duration, the form in which External Secrets itself gives it back. Pure. */
export function refreshInterval(minutes: number): string {
  return minutes < 60 ? `${minutes}m0s` : `${Math.floor(minutes / 60)}h${minutes % 60}m0s`;
}

/** What is wrong with taking a secret from the project's vault. Pure. */
export function vaultSecretProblems(field: string, project: ProjectPlace, secret: string): FieldProblem[] {
  return [
    nameProblem("secret", field, secret),
    project.secretStore === undefined
      ? { field: "project", message: `has no secret store; ${project.namespace} needs one to read ${field}` }
      : undefined,
  ].filter((problem) => problem !== undefined);
}
