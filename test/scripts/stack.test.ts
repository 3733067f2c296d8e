import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kilnPaths } from "../../scripts/lib/paths.ts";
import { engineEnvironment, isNoStack, StackHandle, type StackOptions } from "../../scripts/lib/stack.ts";
import { stackLocked, stateLocks } from "../../scripts/lib/state-locks.ts";
import { project } from "./support.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "kiln-stack-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("the environment of the engine's processes", () => {
  const engine = { pulumi: "/engine/pulumi", binDir: "/engine/tools" };
  const target = { engineEnv: { PULUMI_HOME: "/home/pulumi", HTTPS_PROXY: "http://127.0.0.1:1" } };
  const of = (env: NodeJS.ProcessEnv) => engineEnvironment(engine, target, { project: "/project" }, env);

  it("finds Kiln's policy host first, then the engine, its tools and this Node, then what the user has", () => {
    const folders = of({ PATH: "/usr/bin:/bin" }).PATH?.split(":") ?? [];
    expect(existsSync(path.join(folders[0] ?? "", "pulumi-analyzer-policy"))).toBe(true);
    expect(folders.slice(1)).toEqual([
      "/engine",
      "/engine/tools",
      path.dirname(process.execPath),
      "/usr/bin",
      "/bin",
    ]);
  });

  it("has what the cloud needs, the project, this Node and Kiln's mark, and nothing else", () => {
    const { PATH, ...rest } = of({ SECRET: "x" });
    expect(rest).toEqual({
      ...target.engineEnv,
      KILN_NODE: process.execPath,
      KILN_PROJECT_DIR: "/project",
      KILN_RUN: String(process.pid),
      GOGC: "400",
      GOMEMLIMIT: "1GiB",
    });
    expect(of({ GOGC: "50", GOMEMLIMIT: "off" })).toMatchObject({ GOGC: "50", GOMEMLIMIT: "off" });
    expect(of({ NODE_COMPILE_CACHE: "/cache" }).NODE_COMPILE_CACHE).toBe("/cache");
  });
});

describe("locks that the engine tells of", () => {
  const message = [
    "error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
    "  file:///s/a.json: created by ann@build-1 (pid 12) at 2026-03-02T10:00:00Z",
    "  file:///s/b.json: created by @build-2 (pid 345) at 2026-03-02T11:00:00+01:00",
  ].join("\n");
  const ann = { user: "ann", host: "build-1", pid: 12, since: "2026-03-02T10:00:00Z" };
  const nobody = { user: "", host: "build-2", pid: 345, since: "2026-03-02T11:00:00+01:00" };

  it("are each read, where the error is about that", () => {
    expect(stateLocks(message)).toEqual([ann, nobody]);
    expect(stateLocks("created by ann@build-1 (pid 12) at 2026-03-02T10:00:00Z")).toEqual([]);
  });

  it("become a failure that names everyone once, with exit code 4", () => {
    expect(stackLocked("dev", [ann, ann, nobody])).toMatchObject({
      code: "Locked",
      message: "the state of environment dev is locked",
      cause:
        "Another run works on it: ann@build-1, process 12, since 2026-03-02T10:00:00Z; @build-2, process 345, since 2026-03-02T11:00:00+01:00.",
      next: expect.stringContaining("`kiln unlock dev`"),
      exitCode: 4,
    });
  });
});

it("only the engine's own words mean that there is no such stack", () => {
  expect(isNoStack(new Error("error: no stack named 'dev' found"))).toBe(true);
  expect(isNoStack(new Error("read ECONNRESET"))).toBe(false);
  expect(isNoStack("no stack named 'dev' found")).toBe(false);
});

/** A stack whose engine is a script of the shell. */
function handle(script: string, target: object = {}, environment = "dev"): StackHandle {
  const pulumi = path.join(home, "engine.sh");
  writeFileSync(pulumi, `#!/bin/sh\n${script}\n`);
  chmodSync(pulumi, 0o755);
  const options = {
    environment,
    paths: kilnPaths({ KILN_HOME: home }),
    engine: { pulumi, binDir: home, version: "3.0.0" },
    target: { ownBackend: true, engineEnv: {}, ...target },
    env: { PATH: process.env.PATH },
  };
  mkdirSync(options.paths.run, { recursive: true });
  return new StackHandle(options as unknown as StackOptions);
}

