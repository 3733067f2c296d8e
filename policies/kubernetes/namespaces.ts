import { at, isObject, type StackInput, UNKNOWN } from "../model.ts";
import { type KubeObject, objectsOf } from "./objects.ts";

/** An object with the resource that it is in. */
export interface Member {
  readonly resource: StackInput;
  readonly of: KubeObject;
}

/** What a stack has in one namespace. */
export interface NamespaceContent {
  /** The name, as far as it is known. */
  readonly name: string | undefined;
  /** The namespace itself, when it is of the stack. */
  readonly itself: Member | undefined;
  readonly members: readonly Member[];
}

const isNamespace = ({ kind, group }: KubeObject): boolean =>
  (kind === "Namespace" && group === "") ||
  ((kind === "Project" || kind === "ProjectRequest") && group === "project.openshift.io");

interface Building {
  name: string | undefined;
  itself: Member | undefined;
  members: Member[];
}

/**
 * The objects of a stack by namespace, in one pass. One whose namespace is not known yet is found by what it depends on, when
 * that is a single namespace of the stack; otherwise it is left out until it is known. Without a namespace it is in `default`.
 */
export function byNamespace(resources: readonly StackInput[]): NamespaceContent[] {
  const members = resources.flatMap((resource) =>
    objectsOf(resource).map((of): Member => ({ resource, of })),
  );
  const groups = new Map<string, Building>();
  const group = (key: string, name: string | undefined): Building => {
    const found = groups.get(key) ?? { name, itself: undefined, members: [] };
    groups.set(key, found);
    return found;
  };
  const keyOfUrn = new Map<string, string>();
  for (const member of members) {
    if (!isNamespace(member.of)) continue;
    const name = at(member.of.object, "metadata.name");
    const key = typeof name === "string" ? name : `urn ${member.resource.urn}`;
    keyOfUrn.set(member.resource.urn, key);
    const own = group(key, typeof name === "string" ? name : undefined);
    if (own.itself === undefined || own.itself.of.patch) own.itself = member;
  }
  for (const member of members) {
    if (isNamespace(member.of)) continue;
    const namespace = at(member.of.object, "metadata.namespace");
    if (namespace !== UNKNOWN) {
      const name = typeof namespace === "string" && namespace !== "" ? namespace : "default";
      group(name, name).members.push(member);
      continue;
    }
    const keys = new Set(
      (member.resource.propertyDependencies.metadata ?? []).flatMap((urn) => keyOfUrn.get(urn) ?? []),
    );
    const [key] = keys;
    if (key !== undefined && keys.size === 1) group(key, undefined).members.push(member);
  }
  return [...groups.values()];
}

/** The members of one kind, patches included: they are there whoever made them. */
export const ofKind = (
  { members }: Pick<NamespaceContent, "members">,
  kind: string,
  group = "",
): readonly Member[] => members.filter(({ of }) => of.kind === kind && of.group === group);

/** The name of an object. */
export const nameOf = ({ object }: KubeObject): string | undefined => {
  const name = at(object, "metadata.name");
  return typeof name === "string" ? name : undefined;
};

/** Whether a namespace is a data science project, where people run what they like within its quota. */
export const isProject = ({ itself }: NamespaceContent): boolean => {
  const labels = itself === undefined ? undefined : at(itself.of.object, "metadata.labels");
  return isObject(labels) && labels["opendatahub.io/dashboard"] === "true";
};
