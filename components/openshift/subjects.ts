import type { FieldProblem } from "../shared/validation.ts";

/** Who is meant, by kind. */
export interface Subjects {
  /** User names, as the cluster's identity provider gives them. @default none */
  readonly users?: readonly string[];
  /** Group names. @default none */
  readonly groups?: readonly string[];
  /** Service accounts; without a namespace those of the project itself. @default none */
  readonly serviceAccounts?: readonly { readonly name: string; readonly namespace?: string }[];
}

const RBAC = "rbac.authorization.k8s.io";

/** Subjects as a RoleBinding lists them. Pure. */
export function rbacSubjects(subjects: Subjects, namespace: string) {
  const named = (kind: "User" | "Group", names: readonly string[] = []) =>
    names.map((name) => ({ apiGroup: RBAC, kind, name }));
  const accounts = (subjects.serviceAccounts ?? []).map((account) => ({
    kind: "ServiceAccount",
    name: account.name,
    namespace: account.namespace ?? namespace,
  }));
  return [...named("User", subjects.users), ...named("Group", subjects.groups), ...accounts];
}

/** How a RoleBinding names the role that it binds. Pure. */
export function roleRef(kind: "ClusterRole" | "Role", name: string) {
  return { apiGroup: RBAC, kind, name };
}

/** Groups that hold everybody: whoever binds one of them binds strangers. */
const everybody = new Set(["system:authenticated", "system:unauthenticated", "system:serviceaccounts"]);

/** What is wrong with the subjects. Pure. */
export function subjectProblems(field: string, subjects: Subjects): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const kind of ["users", "groups"] as const) {
    const names = subjects[kind] ?? [];
    names.forEach((name, index) => {
      const path = `${field}.${kind}[${index}]`;
      if (name.trim() === "" || name === "*")
        problems.push({ field: path, message: `"${name}" names nobody` });
      if (everybody.has(name)) problems.push({ field: path, message: `"${name}" is everybody` });
      if (names.indexOf(name) < index) problems.push({ field: path, message: `repeats "${name}"` });
    });
  }
  (subjects.serviceAccounts ?? []).forEach(({ name }, index) => {
    if (!/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name)) {
      problems.push({ field: `${field}.serviceAccounts[${index}].name`, message: `"${name}" is no name` });
    }
  });
  return problems;
}

/** Whether nobody is meant. Pure. */
export function isNobody({ users = [], groups = [], serviceAccounts = [] }: Subjects): boolean {
  return users.length + groups.length + serviceAccounts.length === 0;
}
