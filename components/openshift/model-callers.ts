import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import type { Resource } from "@pulumi/pulumi";
import { kubernetesLabels } from "../shared/kubernetes.ts";
import type { InferenceServiceArgs, TokenAuth } from "./inference-args.ts";
import { CANARY_SUFFIX } from "./inference-spec.ts";
import { besideGuards, placed } from "./place.ts";
import { isNobody, rbacSubjects, roleRef } from "./subjects.ts";

/** Name of the service account for callers of a model. Pure. */
export function callersAccountOf(modelName: string): string {
  return `${modelName}-callers`;
}

/**
 * Lets callers of a model in: the proxy before it asks whether they may `get` this InferenceService. Tokens are taken for a while
 * (`kubectl create token`); none lasts, and none is in the state.
 * @returns the name of the callers' own service account, where there is one.
 */
export function letCallersIn(
  name: string,
  args: InferenceServiceArgs,
  auth: TokenAuth,
  { parent }: { readonly parent: Resource },
): string | undefined {
  const { modelName, project } = args;
  const { account = false, callers = {} } = auth;
  if (!account && isNobody(callers)) return undefined;
  const named = callersAccountOf(modelName);
  const metadata = { name: named, namespace: project.namespace, labels: kubernetesLabels(args.tags) };
  const options = placed(besideGuards(project), { parent });
  const own = account ? [{ kind: "ServiceAccount", name: named, namespace: project.namespace }] : [];
  if (account)
    new ServiceAccount(`${name}-callers`, { metadata, automountServiceAccountToken: false }, options);
  new Role(`${name}-callers`, { metadata, rules: [callerRule(args)] }, options);
  const subjects = [...own, ...rbacSubjects(callers, project.namespace)];
  new RoleBinding(`${name}-callers`, { metadata, subjects, roleRef: roleRef("Role", named) }, options);
  return account ? named : undefined;
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
