import { busyErrors } from "./busy.ts";
import type { Explanation } from "./explanation.ts";
import { keyErrors } from "./keys.ts";
import { kubernetesErrors } from "./kubernetes.ts";
import { machineErrors, type Uncoded } from "./machine.ts";
import { nameErrors } from "./names.ts";
import { permissionErrors } from "./permissions.ts";
import { regionErrors } from "./regions.ts";

export type { Explanation } from "./explanation.ts";
export { type Uncoded, unreachable } from "./machine.ts";

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

/** Failures that carry no code of the cloud, as they are shown in docs/errors.md. */
export const uncodedChapters: readonly {
  readonly title: string;
  readonly about: string;
  readonly entries: readonly Uncoded[];
}[] = [
  {
    title: "Kubernetes",
    about:
      "What an API server refuses, and what keeps an object from being ready. The server has no codes of this kind; the code is Kiln's own.",
    entries: kubernetesErrors,
  },
  {
    title: "Without a code of the cloud",
    about: "Failures of the way there, of the machine and of the state's backend; the code is Kiln's own.",
    entries: machineErrors,
  },
];

/** What failures without a code mean. The first whose message fits counts. */
export const uncoded: readonly Uncoded[] = uncodedChapters.flatMap(({ entries }) => entries);
