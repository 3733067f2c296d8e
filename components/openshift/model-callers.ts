import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import type { Resource } from "@pulumi/pulumi";
import { kubernetesLabels } from "../shared/kubernetes.ts";
import type { InferenceServiceArgs, TokenAuth } from "./inference-args.ts";
import { CANARY_SUFFIX } from "./inference-spec.ts";
import { placed } from "./place.ts";
import { rbacSubjects, roleRef } from "./subjects.ts";

/** Name of the service account for callers of a model. Pure. */
export function callersAccountOf(modelName: string): string {
  return `${modelName}-callers`;
}

/**
 * Lets callers of a model in: the proxy before it asks whether they may `get` this InferenceService. A service account of their
 * own, of which a token is taken for a while (`kubectl create token`); no token that lasts, and none in the state.
 * @returns the name of the service account.
 */
export function letCallersIn(
  name: string,
  args: InferenceServiceArgs & { readonly auth: TokenAuth },
  { parent }: { readonly parent: Resource },
): string {
  const { modelName, project } = args;
  const account = callersAccountOf(modelName);
  const metadata = { name: account, namespace: project.namespace, labels: kubernetesLabels(args.tags) };
  const options = placed(project, { parent });
  new ServiceAccount(`${name}-callers`, { metadata, automountServiceAccountToken: false }, options);
  new Role(`${name}-callers`, { metadata, rules: [callerRule(args)] }, options);
  new RoleBinding(
    `${name}-callers`,
    { metadata, subjects: callers(args), roleRef: roleRef("Role", account) },
    options,
  );
  return account;
}

/** What a caller may: see this model, by name; that is what the proxy asks for. Pure. */
export function callerRule({ modelName, canary }: Pick<InferenceServiceArgs, "modelName" | "canary">) {
  return {
    apiGroups: ["serving.kserve.io"],
    resources: ["inferenceservices"],
    resourceNames: [modelName, ...(canary === undefined ? [] : [`${modelName}${CANARY_SUFFIX}`])],
    verbs: ["get"],
  };
}

function callers({ modelName, project, auth }: InferenceServiceArgs & { readonly auth: TokenAuth }) {
  const own = { kind: "ServiceAccount", name: callersAccountOf(modelName), namespace: project.namespace };
  return [own, ...rbacSubjects(auth.callers ?? {}, project.namespace)];
}
