import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BoundedLog } from "../../../sandbox/appservice/bounded-log.ts";
import { Processes, type RecordedProcess, startTimeOf } from "../../../sandbox/appservice/processes.ts";
import { type FromWorker, runWorker, type ToWorker } from "../../../sandbox/appservice/worker.ts";
import { Store } from "../../../sandbox/core/store.ts";
import { until } from "./support.ts";

let folder: string;
let store: Store;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-processes-"));
  store = new Store(path.join(folder, "test.sqlite"));
});
afterAll(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const recorded = (name: string) => store.collection<RecordedProcess>(name);
const forever = (more: object = {}) => ({
  file: process.execPath,
  args: ["-e", "setInterval(() => {}, 1000)"],
  cwd: folder,
  env: {},
  log: path.join(folder, "app.log"),
  ...more,
});

describe("processes", () => {
  test("are recorded while they live, end when told, and end with their worker", async () => {
    const processes = new Processes(recorded("a"));
    const one = await processes.start(forever());
    const two = await processes.start(forever());
    expect(
      recorded("a")
        .values()
        .map(({ pid }) => pid),
    ).toEqual([one.pid, two.pid]);
    one.signal("SIGTERM");
    expect(await one.exited).toEqual({ code: null, signal: "SIGTERM" });
    expect(recorded("a").values()).toEqual([{ pid: two.pid, started: startTimeOf(two.pid) }]);
    await processes.close();
    await until("the other is gone", () => startTimeOf(two.pid) === undefined);
    expect(recorded("a").size).toBe(0);
  });

  test("that cannot be started say why", async () => {
    const processes = new Processes(recorded("b"));
    await expect(processes.start(forever({ file: "no-such-program" }))).rejects.toThrow("ENOENT");
    await processes.close();
  });

  test("die with a worker that is killed, and a new worker starts the next", async () => {
    const processes = new Processes(recorded("c"));
    const one = await processes.start(forever());
    const worker = Number(readFileSync(`/proc/${one.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1]);
    process.kill(worker, "SIGKILL");
    expect(await one.exited).toEqual({ code: null, signal: "SIGKILL" });
    await until("it is gone", () => startTimeOf(one.pid) === undefined);
    const two = await processes.start(forever());
    expect(startTimeOf(two.pid)).toBeDefined();
    await processes.close();
    await two.exited;
  });

  test("die with a sandbox that is killed", async () => {
    const main = path.join(folder, "daemon.mjs");
    const source = path.resolve("sandbox/appservice/processes.ts");
    writeFileSync(
      main,
      `import { Processes } from ${JSON.stringify(source)};
const all = new Map();
const processes = new Processes({ get: (k) => all.get(k), put: (k, v) => all.set(k, v), delete: (k) => all.delete(k), values: () => [...all.values()], entries: () => [...all.entries()], size: 0 });
const app = await processes.start(${JSON.stringify(forever())});
process.send(app.pid);`,
    );
    const daemon: ChildProcess = fork(main, { stdio: "inherit" });
    const pid = await new Promise<number>((resolve) =>
      daemon.once("message", (message) => resolve(Number(message))),
    );
    expect(startTimeOf(pid)).toBeDefined();
    daemon.kill("SIGKILL");
    await until("the app is gone", () => startTimeOf(pid) === undefined);
  });

  test("that an earlier life left are reaped; another process of the same pid is not", async () => {
    const orphan = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });
    const ended = new Promise((resolve) => orphan.once("exit", (_code, signal) => resolve(signal)));
    const pid = orphan.pid ?? 0;
    const saved = recorded("d");
    saved.put("other", { pid: process.pid, started: "0" });
    saved.put(String(pid), { pid, started: startTimeOf(pid) ?? "" });
    new Processes(saved).reap();
    expect(await ended).toBe("SIGKILL");
    expect(saved.size).toBe(0);
  });
});

test("the worker starts, signals, reports, and takes all along when the sandbox is lost", async () => {
  const heard: FromWorker[] = [];
  let tell: (message: ToWorker) => void = () => {};
  let lose: () => void = () => {};
  let exited = false;
  runWorker(
    {
      send: (message) => heard.push(message),
      onMessage: (listener) => {
        tell = listener;
      },
      onLost: (listener) => {
        lose = listener;
      },
    },
    () => {
      exited = true;
    },
  );
  const log = path.join(folder, "worker.log");
  const started = (id: string) => heard.find((each) => each.id === id && each.type === "started");
  tell({
    type: "start",
    id: "says",
    ...forever({ args: ["-e", "console.log(process.env.X)"], env: { X: "hi" }, log }),
  });
  await until("it ended", () => heard.some((each) => each.type === "exited"));
  await until("it is logged", () => readFileSync(log, "utf8") === "hi\n");
  expect(heard.at(-1)).toEqual({ type: "exited", id: "says", code: 0, signal: null });
  tell({ type: "start", id: "absent", ...forever({ file: "/no/such/program" }) });
  await until("it failed", () => heard.some((each) => each.type === "failed" && each.id === "absent"));
  for (const id of ["one", "two"]) tell({ type: "start", id, ...forever() });
  await until("both run", () => started("one") !== undefined && started("two") !== undefined);
  tell({ type: "signal", id: "one", signal: "SIGKILL" });
  tell({ type: "signal", id: "nobody", signal: "SIGKILL" });
  await until("one ended", () => heard.some((each) => each.type === "exited" && each.id === "one"));
  lose();
  await until("two ended", () => heard.some((each) => each.type === "exited" && each.id === "two"));
  expect(exited).toBe(true);
});

test("a log keeps its bound, and never throws", () => {
  const file = path.join(folder, "bounded.log");
  const log = new BoundedLog(file, 10);
  for (const line of ["12345\n", "67890\n", "abc\n"]) log.write(line);
  log.close();
  expect(readFileSync(`${file}.1`, "utf8")).toBe("12345\n");
  expect(readFileSync(file, "utf8")).toBe("67890\nabc\n");
  new BoundedLog(path.join(file, "below-a-file", "x.log")).write("lost");
});
