import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../scripts/lib/errors.ts";
import { OperationRecord, operate } from "../../scripts/lib/operation.ts";
import { bornOf } from "../../scripts/lib/processes.ts";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { runMark } from "../../scripts/lib/state-locks.ts";
import { diagnosticEvent, stepEvent, testContext, testOutput } from "./support.ts";

const event = (part: object) => ({ sequence: 0, timestamp: 0, ...part }) as EngineEvent;
const policyEvent = (level: string, message: string) =>
  event({
    policyEvent: {
      policyName: "tags",
      enforcementLevel: level,
      resourceUrn: "urn:vault",
      message,
      color: "",
    },
  });

describe("the record of an operation", () => {
  it("counts the changes that there are words for, over every summary", () => {
    const record = new OperationRecord();
    record.handle(event({ summaryEvent: { resourceChanges: { create: 2, same: 3, read: 7 } } }));
    record.handle(event({ summaryEvent: { resourceChanges: { create: 1, delete: 4, update: undefined } } }));
    expect(record.changes).toEqual({ create: 3, update: 0, delete: 4, replace: 0, same: 3 });
  });

  it("keeps what the policies said, without colours, and tells which of it counts", () => {
    const record = new OperationRecord();
    record.handle(policyEvent("advisory", "<{%fg 2%}>owner is missing<{%reset%}>\n"));
    record.handle(policyEvent("mandatory", "no public access"));
    expect(record.violations).toEqual([
      { policy: "tags", level: "advisory", resource: "urn:vault", message: "owner is missing" },
      { policy: "tags", level: "mandatory", resource: "urn:vault", message: "no public access" },
    ]);
    expect(record.mandatoryViolations.map(({ message }) => message)).toEqual(["no public access"]);
    record.handle(event({ policyEvent: { policyName: "p", enforcementLevel: "advisory", message: "m" } }));
    expect(record.violations[2]?.resource).toBe("");
  });

  it("keeps each error once, and neither warnings nor notices", () => {
    const record = new OperationRecord();
    record.handle(diagnosticEvent("error", "<{%reset%}>it broke<{%reset%}>\n", "urn:vault"));
    record.handle(diagnosticEvent("error", "it broke"));
    record.handle(diagnosticEvent("warning", "careful"));
    record.handle(diagnosticEvent("info", "by the way"));
    record.handle(diagnosticEvent("error", "it broke twice"));
    expect(record.errors).toEqual([
      { urn: "urn:vault", message: "it broke" },
      { urn: undefined, message: "it broke twice" },
    ]);
  });

  it("takes the outputs of the stack, and of nothing else", () => {
    const record = new OperationRecord();
    expect(record.outputs).toEqual({});
    record.handle(
      stepEvent("resOutputsEvent", {
        type: "azure-native:web:WebApp",
        name: "app",
        outputs: { location: "westus" },
      }),
    );
    expect(record.outputs).toEqual({});
    const stack = { type: "pulumi:pulumi:Stack", name: "kiln-dev", outputs: { location: "eastus" } };
    record.handle(stepEvent("resOutputsEvent", stack));
    expect(record.outputs).toEqual({ location: "eastus" });
    record.handle(event({ resOutputsEvent: { metadata: { type: "pulumi:pulumi:Stack" } } }));
    expect(record.outputs).toEqual({});
  });
});

/** Runs work as an operation of a stack whose commands are only kept. */
function operation(record = new OperationRecord()) {
  const ran: string[] = [];
  const handle = {
    run: async (args: readonly string[]) => {
      ran.push(args.join(" "));
      return "";
    },
  };
  const out = testOutput();
  const run = <R>(work: () => Promise<R>) =>
    operate(handle as unknown as StackHandle, "dev", { ...testContext(), out }, record, work);
  return { ran, out, run };
}

/** What `run` fails with. */
async function failureOf(run: Promise<unknown>): Promise<KilnError> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(KilnError);
  return error as KilnError;
}

