import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheKey } from "../paths.ts";
import type { Kit } from "../types.ts";
import { judgeProgram } from "./judge.ts";
import { crds, type Group, pinned, programs } from "./recipe.ts";

/** Name of the control plane's folder in the cache, e.g. `control-plane-1.35.4-linux-x64`. */
export const controlPlaneKey = `control-plane-${cacheKey(pinned.kubernetes)}`;

/**
 * The pinned control plane as Kiln keeps it: the definitions of custom resources, and the programs of those groups that PATH does
 * not have.
 */
export function controlPlaneKit(groups: readonly Group[]): Kit {
  const mine = programs.filter(({ group }) => groups.includes(group));
  const titles: Record<Group, string> = { etcd: "etcd", kubernetes: "Kubernetes", kwok: "kwok" };
  return {
    name: "Kubernetes control plane",
    contents: [
      ...groups.map((group) => `${titles[group]} ${pinned[group]}`),
      `${crds.length} resource definitions`,
    ].join(", "),
    version: pinned.kubernetes,
    key: controlPlaneKey,
    files: [...mine.map(({ name }) => `bin/${name}`), ...crds.map(({ file }) => `crds/${file}`)],
    room: "about 5 GB",
    check: async (dir, env) => {
      const { printedVersion } = await import("../processes.ts");
      for (const { name, group, versionArgs } of mine) {
        const answer = await printedVersion(join(dir, "bin", name), versionArgs, env);
        const verdict = judgeProgram(name, group, answer);
        if (!verdict.usable) return `${name}: ${verdict.why}`;
        if (verdict.version !== pinned[group]) {
          return `${name} says that it is ${verdict.version}, not ${pinned[group]}`;
        }
      }
      for (const { file } of crds) {
        const text = await readFile(join(dir, "crds", file), "utf8");
        if (!/^kind: CustomResourceDefinition\s*$/m.test(text)) return `${file} defines no resource`;
      }
      return undefined;
    },
  };
}
