import { bindingFaults } from "../kubernetes/bindings.ts";
import { entries, KUBERNETES, type KubeObject, objectsOf, texts, within } from "../kubernetes/objects.ts";
import { powersOf } from "../kubernetes/powers.ts";
import { at, isObject, type Rule, UNKNOWN, type Violation } from "../model.ts";

const ROLES = new Set(["Role", "ClusterRole"]);
const BINDINGS = new Set(["RoleBinding", "ClusterRoleBinding"]);
const GROUPS = new Set(["rbac.authorization.k8s.io", "authorization.openshift.io"]);
const LISTS = ["verbs", "apiGroups", "resources", "nonResourceURLs"] as const;

/**
 * A right is one that somebody wrote down and somebody read: with a wildcard it grows with every kind that is installed later
 * (kagent#1826 gave an agent all of a cluster so). Rights that lead to all others are wildcards by another name.
 */
export const rbacNoWildcard: Rule = {
  name: "rbac-no-wildcard",
  description:
    "Roles name verbs, groups and resources, and none leads to all others; nobody at large is bound to one.",
  severity: "critical",
  package: KUBERNETES,
  check: (resource) =>
    objectsOf(resource).flatMap((of) => {
      if (!GROUPS.has(of.group)) return [];
      if (ROLES.has(of.kind)) return [...roleFaults(of), ...aggregationFaults(of)];
      return BINDINGS.has(of.kind) ? bindingFaults(of) : [];
    }),
};

function roleFaults(of: KubeObject): Violation[] {
  return entries(of.object.rules, within(of.path, "rules")).flatMap(({ value, path }) => {
    if (!isObject(value)) return [];
    const wild = LISTS.filter((list) => texts(value[list]).some((each) => isWild(list, each)));
    return [
      ...wild.map((list) => ({
        property: `${path}.${list}`,
        message: "must not have a wildcard: name what the work needs.",
      })),
      ...powersOf(value, of.kind === "ClusterRole").map(({ field, message }) => ({
        property: `${path}.${field}`,
        message,
      })),
    ];
  });
}

/** A folder of URLs (`/metrics/*`) is named; every URL is not. */
const isWild = (list: string, text: string): boolean =>
  list === "nonResourceURLs" ? /^\/?\*+$/.test(text.trim()) : text.includes("*");

/** A role that collects others by a selector which everything matches has, one day, every right there is. */
function aggregationFaults(of: KubeObject): Violation[] {
  const path = within(of.path, "aggregationRule.clusterRoleSelectors");
  return entries(at(of.object, "aggregationRule.clusterRoleSelectors"), path).flatMap(
    ({ value, path: property }) => {
      if (value === UNKNOWN) return [];
      const selector = isObject(value) ? value : {};
      const narrow =
        namesSomething(selector.matchLabels) ||
        entries(selector.matchExpressions, "").some(
          ({ value: each }) =>
            each === UNKNOWN ||
            (isObject(each) && ["In", "Exists", UNKNOWN].includes(each.operator as string)),
        );
      return narrow
        ? []
        : [
            {
              property,
              message: "must name the labels of the roles it collects: it matches nearly all of them.",
            },
          ];
    },
  );
}

const namesSomething = (labels: unknown): boolean =>
  labels === UNKNOWN || (typeof labels === "object" && labels !== null && Object.keys(labels).length > 0);