describe("an operation that fails", () => {
  it("says what was thrown, as far as Kiln understands it", async () => {
    const own = new KilnError({ code: "Own", message: "m", cause: "c", next: "n" });
    expect(await failureOf(operation().run(() => Promise.reject(own)))).toBe(own);
    expect(
      await failureOf(operation().run(() => Promise.reject(new Error("read ECONNRESET")))),
    ).toMatchObject({
      code: "CloudUnreachable",
    });
    expect(await failureOf(operation().run(() => Promise.reject("odd")))).toMatchObject({
      code: "Unexpected",
      message: "odd",
    });
  });

  it("says what the engine reported, without what only follows from it", async () => {
    const record = new OperationRecord();
    record.handle(diagnosticEvent("error", 'Code="InsufficientQuota" Message="full"'));
    record.handle(diagnosticEvent("error", "update failed"));
    const error = await failureOf(operation(record).run(() => Promise.reject(new Error("code: 255"))));
    expect(error).toMatchObject({ code: "InsufficientQuota", exitCode: 1 });
    expect(error.cause).not.toContain("update failed");
  });

  it("is the policies' no before anything else, with exit code 3", async () => {
    const record = new OperationRecord();
    record.handle(policyEvent("mandatory", "no public access"));
    record.handle(policyEvent("advisory", "owner is missing"));
    record.handle(diagnosticEvent("error", "update failed"));
    const work = () => Promise.reject(new Error("code: 255"));
    expect(await failureOf(operation(record).run(work))).toMatchObject({
      code: "PolicyViolation",
      message: "1 mandatory policy is violated",
      cause: "tags: no public access",
      exitCode: 3,
    });
    record.handle(policyEvent("mandatory", "no tags"));
    expect(await failureOf(operation(record).run(work))).toMatchObject({
      message: "2 mandatory policies are violated",
      cause: "tags: no public access\ntags: no tags",
      violations: [{ message: "no public access" }, { message: "no tags" }],
    });
  });

  it("promises that nothing was made only where nothing could be", async () => {
    const work = () => Promise.reject(new Error("code: 255"));
    for (const foreseen of [true, false]) {
      const record = new OperationRecord({ foreseen });
      record.handle(policyEvent("mandatory", "together they ask for more than the quota"));
      const { next } = await failureOf(operation(record).run(work));
      expect(next.includes("Nothing was made.")).toBe(foreseen);
      expect(next.includes("`kiln preview` says all of it before")).toBe(!foreseen);
    }
  });
});

/** Owners that began before they took the lock. */
const now = new Date().toISOString();
const lockedBy = (...owners: string[]) =>
  new Error(
    [
      `error: the stack is currently locked by ${owners.length} lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.`,
      ...owners.map((owner) => `  file:///state/.pulumi/locks/x.json: created by ${owner} at ${now}`),
    ].join("\n"),
  );

/** Fails of a lock the first time. */
function lockedOnce(...owners: string[]) {
  let tries = 0;
  const work = async () => {
    if (++tries === 1) throw lockedBy(...owners);
    return "done";
  };
  return { work, tries: () => tries };
}

/** The number of no process: larger than any that a system gives out. */
const nobody = 2 ** 30;

describe("an operation that finds the state locked", () => {
  it("does not go on when the lock is another machine's", async () => {
    const { run, ran } = operation();
    const { work, tries } = lockedOnce(`ann@${hostname()}-other (pid ${process.pid})`);
    expect(await failureOf(run(work))).toMatchObject({ code: "Locked", exitCode: 4 });
    expect(tries()).toBe(1);
    expect(ran).toEqual([]);
  });

  it("does not go on while its owner lives and is no orphan of Kiln's", async () => {
    const { run, ran } = operation();
    const error = await failureOf(run(lockedOnce(`ann@${hostname()} (pid ${process.pid})`).work));
    expect(error).toMatchObject({ code: "Locked", exitCode: 4 });
    expect(error.cause).toContain(`ann@${hostname()}, process ${process.pid}, since ${now}`);
    expect(ran).toEqual([]);
  });

  it("takes over when another process has got the dead owner's number", async () => {
    const { run, ran } = operation();
    const began = lockedBy(`ann@${hostname()} (pid ${process.pid})`).message.replaceAll(
      now,
      "2020-01-01T00:00:00Z",
    );
    const failing = [new Error(began)];
    const work = async () => {
      for (const error of failing.splice(0)) throw error;
      return "done";
    };
    expect(await run(work)).toBe("done");
    expect(ran).toEqual(["cancel --yes"]);
  });

  it("takes over with a notice when its owner is dead, and runs again", async () => {
    const { run, ran, out } = operation();
    const { work, tries } = lockedOnce(`ann@${hostname()} (pid ${nobody})`);
    expect(await run(work)).toBe("done");
    expect(tries()).toBe(2);
    expect(ran).toEqual(["cancel --yes"]);
    expect(out.warned).toEqual(["An earlier run was killed while it held the state's lock; taking over."]);
  });

  it("waits for the engine of a killed run, which is still writing down what it made", async () => {
    const engine = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
      env: { [runMark]: String(nobody) },
      stdio: ["pipe", "ignore", "ignore"],
    });
    await once(engine, "spawn");
    const { run, ran, out } = operation();
    const warn = out.warn;
    let ended: boolean | undefined;
    out.warn = (line) => {
      warn(line);
      if (line.includes(`its engine (process ${engine.pid}) is still finishing`)) engine.stdin?.end();
      else ended = bornOf(engine.pid ?? 0) === undefined;
    };
    expect(await run(lockedOnce(`ann@${hostname()} (pid ${engine.pid})`).work)).toBe("done");
    expect(out.warned).toHaveLength(2);
    expect(ended).toBe(true);
    expect(ran).toEqual(["cancel --yes"]);
  });
});
