import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EngineProgress } from "../../engine/index.ts";
import { SandboxClient } from "../../sandbox/client/index.ts";
import { openForChange } from "../../scripts/lib/deploy.ts";
import {
  engineReporter,
  exclusively,
  openSession,
  openSessionStack,
  sessionStack,
} from "../../scripts/lib/session.ts";
import { SUBSCRIPTION, testContext, testOutput, testSession } from "./support.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "kiln-session-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(home, { recursive: true, force: true });
});

describe("working on an environment", () => {
  const lockFile = () => path.join(home, "run", "locks", `sandbox-${SUBSCRIPTION}-dev.lock`);

  it("is one run at a time, and tells the other who is at it", async () => {
    const session = testSession("dev", { home });
    const context = testContext();
    const inner = vi.fn();
    const outcome = await exclusively(context, session, "up", async () => {
      await expect(exclusively(context, session, "down", inner)).rejects.toMatchObject({
        code: "Locked",
        message: "environment dev is locked",
        cause: expect.stringMatching(
          new RegExp(`^\`kiln up dev\` works on it since .* \\(process ${process.pid} on `),
        ),
        exitCode: 4,
      });
      return "done";
    });
    expect(outcome).toBe("done");
    expect(inner).not.toHaveBeenCalled();
  });

  it("is waited for as long as whoever runs Kiln wants, and then told of", async () => {
    const session = testSession("dev", { home });
    const context = { ...testContext(), lockWaitMs: 10 };
    await exclusively(testContext(), session, "up", async () => {
      await expect(exclusively(context, session, "down", async () => {})).rejects.toMatchObject({
        code: "Locked",
        exitCode: 4,
      });
    });
    expect(context.out.warned).toEqual([
      expect.stringMatching(/^`kiln up dev` works on it since .* Waiting/),
    ]);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const held = exclusively(testContext(), session, "up", () => {
      begin();
      return released;
    });
    await begun;
    const patient = { ...testContext(), lockWaitMs: 60_000 };
    patient.out.warn = () => release();
    expect(await exclusively(patient, session, "down", async () => "done")).toBe("done");
    await held;
  });

  it("does not hold back work on another one, nor on the same in another cloud or subscription", async () => {
    const session = testSession("dev", { home });
    const others = [
      testSession("staging", { home }),
      { ...session, target: { ...session.target, name: "azure" as const } },
      { ...session, target: { ...session.target, subscriptionId: "other" } },
    ];
    await exclusively(testContext(), session, "up", async () => {
      for (const other of others)
        expect(await exclusively(testContext(), other, "up", async () => "done")).toBe("done");
    });
  });

  it("is let go of when the work fails", async () => {
    const session = testSession("dev", { home });
    const broken = exclusively(testContext(), session, "up", () => Promise.reject(new Error("broken")));
    await expect(broken).rejects.toThrow("broken");
    expect(await exclusively(testContext(), session, "up", async () => "done")).toBe("done");
  });

  it("tells of the last run when that ended without letting go", async () => {
    const session = testSession("dev", { home });
    await exclusively(testContext(), session, "up", async () => {});
    const last = { pid: 4711, host: "here", since: "2026-03-02T10:00:00Z", work: "kiln up dev" };
    writeFileSync(`${lockFile()}.owner.json`, JSON.stringify(last));
    const context = testContext();
    await exclusively(context, session, "down", async () => {
      expect(JSON.parse(readFileSync(`${lockFile()}.owner.json`, "utf8"))).toMatchObject({
        pid: process.pid,
        work: "kiln down dev",
      });
    });
    expect(context.out.warned).toEqual([
      "An earlier run (kiln up dev, process 4711, since 2026-03-02T10:00:00Z) ended without letting go of the environment; taking over.",
    ]);
  });
});

describe("telling how an engine is made", () => {
  const report = (phase: EngineProgress["phase"], elapsedMs: number, detail?: string): EngineProgress =>
    ({
      part: "cli",
      title: "build the CLI",
      phase,
      elapsedMs,
      ...(detail ? { detail } : {}),
    }) as EngineProgress;

  it("says when a part begins and ends, and in between every ten seconds", () => {
    vi.useFakeTimers();
    const out = testOutput();
    const tell = engineReporter(out);
    tell(report("started", 0));
    for (let second = 1; second <= 25; second++) {
      vi.advanceTimersByTime(1000);
      tell(report("running", second * 1000, `${second} packages`));
    }
    tell(report("done", 25_000));
    expect(out.said).toEqual([
      "engine: build the CLI …",
      "engine: build the CLI … 10.0 s, 10 packages",
      "engine: build the CLI … 20.0 s, 20 packages",
      "engine: build the CLI: done (25.0 s)",
    ]);
  });
});

describe("opening a session", () => {
  it("refuses a wrong name before it makes or contacts anything", async () => {
    const below = path.join(home, "below");
    const context = { ...testContext(), env: { KILN_HOME: below } };
    await expect(openSession(context, "production", "sandbox")).rejects.toMatchObject({
      code: "InvalidConfiguration",
      message: expect.stringContaining("did you mean prod?"),
    });
    expect(() => readFileSync(below)).toThrow("ENOENT");
  });

  it("fails of the cloud as soon as that cannot be had", async () => {
    writeFileSync(path.join(home, "sandbox"), "a file where the sandbox keeps its folder");
    const context = { ...testContext(), env: { ...process.env, KILN_HOME: home } };
    await expect(openSession(context, "dev", "sandbox")).rejects.toThrow(/sandbox/);
  });

  it("gives the environment in that cloud, whose stack is none until something is to be changed", async () => {
    const sandbox = new SandboxClient(path.join(home, "sandbox"));
    try {
      const env = { ...process.env, KILN_HOME: home, KILN_LOCATION: "westus" };
      const context = { ...testContext(), env };
      const session = await openSession(context, "dev", "sandbox");
      const { subscriptionId } = await sandbox.status();
      expect(session).toMatchObject({
        wantedLocation: "westus",
        resolved: { subscriptionId, environment: "dev", location: "westus" },
        owner: {
          accountName: session.resolved.names.openaiAccount,
          vaultName: session.resolved.names.vault,
          tags: { env: "dev", repo: "kiln", service: "openai" },
        },
      });
      expect(await openSessionStack(context, session)).toBeUndefined();
      // What an earlier stack of that name was held to does not bind a new one, only the one that is there.
      sessionStack(context, session).pin("westus");
      const made = await openForChange(context, session);
      expect(made.state.resources).toEqual([]);
      expect(made.pinnedLocation).toBeUndefined();
      made.pin("westus");
      expect((await openForChange(context, session)).pinnedLocation).toBe("westus");
      expect((await openSessionStack(context, session))?.state.resources).toEqual([]);
    } finally {
      await sandbox.stop();
    }
  });
});