const resource = { urn: "urn:vault", type: "azure-native:keyvault:Vault", custom: true, id: "/x" };
const recorded = JSON.stringify({ version: 3, deployment: { resources: [resource] } });

describe("commands of the engine", () => {
  it("name the stack and ask nobody", async () => {
    expect(await handle('echo "$@"').run(["stack", "export"])).toBe(
      "stack export --stack dev --non-interactive\n",
    );
  });

  it("fail with what the engine said, on stderr or else on stdout", async () => {
    await expect(handle("echo out; echo ' why ' >&2; exit 3").run([])).rejects.toThrow(/^why$/);
    await expect(handle("echo out; exit 3").run([])).rejects.toThrow(/^out$/);
    await expect(handle("exit 3").run([])).rejects.toThrow(/Command failed/);
  });

  it("in a backend of Kiln's own see the project without what belongs to the user's backend", async () => {
    const [folder] = (await handle("pwd").run([])).split("\n");
    expect(folder).toBe(path.join(home, "run", "projects", "dev"));
    const original = parse(readFileSync(path.join(project, "Pulumi.yaml"), "utf8"));
    const shadow = parse(readFileSync(path.join(folder ?? "", "Pulumi.yaml"), "utf8"));
    expect(shadow).toEqual({ name: "kiln", runtime: original.runtime, config: original.config });
    const own = parse(readFileSync(path.join(project, "Pulumi.dev.yaml"), "utf8"));
    expect(parse(readFileSync(path.join(folder ?? "", "Pulumi.dev.yaml"), "utf8"))).toEqual(
      own.config === undefined ? {} : { config: own.config },
    );
  });

  it("in such a backend quote every text: the engine would read a bare 2025-11-13 as a date", async () => {
    const [folder] = (await handle("pwd", {}, "prod").run([])).split("\n");
    const text = readFileSync(path.join(folder ?? "", "Pulumi.prod.yaml"), "utf8");
    expect(text).toContain('version: "2025-11-13"');
    expect(text).toContain("capacity: 60");
  });

  it("of an environment without a file of its own find an empty one", async () => {
    const [folder] = (await handle("pwd", {}, "pr-7").run([])).split("\n");
    expect(readFileSync(path.join(folder ?? "", "Pulumi.pr-7.yaml"), "utf8")).toBe("{}\n");
  });

  it("in the user's backend run in the project itself", async () => {
    expect(await handle("pwd", { ownBackend: false }).run([])).toBe(`${project}\n`);
  });
});

describe("reading the record", () => {
  it("gives what the engine exports", async () => {
    const stack = handle(`echo '${recorded}'`);
    expect(await stack.read()).toBe(true);
    expect(stack.state.resources).toEqual([resource]);
  });

  it("tells that there is no such stack from everything else that can be wrong", async () => {
    const none = handle("echo \"error: no stack named 'dev' found\" >&2; exit 255");
    expect(await none.read()).toBe(false);
    expect(none.state.resources).toEqual([]);
    await expect(handle("echo 'error: incorrect passphrase' >&2; exit 255").read()).rejects.toMatchObject({
      code: "SecretsProvider",
    });
    await expect(handle("echo nonsense").read()).rejects.toThrow(SyntaxError);
  });

  it("needs no engine to see that a backend that is a folder has no such stack, and asks it about all else", async () => {
    const stateFolder = path.join(home, "state");
    const stacks = path.join(stateFolder, ".pulumi", "stacks", "kiln");
    // The engine, when it is asked, has one.
    const read = () => handle(`echo '${recorded}'`, { stateFolder }).read();
    expect(await read()).toBe(true);
    mkdirSync(stateFolder);
    expect(await read()).toBe(false);
    mkdirSync(stacks, { recursive: true });
    writeFileSync(path.join(stacks, "prod.json"), "");
    writeFileSync(path.join(stacks, "dev.json.bak"), "");
    expect(await read()).toBe(false);
    for (const name of ["dev.json", "dev.json.gz"]) {
      writeFileSync(path.join(stacks, name), "");
      expect(await read()).toBe(true);
      rmSync(path.join(stacks, name));
    }
    rmSync(stacks, { recursive: true });
    writeFileSync(stacks, "no folder");
    expect(await read()).toBe(true);
  });

  it("makes the stack without choosing it for the user", async () => {
    const log = path.join(home, "log");
    await handle(`echo "$@" > ${log}`).create();
    expect(readFileSync(log, "utf8")).toBe("stack init --no-select --stack dev --non-interactive\n");
    await handle(`echo "$@" > ${log}`, { secretsProvider: "azurekeyvault://kv/keys/k" }).create();
    expect(readFileSync(log, "utf8")).toContain(
      "init --no-select --secrets-provider azurekeyvault://kv/keys/k --stack",
    );
  });
});

