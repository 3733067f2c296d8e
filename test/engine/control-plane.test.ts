import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { crds, moduleDirs, pinned, programs } from "../../engine/control-plane/recipe.ts";
import { cheapWorld, type fakeGo, rejection, world } from "./control-plane-support.ts";
import { leftovers, recorder, runs } from "./support.ts";

const everything = programs.map(({ name }) => name);

describe("what is pinned", () => {
  test("each module of resource definitions has its sums, so that nothing unknown is taken", async () => {
    const mod = await readFile(join(moduleDirs.crds, "go.mod"), "utf8");
    const sum = await readFile(join(moduleDirs.crds, "go.sum"), "utf8");
    const required = [...mod.matchAll(/^\t(\S+) (v\S+)$/gm)];
    expect(required.map(([, module]) => module).sort()).toEqual(
      [...new Set(crds.map(({ module }) => module))].sort(),
    );
    for (const [, module, version] of required) {
      expect(sum).toContain(`${module} ${version} h1:`);
      expect(sum).toContain(`${module} ${version}/go.mod h1:`);
    }
  });

  test("the programs are of the versions that the main modules require", async () => {
    const version = {
      etcd: "go.etcd.io/etcd/server/v3",
      kubernetes: "k8s.io/kubernetes",
      kwok: "sigs.k8s.io/kwok",
    };
    for (const [group, module] of Object.entries(version) as [keyof typeof pinned, string][]) {
      const mod = await readFile(join(moduleDirs[group], "go.mod"), "utf8");
      expect(mod).toContain(`\t${module} v${pinned[group]}`);
      for (const { packagePath } of programs.filter((it) => it.group === group))
        expect(mod).toContain(packagePath);
    }
    const staging = await readFile(join(moduleDirs.kubernetes, "go.mod"), "utf8");
    expect(staging).toContain(
      `k8s.io/api => k8s.io/api v0.${pinned.kubernetes.split(".").slice(1).join(".")}`,
    );
  });
});

