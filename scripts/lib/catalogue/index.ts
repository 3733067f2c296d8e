import { busyErrors } from "./busy.ts";
import type { Explanation } from "./explanation.ts";
import { keyErrors } from "./keys.ts";
import { nameErrors } from "./names.ts";
import { permissionErrors } from "./permissions.ts";
import { regionErrors } from "./regions.ts";

export type { Explanation } from "./explanation.ts";
export { type Uncoded, uncoded, unreachable } from "./machine.ts";

/** The parts of the catalogue, as they are shown in docs/errors.md. */
export const chapters: readonly { readonly title: string; readonly entries: readonly Explanation[] }[] = [
  { title: "Regions, quota and models", entries: regionErrors },
  { title: "Names that are held", entries: nameErrors },
  { title: "Busy, or in the way", entries: busyErrors },
  { title: "Permissions", entries: permissionErrors },
  { title: "Keys and references", entries: keyErrors },
];

/**
 * What the cloud's codes mean. Of entries with the same code the first whose message fits counts. Source of the codes: the
 * services' public specifications and SDKs.
 */
export const catalogue: readonly Explanation[] = chapters.flatMap(({ entries }) => entries);