describe("a glance at the record", () => {
  const checkpoint = (content: string) => {
    const folder = path.join(home, "state", ".pulumi", "stacks", "kiln");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "dev.json"), content);
  };
  const inFolder = () => handle("exit 1", { stateFolder: path.join(home, "state") });

  it("is without the engine where the backend is a folder of Kiln's", async () => {
    checkpoint(JSON.stringify({ checkpoint: { latest: { resources: [resource] } } }));
    expect((await inFolder().glance()).resources).toEqual([resource]);
  });

  it("shows nothing where there is nothing, or what only the engine can judge", async () => {
    expect((await inFolder().glance()).resources).toEqual([]);
    checkpoint("{");
    expect((await inFolder().glance()).resources).toEqual([]);
  });

  it("is a read anywhere else", async () => {
    expect((await handle(`echo '${recorded}'`).glance()).resources).toEqual([resource]);
    const none = handle("echo \"error: no stack named 'dev' found\" >&2; exit 255");
    expect((await none.glance()).resources).toEqual([]);
  });
});

describe("editing the record", () => {
  const script = (importing: string) =>
    `case "$2" in export) echo '${recorded}';; import) ${importing};; esac`;
  const left = () => existsSync(path.join(home, "run", `dev.${process.pid}.state.json`));

  it("exports it, changes it as a whole and imports it, and leaves no copy", async () => {
    const imported = path.join(home, "imported.json");
    const stack = handle(script(`cp "$4" ${imported}; stat -c %a "$4" > ${imported}.mode`));
    await stack.edit((state) => ({ ...state, deployment: { ...state.deployment, pending_operations: [] } }));
    expect(JSON.parse(readFileSync(imported, "utf8"))).toEqual({
      version: 3,
      deployment: { resources: [resource], pending_operations: [] },
    });
    expect(readFileSync(`${imported}.mode`, "utf8").trim()).toBe("600");
    expect(left()).toBe(false);
  });

  it("leaves no copy when the engine refuses it, and says so", async () => {
    const stack = handle(script("echo refused >&2; exit 1"));
    await expect(stack.edit((state) => state)).rejects.toThrow("refused");
    expect(left()).toBe(false);
  });
});

describe("what was done to the stack", () => {
  it("is told by the engine, the latest first", async () => {
    const history = [
      { kind: "update", result: "failed", startTime: "2026-03-02" },
      { kind: "update", result: "succeeded" },
    ];
    const log = path.join(home, "log");
    const stack = handle(`echo "$@" > ${log}; echo '${JSON.stringify(history)}'`);
    expect(await stack.history()).toEqual(history);
    expect(readFileSync(log, "utf8")).toMatch(/^stack history --json .*--stack dev --non-interactive\n$/);
  });

  it("is nothing where the engine says nothing, and never made up", async () => {
    expect(await handle("exit 0").history()).toEqual([]);
    await expect(handle(`echo '[{"kind":"update"}]'`).history()).rejects.toThrow();
  });
});

describe("the region that the stack's configuration holds the environment to", () => {
  it("is kept from handle to handle, for this environment only", () => {
    handle("exit 0").pin("westus");
    expect(handle("exit 0").pinnedLocation).toBe("westus");
    expect(handle("exit 0", {}, "staging").pinnedLocation).toBeUndefined();
    handle("exit 0").pin(undefined);
    expect(handle("exit 0").pinnedLocation).toBeUndefined();
  });
});