describe("making a control plane", () => {
  test("takes the definitions and builds every program, part by part; then it is found without starting anything", async () => {
    const { dir, kitDir, provide, find, go } = await world();
    const { events, onProgress } = recorder();
    const made = await provide({ onProgress });
    expect(made).toMatchObject({
      version: pinned.kubernetes,
      source: "built",
      crds: join(kitDir, "crds"),
      binaries: {
        etcd: join(kitDir, "bin", "etcd"),
        kubeApiserver: join(kitDir, "bin", "kube-apiserver"),
        kubeControllerManager: join(kitDir, "bin", "kube-controller-manager"),
        kubeScheduler: join(kitDir, "bin", "kube-scheduler"),
        kwok: join(kitDir, "bin", "kwok"),
        kubectl: join(kitDir, "bin", "kubectl"),
      },
    });
    const done = events.filter(({ phase }) => phase === "done");
    expect(done.map(({ part, detail }) => [part, detail])).toEqual([
      ["crds", `5 of 5 modules, ${crds.length} definitions`],
      ["modules", "6 fetched, now example.com/m v1.0.0"],
      ["etcd", "2 of 3 packages"],
      ["kube-apiserver", "2 of 3 packages"],
      ["kube-controller-manager", "2 of 1 packages"],
      ["kube-scheduler", "2 of 1 packages"],
      ["kubectl", "2 of 1 packages"],
      ["kwok", "2 of 3 packages"],
      ["check", undefined],
    ]);
    expect((await readdir(kitDir)).sort()).toEqual(["bin", "crds", "manifest.json"]);
    expect((await readdir(join(kitDir, "bin"))).sort()).toEqual([...everything].sort());
    expect((await readdir(join(kitDir, "crds"))).sort()).toEqual(crds.map(({ file }) => file).sort());
    const calls = (await readFile(go.calls, "utf8")).split("\n");
    for (const line of calls.filter((it) => it.startsWith("build ")))
      expect(line).toContain("-mod=readonly -buildvcs=false -trimpath");
    expect(calls.find((it) => it.endsWith("cmd/kube-apiserver") && it.startsWith("build "))).toContain(
      `-X k8s.io/component-base/version.gitVersion=v${pinned.kubernetes}`,
    );
    await rm(join(dir, "go"), { recursive: true });
    for (const verify of [false, true]) expect((await find(verify)).controlPlane?.source).toBe("cache-built");
    expect((await provide()).binaries).toEqual(made.binaries);
  });

  test("never mixes with the Pulumi engine in the same cache", async () => {
    const { cacheDir, provide } = await world();
    await mkdir(join(cacheDir, ".staging-3.220.0-other"), { recursive: true });
    await provide();
    expect(await readdir(cacheDir)).toContain(".staging-3.220.0-other");
  });

  const broken: [string, Parameters<Awaited<ReturnType<typeof fakeGo>>["break"]>, string][] = [
    [
      "a program of another version",
      ["kube-scheduler", "echo Kubernetes v1.34.0"],
      "kube-scheduler says that it is 1.34.0, not",
    ],
    ["a program that does not run", ["etcd", "echo no >&2; exit 1"], "etcd: it does not run: no"],
    [
      "a definition that is none",
      ["routes.crd.yaml", "kind: List"],
      "route.openshift.io_routes.yaml defines no resource",
    ],
  ];
  test.each(broken)("%s is refused", async (_, [what, how], cause) => {
    const { provide, go, kitDir, cacheDir } = await world();
    await go.break(what, how);
    const error = await rejection(provide());
    expect(error.code).toBe("ENGINE_BROKEN");
    expect(error.message).toBe(
      "There is no usable Kubernetes control plane, and none could be made. The Kubernetes control plane that was just made is not usable.",
    );
    expect(error.cause).toContain(cause);
    expect(existsSync(kitDir)).toBe(false);
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("without Go it says that only Go helps", async () => {
    const { dir, provide, cacheDir } = await world();
    await rm(join(dir, "go"), { recursive: true });
    const error = await rejection(provide());
    expect(error.code).toBe("ENGINE_GO_MISSING");
    expect(error.next).toContain("Install Go 1.25.6 or newer");
    expect(error.next).not.toContain("Pulumi");
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  const troubles: [string, string, string, string][] = [
    [
      "modules that cannot be reached",
      "dial tcp: lookup proxy.golang.org: no such host",
      "ENGINE_MODULES_UNREACHABLE",
      "no such host",
    ],
    [
      "a module that is not the pinned one",
      "verifying m: checksum mismatch",
      "ENGINE_BUILD_FAILED",
      "not what this Kiln pins",
    ],
    ["a full disk", "write /x: no space left on device", "ENGINE_DISK_FULL", "about 5 GB"],
  ];
  test.each(troubles)(
    "%s: told in words, nothing half-made, and the next run heals",
    async (_, said, code, cause) => {
      const { provide, go, cacheDir, kitDir } = await world();
      await go.fail("mod download", said);
      const error = await rejection(provide());
      expect(error.code).toBe(code);
      expect(error.cause).toContain(cause);
      expect(existsSync(kitDir)).toBe(false);
      expect(await leftovers(cacheDir)).toEqual([]);
      await go.fail("", "");
      expect((await provide()).source).toBe("built");
    },
  );
});

describe("a kept control plane", () => {
  const damages: [string, string, (dir: string) => Promise<unknown>][] = [
    ["no manifest", "half-made", (dir) => rm(join(dir, "manifest.json"))],
    ["a missing program", "bin/kwok is missing", (dir) => rm(join(dir, "bin", "kwok"))],
    [
      "a missing definition",
      "routes.yaml is missing",
      (dir) => rm(join(dir, "crds", "route.openshift.io_routes.yaml")),
    ],
    [
      "a definition someone wrote to",
      "size changed",
      (dir) => appendFile(join(dir, "crds", crds[0]?.file ?? ""), "# more"),
    ],
  ];
  test.each(damages)("with %s is made anew (%s)", async (_, why, damage) => {
    const { kitDir, provide, look } = await cheapWorld();
    await provide();
    await damage(kitDir);
    const { controlPlane, considered } = await look();
    expect(controlPlane).toBeUndefined();
    expect(considered.at(-1)?.verdict).toContain(why);
    expect((await provide()).source).toBe("built");
    expect((await look()).controlPlane).toBeDefined();
  });
});

describe("interrupted and at once", () => {
  /** Shell text for a build that tells its process id and then never ends. */
  const hang = (dir: string) =>
    `mkfifo ${dir}/never; echo $$ > ${dir}/pid.new; mv ${dir}/pid.new ${dir}/pid; cat ${dir}/never`;
  const pidOf = async (dir: string) => Number(await readFile(join(dir, "pid"), "utf8"));

  test("by the caller: Go ends, nothing half-made stays, and it is told what was interrupted", async () => {
    const { dir, provide, go, cacheDir, kitDir } = await world();
    await go.beforeBuild(hang(dir));
    const stop = new AbortController();
    const error = await rejection(
      provide({
        signal: stop.signal,
        onProgress: () => {
          if (existsSync(join(dir, "pid"))) stop.abort();
        },
      }),
    );
    expect(error).toMatchObject({
      code: "ENGINE_INTERRUPTED",
      message: "Preparing the Kubernetes control plane was interrupted.",
    });
    expect(runs(await pidOf(dir))).toBe(false);
    expect(existsSync(kitDir)).toBe(false);
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("by kill -9: Go ends too, and the next run sweeps and makes it", async () => {
    const { dir, env, provide, go, cacheDir } = await world();
    await go.beforeBuild(hang(dir));
    const url = JSON.stringify(new URL("../../engine/index.ts", import.meta.url).href);
    const text = `import { provideControlPlane } from ${url};
      await provideControlPlane(${JSON.stringify({ cacheDir, env })});`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", text], { stdio: "ignore" });
    await vi.waitUntil(() => existsSync(join(dir, "pid")), { timeout: 60_000 });
    const pid = await pidOf(dir);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    await vi.waitUntil(() => !runs(pid), { timeout: 60_000 });
    await go.beforeBuild("");
    expect((await provide()).source).toBe("built");
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("two at once: one builds, the other waits, says for what, and takes the result", async () => {
    const { dir, provide, go } = await world();
    const gate = join(dir, "gate");
    await go.beforeBuild(`while [ ! -e ${gate} ]; do sleep 0.05; done`);
    const { events, onProgress } = recorder();
    const started = Promise.withResolvers<void>();
    const first = provide({ onProgress: ({ part }) => part === "etcd" && started.resolve() });
    await started.promise;
    const waits = Promise.withResolvers<void>();
    const second = provide({
      onProgress: (event) => {
        onProgress(event);
        waits.resolve();
      },
    });
    await waits.promise;
    await writeFile(gate, "");
    expect((await first).source).toBe("built");
    expect((await second).reason).toContain("another kiln made it while this one waited");
    expect(events[0]).toMatchObject({
      part: "wait",
      title: "wait for another kiln that prepares the Kubernetes control plane",
    });
    const builds = (await readFile(go.calls, "utf8")).split("\n").filter((it) => it.startsWith("build "));
    expect(builds).toHaveLength(programs.length);
  });
});
