import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startedAt } from "../../scripts/lib/processes.ts";
import {
  dropDeadLocks,
  heldLocks,
  ownerOf,
  ownerText,
  type Processes,
  type StateLock,
  serverLocks,
  thisMachine,
} from "../../scripts/lib/state-locks.ts";

const since = "2026-03-02T10:00:00Z";
const lock: StateLock = { user: "ann", host: "here", pid: 7, since };

/** A machine on which these processes live. */
function machine(alive: Record<number, { startedAt?: number; orphan?: boolean }>): Processes {
  return {
    host: "here",
    isAlive: (pid) => pid in alive,
    startedAt: (pid) => alive[pid]?.startedAt,
    isOrphan: (pid) => alive[pid]?.orphan === true,
  };
}

describe("what has become of a lock's owner", () => {
  const taken = Date.parse(since);

  it("is not known of another machine's, even if the number lives here", () => {
    expect(ownerOf({ ...lock, host: "there" }, machine({ 7: {} }))).toBe("elsewhere");
  });

  it.each([
    ["gone, with its process", {}, "gone"],
    ["alive", { 7: { startedAt: taken - 5000 } }, "alive"],
    ["alive where the system does not say when it began", { 7: {} }, "alive"],
    ["alive when it began about then", { 7: { startedAt: taken + 30_000 } }, "alive"],
    ["gone when its number has gone to a later process", { 7: { startedAt: taken + 3_600_000 } }, "gone"],
    ["gone even if that is an orphan", { 7: { startedAt: taken + 3_600_000, orphan: true } }, "gone"],
    ["an orphan", { 7: { startedAt: taken - 5000, orphan: true } }, "orphan"],
  ])("is that it is %s", (_, alive, state) => {
    expect(ownerOf(lock, machine(alive))).toBe(state);
  });

  it("is that it lives, where the lock does not say when it was taken", () => {
    expect(ownerOf({ ...lock, since: "" }, machine({ 7: { startedAt: taken } }))).toBe("alive");
  });
});

it("an owner is told with user, machine, process and time", () => {
  expect(ownerText(lock)).toBe(`ann@here, process 7, since ${since}`);
});

describe("the locks in a folder", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(path.join(tmpdir(), "kiln-locks-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));
  const write = (name: string, content: object, environment = "dev") => {
    const folder = path.join(state, ".pulumi", "locks", "organization", "kiln", environment);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, name), JSON.stringify(content));
  };

  it("are none where nobody ever took one", () => {
    expect(heldLocks(state, "dev")).toEqual([]);
  });

  it("are those of this environment whose owner may still work", () => {
    // The number of no process: larger than any that a system gives out.
    const nobody = 2 ** 30;
    const now = new Date().toISOString();
    const mine = { username: "ann", hostname: hostname(), pid: process.pid, timestamp: now };
    write("mine.json", mine);
    write("dead.json", { ...mine, pid: nobody });
    write("reborn.json", { ...mine, timestamp: "2001-01-01T00:00:00Z" });
    write("other.json", { ...mine, hostname: "there", pid: nobody });
    write("not-a-lock.txt", mine);
    write("mine.json", mine, "staging");
    const of = (host: string, pid: unknown) => ({ user: "ann", host, pid, since: now });
    const held = heldLocks(state, "dev");
    expect(held).toContainEqual(of(hostname(), process.pid));
    expect(held).toContainEqual(of("there", nobody));
    // Where the system does not say when processes began, the number alone counts.
    expect(held).toHaveLength(startedAt(process.pid) === undefined ? 3 : 2);
  });

  it("whose owners are gone can be taken away; the others stay", () => {
    const mine = {
      username: "ann",
      hostname: hostname(),
      pid: process.pid,
      timestamp: new Date().toISOString(),
    };
    write("mine.json", mine);
    write("dead.json", { ...mine, pid: 2 ** 30 });
    write("other.json", { ...mine, hostname: "there" });
    expect(
      dropDeadLocks(state, "dev")
        .map(({ host }) => host)
        .sort(),
    ).toEqual([hostname(), "there"].sort());
    const folder = path.join(state, ".pulumi", "locks", "organization", "kiln", "dev");
    expect(readdirSync(folder).sort()).toEqual(["mine.json", "other.json"]);
    expect(dropDeadLocks(state, "staging")).toEqual([]);
  });
});

describe("what a backend with a server tells of an operation under way", () => {
  it("is who asked for it and since when, without a machine or a process", () => {
    const said =
      "Current stack is dev:\n    Owner: org\n    Update in progress:\n\tStarted: 2 minutes ago\n\tRequested By: ann\n";
    const [lock, ...more] = serverLocks(said);
    expect(lock).toEqual({ user: "ann", host: "", pid: 0, since: "2 minutes ago" });
    expect(more).toEqual([]);
    expect(lock && ownerText(lock)).toBe("ann, since 2 minutes ago");
  });

  it("is nothing where none is", () => {
    expect(serverLocks("Current stack is dev:\n    Owner: org\n    Last updated: 2 minutes ago\n")).toEqual(
      [],
    );
  });
});

describe("an operation that a backend with a server tells of", () => {
  const said = (more: string) =>
    `Current stack is dev:\n    Owner: example\n${more}    Last updated: 2 days ago\n`;

  it("is known by who asked for it, and no process of this machine", () => {
    const locks = serverLocks(
      said("    Update in progress:\n\tStarted: 3 minutes ago\n\tRequested By: Ann Example\n"),
    );
    expect(locks).toEqual([{ user: "Ann Example", host: "", pid: 0, since: "3 minutes ago" }]);
    expect(locks.map(ownerText)).toEqual(["Ann Example, since 3 minutes ago"]);
    expect(locks.map((lock) => ownerOf(lock, thisMachine))).toEqual(["elsewhere"]);
  });

  it("is none where it tells of none", () => {
    expect(serverLocks(said(""))).toEqual([]);
  });
});
