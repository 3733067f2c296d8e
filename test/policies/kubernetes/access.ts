import { type Cases, wrong } from "../case.ts";
import { binding, GROUP, object, READ, role } from "./objects.ts";

/** Cases of who may do what. */
export const accessCases: Readonly<Record<string, Cases>> = {
  "rbac-no-wildcard": {
    pass: {
      "role-named": role(READ),
      "role-secrets-of-one-namespace": role({
        apiGroups: [""],
        resources: ["secrets"],
        verbs: ["get", "list"],
      }),
      "cluster-role-of-agent": role(
        { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
        "ClusterRole",
      ),
      "cluster-role-one-secret": role(
        { apiGroups: [""], resources: ["secrets"], resourceNames: ["one"], verbs: ["get"] },
        "ClusterRole",
      ),
      "cluster-role-metrics": role({ nonResourceURLs: ["/metrics/*"], verbs: ["get"] }, "ClusterRole"),
      "cluster-role-collected": role(READ, "ClusterRole", {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "kiln/part": "view" } }] },
      }),
      "binding-of-group": binding("edit", GROUP),
      "binding-of-own-account": binding("view", { kind: "ServiceAccount", name: "agent", namespace: "a" }),
    },
    fail: {
      "role-any-verb": wrong(role({ ...READ, verbs: ["*"] }), "rules[0].verbs"),
      "role-any-verb-in-text": wrong(role({ ...READ, verbs: "*" }), "rules[0].verbs"),
      "role-any-group": wrong(role({ ...READ, apiGroups: ["*"] }), "rules[0].apiGroups"),
      "role-any-resource": wrong(role({ ...READ, resources: ["pods/*"] }), "rules[0].resources"),
      "role-any-resource-in-map": wrong(
        { ...role({}), props: { ...role({}).props, rules: { one: { ...READ, resources: ["*"] } } } },
        "rules.one.resources",
      ),
      "role-any-url": wrong(
        role({ nonResourceURLs: ["*"], verbs: ["get"] }, "ClusterRole"),
        "rules[0].nonResourceURLs",
      ),
      "role-patch-any": wrong(
        object("rbac.authorization.k8s.io/v1:RolePatch", "rbac.authorization.k8s.io/v1", {
          rules: [{ ...READ, verbs: ["*"] }],
        }),
        "rules[0].verbs",
      ),
      "role-old-any": wrong(
        { ...role({ ...READ, verbs: ["*"] }), type: "kubernetes:rbac.authorization.k8s.io/v1beta1:Role" },
        "rules[0].verbs",
      ),
      "role-escalates": wrong(role({ ...READ, verbs: ["escalate"] }), "rules[0].verbs"),
      "role-binds": wrong(role({ ...READ, resources: ["clusterroles"], verbs: ["bind"] }), "rules[0].verbs"),
      "role-impersonates": wrong(
        role({ ...READ, resources: ["users"], verbs: ["impersonate"] }),
        "rules[0].verbs",
      ),
      "role-uses-anyuid": wrong(
        role({
          apiGroups: ["security.openshift.io"],
          resources: ["securitycontextconstraints"],
          resourceNames: ["anyuid"],
          verbs: ["use"],
        }),
        "rules[0].resourceNames",
      ),
      "cluster-role-secrets": wrong(
        role({ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }, "ClusterRole"),
        "rules[0].resources",
      ),
      "cluster-role-secrets-by-name": wrong(
        role(
          { apiGroups: [""], resources: ["secrets"], resourceNames: ["one"], verbs: ["watch"] },
          "ClusterRole",
        ),
        "rules[0].resources",
      ),
      "cluster-role-collects-all": wrong(
        role(READ, "ClusterRole", { aggregationRule: { clusterRoleSelectors: [{}] } }),
        "aggregationRule.clusterRoleSelectors[0]",
      ),
      "cluster-role-collects-nearly-all": wrong(
        role(READ, "ClusterRole", {
          aggregationRule: {
            clusterRoleSelectors: [{ matchExpressions: [{ key: "x", operator: "DoesNotExist" }] }],
          },
        }),
        "aggregationRule.clusterRoleSelectors[0]",
      ),
      "binding-of-everything": wrong(binding("cluster-admin", GROUP), "roleRef.name"),
      "binding-of-edit-everywhere": wrong(binding("edit", GROUP, "ClusterRoleBinding"), "roleRef.name"),
      "binding-of-anyuid": wrong(binding("system:openshift:scc:anyuid", GROUP), "roleRef.name"),
      "binding-of-everybody": wrong(
        binding("view", { kind: "Group", name: "system:authenticated" }),
        "subjects[name=system:authenticated]",
      ),
      "binding-of-nobody-known": wrong(
        binding("view", { kind: "Group", name: "system:unauthenticated" }, "ClusterRoleBinding"),
        "subjects[name=system:unauthenticated]",
      ),
      "binding-of-default-account": wrong(
        binding("view", { kind: "ServiceAccount", name: "default", namespace: "a" }),
        "subjects[name=default]",
      ),
    },
  },
};