describe("something that is no operation of the engine", () => {
  const lock = (environment: string) => {
    const folder = path.join(home, "state", ".pulumi", "locks", "organization", "kiln", environment);
    mkdirSync(folder, { recursive: true });
    const owner = { username: "ann", hostname: "elsewhere", pid: 12, timestamp: "2026-03-02T10:00:00Z" };
    writeFileSync(path.join(folder, "a.json"), JSON.stringify(owner));
  };

  it("does not run beside one, where the backend is a folder", () => {
    const stack = handle("exit 1", { stateFolder: path.join(home, "state") });
    lock("staging");
    expect(stack.refuseLocked()).toBeUndefined();
    lock("dev");
    expect(() => stack.refuseLocked()).toThrow(
      expect.objectContaining({
        code: "Locked",
        cause: expect.stringContaining("ann@elsewhere, process 12"),
        exitCode: 4,
      }),
    );
    expect(handle("exit 1").refuseLocked()).toBeUndefined();
  });
});

describe("the lock of a stack that a killed run was about to make", () => {
  const folder = () => path.join(home, "state", ".pulumi", "locks", "organization", "kiln", "dev");
  const lock = (host: string, pid: number) => {
    mkdirSync(folder(), { recursive: true });
    const owner = { username: "ann", hostname: host, pid, timestamp: new Date().toISOString() };
    writeFileSync(path.join(folder(), "a.json"), JSON.stringify(owner));
  };
  /** An engine that makes no stack while there is a lock. */
  const engine = (target: object) =>
    handle(
      `if [ -e ${folder()}/a.json ]; then echo "error: the stack is currently locked by 1 lock(s)." >&2
echo "  a.json: created by ann@there (pid 12) at 2026-03-02T10:00:00Z" >&2; exit 255; fi; echo made > ${home}/made`,
      target,
    );
  const inFolder = () => ({ stateFolder: path.join(home, "state") });
  const made = () => existsSync(path.join(home, "made"));

  it("is taken away when its owner is gone, and the stack is made", async () => {
    lock(hostname(), 2 ** 30);
    await engine(inFolder()).create();
    expect(made()).toBe(true);
  });

  it("is left to whoever may still work, and to a backend that cannot be looked into", async () => {
    lock("there", 12);
    await expect(engine(inFolder()).create()).rejects.toMatchObject({ code: "Locked", exitCode: 4 });
    lock(hostname(), 2 ** 30);
    await expect(engine({}).create()).rejects.toMatchObject({
      code: "Locked",
      cause: expect.stringContaining("ann@there, process 12"),
    });
    expect(made()).toBe(false);
  });

  it("is not what another failure is about", async () => {
    await expect(handle("echo 'no space left' >&2; exit 1", inFolder()).create()).rejects.toThrow(
      "no space left",
    );
  });
});

describe("who holds the stack", () => {
  it("is told by a backend with a server, and otherwise by asking for the lock", async () => {
    const server =
      "echo '    Owner: org'; echo '    Update in progress:'; echo '  Started: now'; echo '  Requested By: ann'";
    expect(await handle(server).locks()).toEqual([{ user: "ann", host: "", pid: 0, since: "now" }]);
    const rename = (said: string) =>
      handle(`if [ "$2" = rename ]; then echo "${said}" >&2; exit 255; fi; echo 'Current stack is dev'`);
    const held =
      "error: the stack is currently locked by 1 lock(s). created by ann@there (pid 12) at 2026-03-02T10:00:00Z";
    expect(await rename(held).locks()).toEqual([
      { user: "ann", host: "there", pid: 12, since: "2026-03-02T10:00:00Z" },
    ]);
    expect(await rename("error: a stack named dev already exists").locks()).toEqual([]);
    await expect(rename("error: incorrect passphrase").locks()).rejects.toMatchObject({
      code: "SecretsProvider",
    });
  });

  it("is nobody where there is no such stack", async () => {
    expect(await handle("echo \"error: no stack named 'dev' found\" >&2; exit 255").locks()).toEqual([]);
  });
});
