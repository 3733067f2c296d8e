import type { CustomResourceOptions, Resource } from "@pulumi/pulumi";
import type { ContainerBounds, ProjectQuota } from "./quota.ts";

/** A SecretStore by its name, and the object where it is of the same stack. */
export interface SecretStoreRef {
  readonly name: string;
  readonly object?: Resource;
}

/**
 * The project that an object belongs to. A {@link DataScienceProject} is one; a namespace that others manage is given by
 * its name alone.
 */
export interface ProjectPlace {
  /** Name of the namespace. */
  readonly namespace: string;
  /** The namespace, when it is of the same stack: its deletion deletes what is in it, so nothing need be deleted one by one. */
  readonly namespaceObject?: Resource;
  /** What must stand before anything runs in the project: quota, limits, network policies. @default nothing */
  readonly ready?: readonly Resource[];
  /** What the project may use, to refuse what cannot fit. @default not checked here, but by the server */
  readonly quota?: ProjectQuota;
  /** Bounds of one container, likewise. @default not checked here, but by the server */
  readonly containers?: ContainerBounds;
  /** The SecretStore that reads the project's vault, where there is one. */
  readonly secretStore?: SecretStoreRef | undefined;
}

/** The same place for something that comes after what comes after its guards. Pure. */
export function behindGuards(place: ProjectPlace): Pick<ProjectPlace, "namespace" | "namespaceObject"> {
  const { namespace, namespaceObject } = place;
  return { namespace, ...(namespaceObject === undefined ? {} : { namespaceObject }) };
}

/**
 * The same place for what runs nothing, which no quota or policy concerns: it comes after the namespace alone. With many models each
 * reference counts. Pure.
 */
export function besideGuards(
  place: ProjectPlace,
): Pick<ProjectPlace, "namespace" | "namespaceObject" | "ready"> {
  const { namespaceObject } = place;
  return { ...behindGuards(place), ready: namespaceObject === undefined ? [] : [namespaceObject] };
}

/** Options of an object in a project: made after what guards the project, deleted with its namespace. Pure. */
export function placed(
  place: Pick<ProjectPlace, "namespace" | "namespaceObject" | "ready">,
  options: CustomResourceOptions & { readonly parent: Resource },
  after: readonly Resource[] = [],
): CustomResourceOptions {
  const dependsOn = [...(place.ready ?? []), ...after];
  return {
    ...options,
    ...(dependsOn.length === 0 ? {} : { dependsOn }),
    ...(place.namespaceObject === undefined ? {} : { deletedWith: place.namespaceObject }),
  };
}
