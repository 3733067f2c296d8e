import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Secret, unknown } from "../../sandbox/providers/values.ts";
import { type ProviderClient, startProviders } from "./providers-client.ts";

const type = "command:local:Command";
/** A condition may take its time on a busy machine. */
const patient = { timeout: 30_000 };
let folder: string;
let providers: Awaited<ReturnType<typeof startProviders>>;
let command: ProviderClient;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "providers-command-")));
  providers = await startProviders({ projectDir: folder, commandEnv: { GIVEN: "by the sandbox" } });
  command = providers.command;
});
afterEach(async () => {
  await providers.close();
  await rm(folder, { recursive: true });
});

/** Both streams of a script's create. */
async function output(create: string, more = {}): Promise<unknown[]> {
  const { outputs } = await command.create(type, { create, ...more });
  return [outputs.stdout, outputs.stderr];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("running", () => {
  test("shows both streams without their last line end", async () => {
    expect(await output("echo one; echo; echo two >&2")).toEqual(["one\n", "two"]);
  });

  test("has an environment of its own", async () => {
    process.env.NOT_FOR_COMMANDS = "1";
    try {
      const [names] = await output("env | cut -d= -f1 | sort", { environment: { OWN: "x", GIVEN: "over" } });
      const shell = ["PWD", "OLDPWD", "SHLVL", "_"];
      const seen = String(names)
        .split("\n")
        .filter((name) => !shell.includes(name));
      const allowed = ["GIVEN", "HOME", "KILN_PROJECT_DIR", "LANG", "OWN", "PATH", "TMPDIR"];
      expect(allowed).toEqual(expect.arrayContaining(seen));
      expect(await output('echo "$GIVEN $KILN_PROJECT_DIR"')).toEqual([`by the sandbox ${folder}`, ""]);
    } finally {
      delete process.env.NOT_FOR_COMMANDS;
    }
  });

  test("takes directory, interpreter and input", async () => {
    expect(await output("pwd")).toEqual([folder, ""]);
    expect(await output("pwd", { dir: "/" })).toEqual(["/", ""]);
    expect(await output("console.log(1+1)", { interpreter: [process.execPath, "-e"] })).toEqual(["2", ""]);
    expect(await output("cat", { stdin: "in" })).toEqual(["in", ""]);
    expect(await output("true", { stdin: "x".repeat(1_000_000) })).toEqual(["", ""]);
    await expect(output("pwd", { dir: "missing" })).rejects.toThrow(
      `there is no directory '${folder}/missing'`,
    );
    await expect(output("x", { interpreter: ["/no/such/program"] })).rejects.toThrow("ENOENT");
  });

  test("without a script does nothing", async () => {
    const { id, outputs } = await command.create(type, { delete: "exit 1" });
    expect(id).toMatch(/^it[0-9a-f]{8}$/);
    expect(outputs).toEqual({ delete: "exit 1", stdout: "", stderr: "" });
  });

  test("that fails shows its end, without secrets", async () => {
    const failing = output("echo tell $S; echo why >&2; exit 3", {
      environment: { S: new Secret("hush-hush") },
    });
    await expect(failing).rejects.toThrow(
      /exit status 3: running "echo tell \$S; .*":\ntell \[secret\]\nwhy\n/,
    );
    const long = output("head -c 20000 /dev/zero | tr '\\0' x; echo end; kill -9 $$");
    await expect(long).rejects.toThrow(/signal: SIGKILL: running .*\n\[…\]x{100,}end\n/);
  });

  test("with a secret has secret output", async () => {
    const { outputs } = await command.create(type, {
      create: "echo a",
      environment: { S: new Secret("hush-hush") },
    });
    expect(outputs).toMatchObject({ stdout: new Secret("a"), environment: { S: new Secret("hush-hush") } });
  });
});

describe("life of a resource", () => {
  const state = {
    inputs: { create: "echo new", update: 'echo "was $PULUMI_COMMAND_STDOUT"' },
    outputs: { stdout: "old", stderr: "" },
  };

  test("update runs update, else create, and knows the output of before", async () => {
    expect(await command.update(type, "id", state, state.inputs)).toMatchObject({ stdout: "was old" });
    expect(await command.update(type, "id", state, { create: "echo new" })).toMatchObject({ stdout: "new" });
    const without = { ...state.inputs, addPreviousOutputInEnv: false };
    expect(await command.update(type, "id", state, without)).toMatchObject({ stdout: "was " });
    expect(await command.update(type, "id", state, { delete: "true" })).toMatchObject({ stdout: "old" });
  });

  test("delete runs delete", async () => {
    await command.delete(type, "id", {
      inputs: { delete: 'echo "$PULUMI_COMMAND_STDOUT" > gone' },
      outputs: { stdout: "last" },
    });
    expect(await readFile(path.join(folder, "gone"), "utf8")).toBe("last\n");
    await expect(command.delete(type, "id", { inputs: { delete: "exit 4" } })).rejects.toThrow(
      "exit status 4",
    );
  });

  test("a preview runs nothing and knows no output", async () => {
    const create = "touch ran";
    expect((await command.create(type, { create }, { preview: true })).outputs).toEqual({
      create,
      stdout: unknown,
      stderr: unknown,
    });
    expect(await command.update(type, "id", state, { create }, true)).toMatchObject({ stdout: unknown });
    await expect(readFile(path.join(folder, "ran"))).rejects.toThrow("ENOENT");
  });

  test("a trigger replaces, all else updates", async () => {
    const diff = await command.diff(
      type,
      { create: "a", triggers: ["1", "2"] },
      { create: "b", triggers: ["1", "3"] },
    );
    expect(diff.details).toEqual({ create: "UPDATE", "triggers[1]": "UPDATE_REPLACE" });
    expect(diff.deleteFirst).toBe(false);
  });

  test("a read tells what is known", async () => {
    expect(await command.read(type, "id", state)).toEqual({ id: "id", ...state });
  });
});

describe("check", () => {
  test("names what does not fit", async () => {
    const { failures } = await command.check(type, {
      create: 1,
      environment: { A: 2 },
      interpreter: "sh",
      logging: "all",
      triggers: "x",
      addPreviousOutputInEnv: "yes",
      assetPaths: ["x"],
      colour: "red",
    });
    expect(failures).toEqual(
      [
        "create: 'create' should be a string",
        "environment: 'environment' should be a map of strings",
        "interpreter: 'interpreter' should be a list of strings",
        "logging: 'logging' should be one of stdout, stderr, stdoutAndStderr, none",
        "triggers: 'triggers' should be a list",
        "addPreviousOutputInEnv: 'addPreviousOutputInEnv' should be true or false",
        "assetPaths: the sandbox's command provider does not collect 'assetPaths'",
        "colour: command:local:Command has no property 'colour'",
      ].sort(),
    );
  });

  test("lets secrets and what is not known yet pass", async () => {
    const inputs = {
      create: new Secret("x"),
      stdin: unknown,
      environment: { A: unknown, B: new Secret("b") },
    };
    expect(await command.check(type, inputs)).toEqual({ inputs, failures: [] });
  });

  test("names a type that is not served", async () => {
    const { failures } = await command.check("command:remote:Command", {});
    expect(failures).toEqual([": the sandbox does not serve resource type 'command:remote:Command'"]);
  });
});

describe("run, the function", () => {
  test("runs", async () => {
    const { result } = await command.invoke("command:local:run", { command: "echo hi" });
    expect(result).toEqual({ command: "echo hi", stdout: "hi", stderr: "" });
  });

  test("names what is missing or not served", async () => {
    expect((await command.invoke("command:local:run", {})).failures).toEqual([
      "command: missing required property 'command'",
    ]);
    await expect(command.invoke("command:remote:run", {})).rejects.toThrow(
      "does not serve function 'command:remote:run'",
    );
  });
});

describe("ending early", () => {
  /** Starts a script that leaves the ids of itself and of a child, and waits for them. */
  async function startStubborn(
    create: Promise<unknown>,
  ): Promise<{ ids: number[]; failure: Promise<Error> }> {
    const failure = create.then(
      () => new Error("it ended by itself"),
      (error: Error) => error,
    );
    await expect.poll(async () => (await readIds()).length, patient).toBe(2);
    return { ids: await readIds(), failure };
  }
  async function readIds(): Promise<number[]> {
    const text = await readFile(path.join(folder, "ids"), "utf8").catch(() => "");
    return text
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
  }
  const script = "sleep 600 & echo $! >> ids; echo $$ >> ids; wait";

  test.each(["cancel", "hang up", "close"] as const)("%s kills the whole group", async (way) => {
    let call: grpc.ClientUnaryCall | undefined;
    const { ids, failure } = await startStubborn(
      command.create(
        type,
        { create: script },
        {
          onCall: (made) => {
            call = made;
          },
        },
      ),
    );
    if (way === "cancel") await command.cancel();
    if (way === "hang up") call?.cancel();
    if (way === "close") await providers.served.close();
    expect((await failure).message).toMatch(/cancelled|CANCELLED|stopping|UNAVAILABLE/);
    await expect.poll(() => ids.some(isRunning), patient).toBe(false);
  });

  test("a time limit too", async () => {
    await expect(command.create(type, { create: script }, { timeout: 0.2 })).rejects.toThrow(
      "not done within 0.2 s",
    );
    await expect.poll(async () => (await readIds()).some(isRunning), patient).toBe(false);
  });
});

describe("log", () => {
  /** An engine that takes log lines. */
  async function startEngine(): Promise<{ address: string; lines: string[]; close(): void }> {
    const lines: string[] = [];
    const server = new grpc.Server();
    const log: grpc.handleUnaryCall<LogRequest, unknown> = (call, callback) => {
      lines.push(`${call.request.getUrn().split("::").at(-1)} ${call.request.getMessage()}`);
      callback(null, new emptyProto.Empty());
    };
    server.addService(engineService.EngineService, { log });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return { address: `127.0.0.1:${port}`, lines, close: () => server.forceShutdown() };
  }

  test("gets each line as it comes, in order, as far as logging allows, without secrets", async () => {
    const engine = await startEngine();
    await command.attach(engine.address);
    const create = "echo a $S; echo b; printf c; echo d >&2";
    const environment = { S: new Secret("hush-hush") };
    await command.create(type, { create, environment, logging: "stdout" });
    expect(engine.lines).toEqual(["it a [secret]", "it b", "it c"]);
    engine.lines.length = 0;
    await command.create(type, { create, logging: "stderr" });
    await command.create(type, { create, logging: "none" });
    expect(engine.lines).toEqual(["it d"]);
    engine.close();
  });

  test("an engine that is gone does not matter", async () => {
    await command.attach("127.0.0.1:1");
    expect(await output("echo a")).toEqual(["a", ""]);
  });
});
