import type { KnownPrincipal } from "../core/principals.ts";

/** Someone who signs in to the control plane by a static token. */
export interface KubernetesUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The people: an administrator of the platform, and three who have no right until a project gives them one. */
export const people: readonly KubernetesUser[] = [
  { name: "owner", groups: ["platform-admins"] },
  { name: "team-lead", groups: ["team-leads"] },
  { name: "data-scientist", groups: ["data-scientists"] },
  { name: "viewer", groups: ["viewers"] },
];

/** The parts of the control plane. What the first two may do Kubernetes itself knows; the others' rights are Kiln's. */
export const systemUsers = {
  controllerManager: { name: "system:kube-controller-manager", groups: [] },
  scheduler: { name: "system:kube-scheduler", groups: [] },
  kwok: { name: "system:kwok", groups: [] },
  controllers: { name: "system:kiln-controllers", groups: [] },
  /** Sets the cluster up: nothing but a member of this group may do anything in an empty one. */
  bootstrap: { name: "system:kiln-bootstrap", groups: ["system:masters"] },
} as const satisfies Record<string, KubernetesUser>;

export type SystemUser = keyof typeof systemUsers;

/** Who each principal of the cloud is on the cluster. */
export const userOfPrincipal: Readonly<Record<KnownPrincipal, string | undefined>> = {
  owner: "owner",
  contributor: "team-lead",
  reader: "viewer",
  stranger: undefined,
};

/** The API server's token file: token, user, uid, groups. */
export function tokenFile(users: readonly (KubernetesUser & { readonly token: string })[]): string {
  return users
    .map(({ token, name, groups }) => {
      const uid = `kiln:${name}`;
      return groups.length === 0
        ? `${token},${name},${uid}\n`
        : `${token},${name},${uid},"${groups.join(",")}"\n`;
    })
    .join("");
}
