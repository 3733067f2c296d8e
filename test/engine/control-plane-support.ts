import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { controlPlaneKey } from "../../engine/control-plane/kit.ts";
import { crdSources, crds, type ProgramName, pinned, programs } from "../../engine/control-plane/recipe.ts";
import {
  EngineError,
  findControlPlane,
  type ProvideOptions,
  provideControlPlane,
} from "../../engine/index.ts";
import { cheapWay, environment, scratch, script } from "./support.ts";

/** What a program says when it is asked for its version. */
function words(name: ProgramName, version: string): string {
  if (name === "etcd") return `echo "etcd Version: ${version}"; echo "Git SHA: none"`;
  if (name === "kwok") return `echo "kwok version v${version} go1.26.0 (linux/amd64)"`;
  return name === "kubectl"
    ? `echo "Client Version: v${version}"; echo "Kustomize Version: v5.7.1"`
    : `echo "Kubernetes v${version}"`;
}

/** Writes a program of the control plane that says that it is `version`. */
export function fakeProgram(bin: string, name: ProgramName, version: string): Promise<string> {
  return script(join(bin, name), words(name, version));
}

/**
 * A `go` in `dir` that knows the modules of the control plane: it "builds" programs of the pinned versions and has module folders with
 * definitions.
 */
export async function fakeGo(dir: string) {
  const calls = join(dir, "calls");
  const made = join(dir, "made");
  for (const { name, group } of programs) await script(join(made, name), words(name, pinned[group]));
  for (const { module, folder, group, plurals, file } of crdSources) {
    const inside = join(dir, "modules", module, folder);
    await mkdir(inside, { recursive: true });
    for (const plural of plurals) {
      const text = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: ${plural}.${group}\n`;
      // Read-only, as Go leaves them.
      await writeFile(join(inside, file?.(plural) ?? `${group}_${plural}.yaml`), text, { mode: 0o444 });
    }
  }
  await writeFile(join(dir, "before-build"), "");
  await writeFile(join(dir, "before-all"), "");
  await script(
    join(dir, "go"),
    `echo "$@" >> ${calls}
. ${dir}/before-all
case "$1 $*" in
  env*) echo go1.26.0; echo local ;;
  *" -m "*)
    while [ "$1" != -f ]; do shift; done; shift; shift
    for module; do printf '%s\\t%s\\n' "$module" "${dir}/modules/$module"; done ;;
  list*) echo "go: downloading example.com/m v1.0.0" >&2
    for last; do :; done
    echo a; echo b; echo "$last" ;;
  build*)
    . ${dir}/before-build
    echo a >&2; echo b >&2
    while [ "$1" != -o ]; do shift; done
    cp "${made}/$(basename "$2")" "$2" ;;
esac`,
  );
  return {
    /** File with the arguments of each call, one a line. */
    calls,
    /** Shell text that runs before something is built. */
    beforeBuild: (text: string) => writeFile(join(dir, "before-build"), text),
    /** Makes calls that begin so fail with these words; none any more when it is empty. */
    fail: (begin: string, said: string) =>
      writeFile(
        join(dir, "before-all"),
        begin === ""
          ? ""
          : `case "$*" in ${JSON.stringify(begin)}*) echo ${JSON.stringify(said)} >&2; exit 1 ;; esac\n`,
      ),
    /** Makes a program do this, or a definition say this. */
    break: async (what: string, how: string): Promise<void> => {
      const source = crdSources.find(({ plurals, file }) =>
        plurals.some((plural) => file?.(plural) === what),
      );
      if (source === undefined) await script(join(made, what), how);
      else {
        const path = join(dir, "modules", source.module, source.folder, what);
        await rm(path);
        await writeFile(path, how);
      }
    },
  };
}

/** A cache, a PATH with nothing on it but a fake `go`, and what a control plane is asked for with them. */
export async function world() {
  const dir = await scratch();
  const cacheDir = join(dir, "cache");
  const bin = join(dir, "bin");
  const env = environment(dir, join(dir, "go"), bin);
  const kitDir = join(cacheDir, controlPlaneKey);
  const provide = (options: Partial<ProvideOptions> = {}) =>
    provideControlPlane({ cacheDir, env, ...options });
  const find = (verify = false) => findControlPlane({ cacheDir, env, verify });
  const go = await fakeGo(join(dir, "go"));
  return { dir, cacheDir, bin, env, kitDir, provide, find, go };
}

/** {@link world} in which a control plane is put together in no time, without any `go`. */
export async function cheapWorld() {
  const dir = await scratch();
  const [cacheDir, bin] = [join(dir, "cache"), join(dir, "bin")];
  const env = environment(dir, bin);
  const fill = cheapWay(async ({ staging }) => {
    await mkdir(join(staging, "crds"), { recursive: true });
    for (const { name, group } of programs) await fakeProgram(join(staging, "bin"), name, pinned[group]);
    for (const { file } of crds)
      await writeFile(join(staging, "crds", file), "kind: CustomResourceDefinition\n");
  });
  const provide = (options: Partial<ProvideOptions> = {}) =>
    provideControlPlane({ cacheDir, env, ways: [fill], ...options });
  const look = () => findControlPlane({ cacheDir, env, recipes: ["test:1"] });
  return { dir, cacheDir, bin, env, kitDir: join(cacheDir, controlPlaneKey), provide, look };
}

/** The rejection as an EngineError; anything else fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error as EngineError;
}
