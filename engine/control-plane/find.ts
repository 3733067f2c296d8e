import { dirname, join } from "node:path";
import { findInCache, type Kept } from "../cache.ts";
import { programsOnPath, versionOnPath } from "../path-versions.ts";
import { defaultCacheDir } from "../paths.ts";
import type { Considered, ControlPlane, FindOptions } from "../types.ts";
import { type Companion, chooseCompanions, judgeProgram, type Verdict } from "./judge.ts";
import { controlPlaneKit } from "./kit.ts";
import { buildRecipe, type Group, groups, type ProgramName, pinned, programs } from "./recipe.ts";

/** A group of programs that was found on PATH as a whole. */
export type OnPathGroup = { version: string; paths: Record<string, string>; why: string };

/** What a look found. */
export type Look = {
  onPath: Partial<Record<Group, OnPathGroup>>;
  /** Groups that Kiln's cache has to give. */
  needed: Group[];
  /** What the cache has, when it has all of that. */
  kept: Kept | undefined;
  considered: Considered[];
};

export type FindControlPlaneResult = {
  /** Undefined when it is not all there; `considered` says why. */
  controlPlane: ControlPlane | undefined;
  considered: Considered[];
};

/**
 * Finds a usable control plane and says why this one. Installs and builds nothing. Programs on PATH are taken in groups that fit each
 * other; what PATH does not have, and the definitions of custom resources in any case, is in Kiln's cache. When warm it spawns
 * nothing.
 */
export async function findControlPlane(options: FindOptions): Promise<FindControlPlaneResult> {
  const look = await lookAround(options);
  return { controlPlane: look.kept && controlPlaneOf(look, look.kept), considered: look.considered };
}

/** {@link findControlPlane}, with what has to be known to make what is missing. */
export async function lookAround(options: FindOptions): Promise<Look> {
  const { env, verify } = options;
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  const considered: Considered[] = [];
  const search = new PathSearch(cacheDir, env, considered);
  const onPath: Partial<Record<Group, OnPathGroup>> = {};
  for (const group of Object.keys(groups) as Group[]) {
    const found = group === "kubernetes" ? await search.kubernetes() : await search.single(group);
    if (found) onPath[group] = found;
  }
  const needed = (Object.keys(groups) as Group[]).filter((group) => onPath[group] === undefined);
  const recipes = options.recipes ?? [await buildRecipe()];
  const kept = await findInCache(controlPlaneKit(needed), cacheDir, { verify, recipes }, considered);
  return { onPath, needed, kept, considered };
}

/** The control plane that a look and what the cache keeps make up. */
export function controlPlaneOf({ onPath, considered }: Look, { dir, source, reason }: Kept): ControlPlane {
  const path = (name: ProgramName, group: Group) => onPath[group]?.paths[name] ?? join(dir, "bin", name);
  const binaries = Object.fromEntries(programs.map(({ name, group, key }) => [key, path(name, group)]));
  return {
    version: onPath.kubernetes?.version ?? pinned.kubernetes,
    binaries: binaries as ControlPlane["binaries"],
    crds: join(dir, "crds"),
    source,
    reason: [...Object.values(onPath).map(({ why }) => why), reason].join("; "),
    considered,
  };
}

/** Looks through PATH, and tells `considered` what it made of what is there. */
class PathSearch {
  readonly #cacheDir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #considered: Considered[];

  constructor(cacheDir: string, env: NodeJS.ProcessEnv, considered: Considered[]) {
    this.#cacheDir = cacheDir;
    this.#env = env;
    this.#considered = considered;
  }

  /** The first usable program of a group that consists of one. */
  async single(group: "etcd" | "kwok"): Promise<OnPathGroup | undefined> {
    const [name] = groups[group];
    const there = await this.#judged(name);
    for (const { path, verdict } of there) {
      if (verdict.usable) return this.#choose(name, path, verdict, { [name]: path });
      this.#refuse(path, verdict.why);
    }
    if (there.length === 0) this.#refuse(`${name} on PATH`, "none there");
    return undefined;
  }

  /** The first usable kube-apiserver for which PATH has the other programs, those beside it first. */
  async kubernetes(): Promise<OnPathGroup | undefined> {
    const servers = await this.#judged("kube-apiserver");
    for (const { path, verdict } of servers) {
      if (!verdict.usable) {
        this.#refuse(path, verdict.why);
        continue;
      }
      const companions: Record<string, Companion[]> = {};
      for (const name of groups.kubernetes) {
        if (name === "kube-apiserver") continue;
        const there = await this.#judged(name);
        const beside = (it: Companion) => Number(dirname(it.path) === dirname(path));
        companions[name] = there.sort((a, b) => beside(b) - beside(a));
      }
      const chosen = chooseCompanions(verdict.version, companions);
      if ("paths" in chosen) {
        return this.#choose("Kubernetes", path, verdict, { "kube-apiserver": path, ...chosen.paths });
      }
      this.#refuse(path, chosen.why);
    }
    if (servers.length === 0) this.#refuse("kube-apiserver on PATH", "none there");
    return undefined;
  }

  async #judged(name: ProgramName): Promise<Companion[]> {
    const about = programs.find((program) => program.name === name);
    if (about === undefined) throw new TypeError(`there is no program ${name}`);
    const judged: Companion[] = [];
    // One after the other: what they answer is remembered in one file.
    for (const found of await programsOnPath(name, this.#cacheDir, this.#env)) {
      const answer = await versionOnPath(found, name, about.versionArgs, this.#cacheDir, this.#env);
      judged.push({ path: found.path, verdict: judgeProgram(name, about.group, answer) });
    }
    return judged;
  }

  #choose(
    title: string,
    path: string,
    verdict: Verdict & { usable: true },
    paths: Record<string, string>,
  ): OnPathGroup {
    const why = `${title} on PATH: ${verdict.why}`;
    this.#considered.push({ candidate: path, verdict: `chosen: ${why}` });
    return { version: verdict.version, paths, why };
  }

  #refuse(candidate: string, verdict: string): void {
    this.#considered.push({ candidate, verdict });
  }
}
