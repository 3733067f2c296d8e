import type { Printed } from "../processes.ts";
import { compareVersions, known, parseVersion, quote } from "../versions.ts";
import { type Group, groups, type ProgramName } from "./recipe.ts";

/** Which versions on PATH Kiln works with. */
export const ranges = {
  /** Kubernetes 1.31 and newer are tested with etcd 3.5. */
  etcd: { min: "3.5.0", below: "4.0.0", text: ">=3.5.0 <4" },
  /** From 1.31 on custom resources have selectable fields and their validation is what the definitions ask for. */
  kubernetes: { min: "1.31.0", below: "2.0.0", text: ">=1.31.0 <2" },
  /** From 0.6 on pods and nodes come up without a stage configuration of one's own. */
  kwok: { min: "0.6.0", below: "1.0.0", text: ">=0.6.0 <1" },
} as const;

/** How each program tells its version, in its own words. */
const words: Readonly<Record<ProgramName, RegExp>> = {
  etcd: /^etcd Version:\s*(\S+)/m,
  "kube-apiserver": /^Kubernetes v(\S+)/m,
  "kube-controller-manager": /^Kubernetes v(\S+)/m,
  "kube-scheduler": /^Kubernetes v(\S+)/m,
  kubectl: /^Client Version:\s*v(\S+)/m,
  kwok: /^kwok version v(\S+)/m,
};

/** Whether a program on PATH is of use, and why. `version` has no leading `v`. */
export type Verdict = { usable: true; version: string; why: string } | { usable: false; why: string };

/** Decides on one program by what it printed. */
export function judgeProgram(name: ProgramName, group: Group, answer: Printed): Verdict {
  if (answer.printed === undefined) return refuse(`it does not run: ${answer.failure}`);
  const text = words[name].exec(answer.printed)?.[1];
  const version = text === undefined ? undefined : parseVersion(text);
  if (text === undefined || version === undefined) {
    return refuse(`it prints no version that Kiln understands (${quote(answer.printed)})`);
  }
  const range = ranges[group];
  const fits =
    compareVersions(version, known(range.min)) >= 0 && compareVersions(version, known(range.below)) < 0;
  if (!fits) return refuse(`version ${text} is outside ${range.text}`);
  return { usable: true, version: text, why: `version ${text} is within ${range.text}` };
}

/** What stands beside a kube-apiserver that fits, or elsewhere on PATH, under the name of a program it needs. */
export type Companion = { path: string; verdict: Verdict };

/**
 * Chooses a kube-apiserver's companions: the first of each name of the same minor version. (Controllers and scheduler must not be
 * newer than the API server, and nothing is gained by mixing.)
 * @param version the API server's
 * @returns the chosen ones by name, or why there is none for one of them
 */
export function chooseCompanions(
  version: string,
  companions: Readonly<Record<string, readonly Companion[]>>,
): { paths: Record<string, string> } | { why: string } {
  const minor = minorOf(version);
  const paths: Record<string, string> = {};
  for (const name of groups.kubernetes.filter((it) => it !== "kube-apiserver")) {
    const there = companions[name] ?? [];
    const chosen = there.find(({ verdict }) => verdict.usable && minorOf(verdict.version) === minor);
    if (chosen === undefined) {
      const [first] = there;
      if (first === undefined) return { why: `version ${version} fits, but there is no ${name} on PATH` };
      const what = first.verdict.usable ? `is of version ${first.verdict.version}` : first.verdict.why;
      return {
        why: `version ${version} fits, but no ${name} on PATH is of ${minor} (${first.path}: ${what})`,
      };
    }
    paths[name] = chosen.path;
  }
  return { paths };
}

function minorOf(version: string): string {
  return version.split(".", 2).join(".");
}

function refuse(why: string): Verdict {
  return { usable: false, why };
}
