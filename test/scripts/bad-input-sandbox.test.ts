import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SandboxClient } from "../../sandbox/client/index.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { refusal } from "../harness/refusal.ts";

/** The real command where the sandbox, its place or its data is not as it should be, or is told what it cannot do. */

async function statusOf(kiln: TestKiln): Promise<{ running: boolean; pid: number; subscriptionId: string }> {
  return (await kiln.run(["sandbox", "status", "--json"])).json() as never;
}

describe("a home that cannot be one", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "kiln-homes-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is a file, or below one; and a folder is one after all", async () => {
    const file = path.join(folder, "file");
    writeFileSync(file, "");
    for (const home of [file, path.join(file, "below")]) {
      const kiln = await testKiln({ home });
      for (const args of [
        ["up", "dev"],
        ["down", "dev"],
        ["sandbox", "start"],
        ["sandbox", "reset"],
      ]) {
        expect(await refusal(kiln, 2, args)).toMatchObject({
          code: "HomeUnusable",
          message: `Kiln cannot keep its files in ${home}`,
          next: "Set KILN_HOME to a folder of your own, then run it again.",
        });
      }
      // Looking is no harm.
      expect((await kiln.run(["sandbox", "status"])).exitCode).toBe(0);
    }
    rmSync(file);
    const kiln = await testKiln({ home: path.join(file, "below") });
    expect((await kiln.run(["sandbox", "start"])).exitCode).toBe(0);
    await kiln.dispose();
  });

  it("has a file where the sandbox keeps its data", async () => {
    const kiln = await testKiln();
    const blocked = path.join(kiln.home, "sandbox");
    writeFileSync(blocked, "");
    expect(await refusal(kiln, 1, ["sandbox", "start"])).toMatchObject({
      code: "PathBlocked",
      message: `${blocked} is not what it should be`,
    });
    rmSync(blocked);
    expect((await kiln.run(["sandbox", "start"])).exitCode).toBe(0);
    await kiln.dispose();
  });

  it.skipIf(process.getuid?.() === 0)("may not be written (root may write everything)", async () => {
    const home = path.join(folder, "closed");
    mkdirSync(home, { mode: 0o500 });
    const kiln = await testKiln({ home });
    expect((await refusal(kiln, 2, ["up", "dev"])).code).toBe("HomeUnusable");
    chmodSync(home, 0o700);
    expect((await kiln.run(["sandbox", "start"])).exitCode).toBe(0);
    await kiln.dispose();
  });
});

describe("the sandbox's verbs", () => {
  let kiln: TestKiln;
  beforeAll(async () => {
    kiln = await testKiln();
  });
  afterAll(() => kiln.dispose());

  it.each([
    [["token"]],
    [["counters"]],
    [["clock", "show"]],
    [["clock", "advance", "1h"]],
    [["fault", "list"]],
    [["fault", "clear"]],
    [["settings"]],
    [["leak-scan", "."]],
  ])("%j needs one that runs", async (args) => {
    expect(await refusal(kiln, 1, ["sandbox", ...args])).toMatchObject({
      code: "SandboxNotRunning",
      next: "Start it with `kiln sandbox start`.",
    });
  });

  it("stop and status take one that does not run", async () => {
    expect((await kiln.run(["sandbox", "stop", "--json"])).json()).toEqual({
      running: false,
      stopped: false,
    });
    expect((await kiln.run(["sandbox", "status", "--json"])).json()).toMatchObject({ running: false });
    expect(existsSync(path.join(kiln.home, "sandbox"))).toBe(false);
  });

  it.each([
    [["start", "--port", "99999"], /A port is 1 to 65535/],
    [["start", "--port", "http"], /A port is 1 to 65535/],
    [["start", "--profile", "fast"], /Allowed choices are instant, quick, azure/],
    [["clock", "advance"], /missing required argument 'span'/],
    [["clock", "advance", "3"], /A span is a number and ms, s, m, h or d: 24h/],
    [["clock", "advance", "-5h"], /unknown option '-5h'/],
    [["clock", "scale", "much"], /Not a number/],
    [["fault", "add", "boom"], /Allowed choices are throttle, server-error/],
    [["fault", "add", "delay", "--delay", "3"], /A span is a number/],
    [["token", "--expires-in", "soon"], /Not a number/],
    [["settings", "--set", "{"], /--set is not JSON/],
    [["leak-scan"], /missing required argument 'paths'/],
    [["leak-scan", ""], /a path is empty/],
    [["status", "more"], /too many arguments/],
    [["frobnicate"], /unknown command 'frobnicate'/],
  ])("%j are wrong words", async (args, message) => {
    const error = await refusal(kiln, 2, ["sandbox", ...args]);
    expect(error).toMatchObject({ code: "Usage", message: expect.stringMatching(message) });
  });

  describe("while it runs", () => {
    beforeAll(() => kiln.run(["sandbox", "start", "--profile", "instant"]));

    it.each([
      [["clock", "scale", "0"], /scale: .*>0/],
      [["clock", "advance", "3000000d"], /the clock cannot go past 9999-12-31/],
      [["clock", "advance", "99999999999d"], /advanceMs: Too big/],
      [["token", "--as", "nobody"], /no principal 'nobody'. There are: .*reader/],
      [["token", "--as", ""], /principal/],
      [["token", "--audience", ""], /audience/],
      [["token", "--expires-in", "1e9"], /seconds: Too big/],
      [["settings", "--set", '{"quota":{"x":{"y":-1}},"foo":1}'], /quota\.x\.y: Too small.*"foo"/],
      [["settings", "--set", "[]"], /expected object/],
      [["settings", "--set", '{"profile":"slow"}'], /profile: .*instant/],
      [["fault", "clear", "none"], /There is no fault rule 'none'/],
      [["fault", "clear", ""], /There is no fault rule ''/],
      [["fault", "add", "throttle", "--times", "0"], /times: Too small/],
      [["fault", "add", "throttle", "--path", "["], /path: not a regular expression/],
      [["fault", "add", "throttle", "--probability", "3", "--seed", "-1"], /probability: Too big.*seed/],
      [["leak-scan", "/no/such/file"], /no such file or directory/],
    ])("%j is nothing that it has or takes", async (args, message) => {
      const error = await refusal(kiln, 2, ["sandbox", ...args]);
      expect(error.message).toMatch(message);
      expect(error.cause).toContain("nothing was changed");
    });

    it("nothing of that changed it, and its clock still runs", async () => {
      expect((await kiln.run(["sandbox", "fault", "list", "--json"])).json()).toEqual({ faults: [] });
      expect((await kiln.run(["sandbox", "settings", "--json"])).json()).toMatchObject({ quota: {} });
      const { now, scale } = (await kiln.run(["sandbox", "clock", "show", "--json"])).json();
      expect(scale).toBe(1);
      expect(Math.abs(Date.parse(String(now)) - Date.now())).toBeLessThan(3_600_000);
    });

    it("does not move to another port while it runs", async () => {
      expect(await refusal(kiln, 1, ["sandbox", "start", "--port", "1"])).toMatchObject({
        code: "SandboxRunsElsewhere",
        next: expect.stringContaining("kiln sandbox stop"),
      });
    });

    it("killed, it is not running for anyone, and the next start goes on with what it held", async () => {
      const before = await statusOf(kiln);
      await kiln.run(["sandbox", "clock", "advance", "48h"]);
      process.kill(before.pid, "SIGKILL");
      expect((await statusOf(kiln)).running).toBe(false);
      expect((await refusal(kiln, 1, ["sandbox", "counters"])).code).toBe("SandboxNotRunning");
      expect((await kiln.run(["sandbox", "start"])).exitCode).toBe(0);
      const after = await statusOf(kiln);
      expect(after).toMatchObject({ running: true, subscriptionId: before.subscriptionId });
      const { now } = (await kiln.run(["sandbox", "clock", "show", "--json"])).json();
      expect(Date.parse(String(now)) - Date.now()).toBeGreaterThan(47 * 3_600_000);
    });

    it("suspended, it keeps nobody who is interrupted", async () => {
      const { pid } = await statusOf(kiln);
      process.kill(pid, "SIGSTOP");
      try {
        const interrupted = new AbortController();
        const asked = new SandboxClient(path.join(kiln.home, "sandbox"), interrupted.signal).status();
        const ended = expect(asked).rejects.toThrow("abort");
        await delay(0);
        interrupted.abort();
        await ended;
      } finally {
        process.kill(pid, "SIGCONT");
      }
      expect((await statusOf(kiln)).running).toBe(true);
    });
  });
});

