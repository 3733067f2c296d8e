import type { Props, Value } from "../model.ts";
import { texts } from "./objects.ts";
import { isOrdinaryScc } from "./security.ts";

/** A right that leads to rights nobody wrote down, and the field of the rule that gives it. */
export interface Power {
  readonly field: "verbs" | "resources" | "resourceNames";
  readonly message: string;
}

const VERBS: Readonly<Record<string, string>> = {
  escalate: "lets a role give rights that its holder does not have",
  bind: "lets its holder take any role",
  impersonate: "lets its holder be anyone",
};

/** What is as good as a wildcard, by the resource and the verbs that make it so. */
const RESOURCES: readonly {
  readonly resource: RegExp;
  readonly verbs: readonly string[];
  readonly message: string;
}[] = [
  {
    resource: /^secrets$/,
    verbs: ["get", "list", "watch"],
    message: "secrets of every namespace: give it by a Role in the one that needs it, or name the secrets",
  },
  {
    resource: /^serviceaccounts\/token$/,
    verbs: ["create"],
    message: "tokens of every service account: name the accounts, or give it by a Role",
  },
  {
    resource: /^nodes\/proxy$/,
    verbs: ["get", "create", "update", "patch"],
    message: "nodes/proxy reaches every container of every node past all rules",
  },
  {
    resource: /^pods\/(?:exec|attach|portforward)$/,
    verbs: ["get", "create"],
    message: "a shell in every pod is every service account's rights: give it by a Role",
  },
  {
    resource: /^certificatesigningrequests\/approval$/,
    verbs: ["update", "patch"],
    message: "approving certificates makes any identity",
  },
  {
    resource: /^(?:mutating|validating)webhookconfigurations$/,
    verbs: ["create", "update", "patch"],
    message: "a webhook sees, and may change, everything that is written",
  },
  {
    resource: /^clusterrolebindings$/,
    verbs: ["create", "update", "patch"],
    message: "whoever binds roles cluster-wide hands out every right they have",
  },
];

/**
 * The powers in one rule of a role. What is harmful because it holds everywhere is one only in a ClusterRole; naming
 * the objects (`resourceNames`) makes it narrow, except for lists, which names do not narrow.
 */
export function powersOf(rule: Props, clusterWide: boolean): Power[] {
  const verbs = texts(rule.verbs).map((verb) => verb.toLowerCase());
  const resources = texts(rule.resources).map((resource) => resource.toLowerCase());
  const named = isNamed(rule.resourceNames);
  const powers: Power[] = verbs.flatMap((verb) =>
    Object.hasOwn(VERBS, verb) && !(verb === "bind" && named)
      ? [{ field: "verbs" as const, message: `must not have ${verb}: it ${VERBS[verb]}.` }]
      : [],
  );
  const constraints = texts(rule.resourceNames);
  if (resources.includes("securitycontextconstraints") && verbs.includes("use")) {
    if (!named || constraints.some((name) => !isOrdinaryScc(name)))
      powers.push({
        field: "resourceNames",
        message:
          "may name restricted-v2 or nonroot-v2 and no other constraint: those let pods out of their bounds.",
      });
  }
  if (!clusterWide) return powers;
  for (const { resource, verbs: harmful, message } of RESOURCES) {
    const given = harmful.filter((verb) => verbs.includes(verb));
    const listing = given.some((verb) => verb === "list" || verb === "watch");
    if (given.length > 0 && (!named || listing) && resources.some((each) => resource.test(each)))
      powers.push({ field: "resources", message: `must not have this cluster-wide: ${message}.` });
  }
  return powers;
}

const isNamed = (names: Value | undefined): boolean =>
  typeof names === "symbol" || (Array.isArray(names) && names.length > 0);
