import { at, isObject, type Violation } from "../model.ts";
import { entries, type KubeObject, within } from "./objects.ts";
import { isOrdinaryScc } from "./security.ts";

/** Groups that nobody is asked to join: to bind a role to one is to bind it to everybody. */
const EVERYBODY = new Set([
  "system:authenticated",
  "system:authenticated:oauth",
  "system:unauthenticated",
  "system:serviceaccounts",
  "system:anonymous",
]);

/** Roles that are for one project each; bound cluster-wide they are for all of them. */
const PROJECT_ROLES = new Set(["admin", "edit"]);

const SCC_ROLE = "system:openshift:scc:";

/** What is wrong with whom a binding binds, and to what. */
export function bindingFaults({ kind, object, path }: KubeObject): Violation[] {
  const violations: Violation[] = [];
  const role = at(object, "roleRef.name");
  const say = (message: string) => violations.push({ property: within(path, "roleRef.name"), message });
  if (role === "cluster-admin")
    say("must not be cluster-admin: its holder may do everything. Bind what the work needs.");
  if (typeof role === "string" && role.startsWith(SCC_ROLE) && !isOrdinaryScc(role.slice(SCC_ROLE.length)))
    say("must not be a wider security context constraint than restricted-v2 or nonroot-v2.");
  if (kind === "ClusterRoleBinding" && typeof role === "string" && PROJECT_ROLES.has(role))
    say(`must not be ${role} cluster-wide: bind it in the project's namespace.`);
  for (const { value, path: subject } of entries(object.subjects, within(path, "subjects"))) {
    if (!isObject(value)) continue;
    const { name } = value;
    if (typeof name !== "string") continue;
    if (EVERYBODY.has(name))
      violations.push({ property: subject, message: `must not be ${name}: that is everybody.` });
    if (name === "system:masters")
      violations.push({
        property: subject,
        message: "must not be system:masters: nothing can be refused to it.",
      });
    if (name === "default" && value.kind === "ServiceAccount")
      violations.push({
        property: subject,
        message: "must not be the default service account: every pod of the namespace would have the role.",
      });
  }
  return violations;
}
