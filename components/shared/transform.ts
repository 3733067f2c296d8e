/**
 * The escape hatch of one child resource: gets the defaults of the properties a caller may change and gives back what
 * shall stand. What is not negotiable is set after it, and is not in its type.
 */
export type Transform<T> = (defaults: T) => T;

/** Applies a transform, if there is one. Pure when the transform is. */
export function transformed<T>(defaults: T, transform: Transform<T> | undefined): T {
  return transform === undefined ? defaults : transform(defaults);
}
