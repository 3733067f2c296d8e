import { entries, KUBERNETES, type KubeObject, objectsOf, texts, within } from "../kubernetes/objects.ts";
import { isAmount } from "../kubernetes/quantity.ts";
import { at, isObject, type Props, type Rule, UNKNOWN, type Violation } from "../model.ts";

/** A volume that many pods write to at once is shared by whoever gets a pod into the namespace, and lost to one who errs. */
export const volumeClaimAccess: Rule = {
  name: "volume-claim-access",
  description:
    "A volume claim says its size and how it is mounted, and is not written to from many nodes at once.",
  severity: "medium",
  package: KUBERNETES,
  check: (resource) => objectsOf(resource).flatMap(claimsOf),
};

function claimsOf(of: KubeObject): Violation[] {
  if (of.kind === "PersistentVolumeClaim" && of.group === "")
    return judged(of.object, within(of.path, "spec"), of.patch);
  if (of.kind !== "StatefulSet") return [];
  const templates = within(of.path, "spec.volumeClaimTemplates");
  return entries(at(of.object, "spec.volumeClaimTemplates"), templates).flatMap(({ value, path }) =>
    isObject(value) ? judged(value, `${path}.spec`, of.patch) : [],
  );
}

function judged(claim: Props, path: string, patch: boolean): Violation[] {
  const violations: Violation[] = [];
  const modes = at(claim, "spec.accessModes");
  if (modes !== UNKNOWN && !patch && texts(modes).length === 0 && !hasUnknown(modes))
    violations.push({ property: `${path}.accessModes`, message: "must be set." });
  if (texts(modes).includes("ReadWriteMany"))
    violations.push({
      property: `${path}.accessModes`,
      message:
        "must not have ReadWriteMany; where pods must share what they write, a dated exemption says why.",
    });
  const size = at(claim, "spec.resources.requests.storage");
  if (!isAmount(size) && !patch)
    violations.push({
      property: `${path}.resources.requests.storage`,
      message: "must be an amount above 0.",
    });
  return violations;
}

const hasUnknown = (list: unknown): boolean => Array.isArray(list) && list.includes(UNKNOWN);
