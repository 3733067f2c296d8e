import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { groups, pinned, programs } from "../../engine/control-plane/recipe.ts";
import { cheapWorld, fakeProgram, world } from "./control-plane-support.ts";
import { program, script } from "./support.ts";

const everything = programs.map(({ name }) => name);

describe("programs of the control plane on PATH", () => {
  test("stand in where a whole group fits, and only the rest is built", async () => {
    const { bin, kitDir, provide, go } = await world();
    for (const name of groups.kubernetes) await fakeProgram(bin, name, "1.33.2");
    const made = await provide();
    expect(made.version).toBe("1.33.2");
    expect(made.binaries).toMatchObject({
      kubeApiserver: join(bin, "kube-apiserver"),
      kubectl: join(bin, "kubectl"),
      etcd: join(kitDir, "bin", "etcd"),
    });
    expect(made.reason).toContain("Kubernetes on PATH: version 1.33.2 is within >=1.31.0 <2; ");
    const calls = await readFile(go.calls, "utf8");
    expect(calls).not.toContain("kube-apiserver");
    expect((await readdir(join(kitDir, "bin"))).sort()).toEqual(["etcd", "kwok"]);
  });

  test("all of them there: only the definitions are taken, and nothing is compiled", async () => {
    const { bin, kitDir, provide, go } = await world();
    for (const { name, group } of programs) await fakeProgram(bin, name, pinned[group]);
    const made = await provide();
    expect(Object.values(made.binaries).every((path) => path.startsWith(bin))).toBe(true);
    expect(made.crds).toBe(join(kitDir, "crds"));
    expect(await readFile(go.calls, "utf8")).not.toMatch(/^build/m);
  });

  test("a kit that lacks what PATH has lost is made whole, and keeps what it had", async () => {
    const { bin, kitDir, provide } = await world();
    for (const name of groups.kubernetes) await fakeProgram(bin, name, "1.33.2");
    await provide();
    for (const name of groups.kubernetes) await rm(join(bin, name));
    await fakeProgram(bin, "etcd", "3.5.17");
    const made = await provide();
    expect(made.version).toBe(pinned.kubernetes);
    expect(made.binaries.etcd).toBe(join(bin, "etcd"));
    expect(made.considered.map(({ verdict }) => verdict)).toContain("it has no kube-apiserver");
    expect((await readdir(join(kitDir, "bin"))).sort()).toEqual([...everything].sort());
  });

  const unfit: [string, (bin: string) => Promise<unknown>, string, string][] = [
    [
      "an etcd that is too old",
      (bin) => fakeProgram(bin, "etcd", "3.4.30"),
      "etcd",
      "version 3.4.30 is outside >=3.5.0 <4",
    ],
    [
      "a kwok that does not run",
      (bin) => script(join(bin, "kwok"), "echo bad image >&2; exit 2"),
      "kwok",
      "it does not run: bad image",
    ],
    [
      "an API server alone",
      (bin) => fakeProgram(bin, "kube-apiserver", "1.35.1"),
      "kube-apiserver",
      "version 1.35.1 fits, but there is no kube-controller-manager on PATH",
    ],
    [
      "a kubectl of another minor version",
      async (bin) => {
        for (const name of groups.kubernetes)
          await fakeProgram(bin, name, name === "kubectl" ? "1.34.0" : "1.35.0");
      },
      "kube-apiserver",
      "no kubectl on PATH is of 1.35 (",
    ],
    [
      "one that prints something else",
      (bin) => script(join(bin, "etcd"), "echo hello"),
      "etcd",
      'no version that Kiln understands ("hello")',
    ],
  ];
  test.each(unfit)("%s is refused, and the kept one is taken", async (_, put, name, why) => {
    const { bin, kitDir, provide, look } = await cheapWorld();
    await provide();
    await put(bin);
    const { controlPlane, considered } = await look();
    expect(controlPlane?.source).toBe("cache-built");
    expect(Object.values(controlPlane?.binaries ?? {}).every((path) => path.startsWith(kitDir))).toBe(true);
    expect(considered.find(({ candidate }) => candidate === join(bin, name))?.verdict).toContain(why);
  });

  test("a kubectl alone, which many have, is not even asked", async () => {
    const { dir, bin, provide } = await cheapWorld();
    await script(join(bin, "kubectl"), `touch ${dir}/asked`);
    const made = await provide();
    expect(made.binaries.kubectl).not.toBe(join(bin, "kubectl"));
    expect(existsSync(join(dir, "asked"))).toBe(false);
  });

  test("those beside the API server come first; another installation's are passed over", async () => {
    const { dir, bin, env, provide } = await cheapWorld();
    const other = join(dir, "other");
    for (const name of groups.kubernetes) await fakeProgram(bin, name, "1.35.0");
    await fakeProgram(other, "kubectl", "1.35.9");
    const path = [join(dir, "go"), other, bin].join(":");
    const made = await provide({ env: { ...env, PATH: path } });
    expect(made.binaries.kubectl).toBe(join(bin, "kubectl"));
  });

  test("are asked for their versions once, until a file changes", async () => {
    const { dir, bin, look } = await cheapWorld();
    const asked = join(dir, "asked");
    const times = async () => (await readFile(asked, "utf8")).split("\n").length - 1;
    await program(join(bin, "etcd"), `echo asked >> ${asked}; echo "etcd Version: 3.5.17"`);
    await program(
      join(bin, "kwok"),
      `echo asked >> ${asked}; echo "kwok version v0.7.0 go1.26 (linux/amd64)"`,
    );
    for (let i = 0; i < 3; i++) await look();
    expect(await times()).toBe(2);
    await writeFile(join(bin, "kwok"), `${await readFile(join(bin, "kwok"), "utf8")}#`);
    await look();
    expect(await times()).toBe(3);
  });
});
