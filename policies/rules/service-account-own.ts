import { KUBERNETES } from "../kubernetes/objects.ts";
import { type Pod, podsOf } from "../kubernetes/pods.ts";
import { isPresent, type Rule, UNKNOWN, type Violation } from "../model.ts";

/**
 * The default service account is everybody's in its namespace: a right that one pod's account gets, all have. A pod that calls
 * the API server has an account of its own; one that does not has no token to lose. (Pods of KServe and of notebooks get their
 * account and its token from their controllers.)
 */
export const serviceAccountOwn: Rule = {
  name: "service-account-own",
  description: "A pod has a service account of its own, or no token of one.",
  severity: "high",
  package: KUBERNETES,
  check: (resource) => podsOf(resource).flatMap(judged),
};

function judged({ maker, of, spec, path }: Pod): Violation[] {
  if (maker !== "native" || of.patch) return [];
  const account = isPresent(spec.serviceAccountName) ? spec.serviceAccountName : spec.serviceAccount;
  const own = account === UNKNOWN || (isPresent(account) && account !== "default");
  const { automountServiceAccountToken: token } = spec;
  return own || token === false || token === UNKNOWN
    ? []
    : [
        {
          property: `${path}.automountServiceAccountToken`,
          message: "must be false, or serviceAccountName must name an account of the pod's own.",
        },
      ];
}