describe("the sandbox's data", () => {
  let kiln: TestKiln;
  beforeAll(async () => {
    kiln = await testKiln();
    await kiln.run(["sandbox", "start"]);
    await kiln.run(["sandbox", "stop"]);
  });
  afterAll(() => kiln.dispose());
  const file = (name: string) => path.join(kiln.home, "sandbox", name);

  it("is damaged: said by whoever needs it, and a reset sets it aside and begins anew", async () => {
    writeFileSync(file("cloud.sqlite"), "no database at all, but a text that is long enough".repeat(100));
    for (const args of [
      ["sandbox", "start"],
      ["up", "dev"],
      ["status", "dev"],
    ]) {
      expect(await refusal(kiln, 1, args)).toMatchObject({
        code: "SandboxDataDamaged",
        next: expect.stringContaining("kiln sandbox reset"),
      });
    }
    expect((await kiln.run(["sandbox", "reset"])).exitCode).toBe(0);
    const aside = readdirSync(path.join(kiln.home, "sandbox")).find((name) => name.startsWith("damaged-"));
    expect(readFileSync(file(path.join(String(aside), "cloud.sqlite")), "utf8")).toContain("no database");
    expect((await kiln.run(["status", "dev", "--json"])).json()).toMatchObject({ result: "down" });
  });

  it("says where a daemon is that never was", async () => {
    await kiln.run(["sandbox", "stop"]);
    for (const text of ["{", "{}", JSON.stringify({ pid: 1, port: 1, controlToken: "x", startedAt: "" })]) {
      writeFileSync(file("daemon.json"), text);
      expect(await statusOf(kiln)).toMatchObject({ running: false });
    }
    expect((await kiln.run(["sandbox", "start"])).exitCode).toBe(0);
    expect(await statusOf(kiln)).toMatchObject({ running: true });
  });

  it("is on a port that another program took since", async () => {
    await kiln.run(["sandbox", "stop"]);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const port = String((other.address() as AddressInfo).port);
    try {
      const taken = {
        code: "PortTaken",
        message: expect.stringContaining(`port ${port} of 127.0.0.1 is in use`),
      };
      expect(await refusal(kiln, 1, ["sandbox", "start", "--port", port])).toMatchObject(taken);
      expect(await statusOf(kiln)).toMatchObject({ running: false });
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    const started = await kiln.run(["sandbox", "start", "--port", port, "--json"]);
    expect(started.json()).toMatchObject({ running: true, proxy: `http://127.0.0.1:${port}` });
  });

  it("temporary files have no place to be: it needs none", async () => {
    await kiln.run(["sandbox", "stop"]);
    const env = { TMPDIR: path.join(kiln.home, "nowhere") };
    expect((await kiln.run(["sandbox", "start"], env)).exitCode).toBe(0);
    expect((await kiln.run(["status", "dev", "--json"], env)).json()).toMatchObject({ result: "down" });
  });
});
