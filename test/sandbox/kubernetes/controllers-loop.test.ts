import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Api, ApiError } from "../../../sandbox/kubernetes/controllers/runtime/api.ts";
import { fingerprint, satisfies } from "../../../sandbox/kubernetes/controllers/runtime/differs.ts";
import { type Kind, kinds } from "../../../sandbox/kubernetes/controllers/runtime/kinds.ts";
import { type Controller, Manager } from "../../../sandbox/kubernetes/controllers/runtime/manager.ts";
import type { ConfigMap, KubeObject } from "../../../sandbox/kubernetes/controllers/runtime/objects.ts";
import { backoffMs, type Timers, WorkQueue } from "../../../sandbox/kubernetes/controllers/runtime/queue.ts";
import { ObjectStore } from "../../../sandbox/kubernetes/controllers/runtime/store.ts";
import { amountOf } from "../../../sandbox/providers/kubernetes/quantity.ts";

/** A clock that goes when it is told to. */
class FakeTimers implements Timers {
  #now = 0;
  #due: { at: number; call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const entry = { at: this.#now + ms, call };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((each) => each !== entry);
    };
  }

  /** Goes on, and lets what falls due run to its end. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#due].sort((left, right) => left.at - right.at);
      if (next === undefined || next.at > end) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#now = next.at;
      next.call();
      await settled();
    }
    this.#now = end;
    await settled();
  }
}

/** Lets every promise that can go on do so. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe("the queue", () => {
  test("a burst of one key is one piece of work; what comes during the work is one more", async () => {
    const timers = new FakeTimers();
    const worked: string[] = [];
    let release = (): void => undefined;
    const work = async (key: string) => {
      worked.push(key);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return undefined;
    };
    const queue = new WorkQueue({ work, timers, gatherMs: 20 });
    for (let time = 0; time < 5; time++) queue.add("a");
    await timers.pass(20);
    expect(worked).toEqual(["a"]);
    queue.add("a");
    queue.add("a");
    await timers.pass(20);
    expect(worked).toEqual(["a"]);
    release();
    await settled();
    expect(worked).toEqual(["a", "a"]);
    release();
    await queue.drained();
    expect(queue.pending).toBe(0);
  });

  test("never works on one key twice at a time, nor on more keys than it may, and forgets none", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        async (keys, concurrency) => {
          const timers = new FakeTimers();
          const working = new Set<string>();
          const done = new Set<string>();
          const work = async (key: string) => {
            expect(working.has(key)).toBe(false);
            working.add(key);
            expect(working.size).toBeLessThanOrEqual(concurrency);
            await new Promise<void>((resolve) => setImmediate(resolve));
            working.delete(key);
            done.add(key);
            return undefined;
          };
          const queue = new WorkQueue({ work, timers, concurrency, gatherMs: 1 });
          for (const key of keys) {
            queue.add(key);
            await timers.pass(0.4);
          }
          await timers.pass(10);
          await queue.drained();
          expect([...done].sort()).toEqual([...new Set(keys)].sort());
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a failure is tried again after pauses that double; other keys go on", async () => {
    const timers = new FakeTimers();
    const at: number[] = [];
    let others = 0;
    const work = async (key: string) => {
      if (key === "other") {
        others += 1;
        return undefined;
      }
      at.push(timers.now());
      if (at.length < 4) throw new Error("no");
      return undefined;
    };
    const queue = new WorkQueue({ work, timers, gatherMs: 0, firstBackoffMs: 100, lastBackoffMs: 250 });
    queue.add("bad");
    queue.add("other");
    await timers.pass(10_000);
    expect(at).toEqual([0, 100, 300, 550]);
    expect(others).toBe(1);
    expect(backoffMs(60, 100, 30_000)).toBe(30_000);
  });

  test("comes back when asked to, holds what it gathers until released, and stops", async () => {
    const timers = new FakeTimers();
    let times = 0;
    const work = async () => {
      times += 1;
      return { againInMs: 1000 };
    };
    const queue = new WorkQueue({ work, timers, gatherMs: 0, held: true });
    queue.add("a");
    await timers.pass(500);
    expect(times).toBe(0);
    queue.release();
    await settled();
    await timers.pass(2500);
    expect(times).toBe(3);
    queue.stop();
    await timers.pass(5000);
    expect(times).toBe(3);
  });
});

describe("what differs", () => {
  test("fields that others added do not count, wanted ones do, lists as a whole", () => {
    const actual = { a: 1, b: { c: "x", d: 2 }, list: [{ n: 1, extra: true }], requests: { cpu: "1" } };
    expect(satisfies(actual, { a: 1, b: { c: "x" }, list: [{ n: 1 }] })).toBe(true);
    expect(satisfies(actual, { requests: { cpu: "1000m" } })).toBe(true);
    expect(satisfies(actual, { requests: { cpu: "1001m" } })).toBe(false);
    expect(satisfies(actual, { list: [] })).toBe(false);
    expect(satisfies(actual, { b: { e: undefined } })).toBe(true);
    expect(satisfies(actual, { b: { e: 1 } })).toBe(false);
    expect(satisfies({}, { value: "" })).toBe(true);
  });

  test("an object satisfies itself, and its fingerprint does not depend on the order of fields", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        expect(satisfies(object, object)).toBe(true);
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(fingerprint(reversed)).toBe(fingerprint(object));
      }),
    );
  });

  test.each([
    ["500m", 0.5],
    ["1Gi", 2 ** 30],
    ["2", 2],
    ["1e3", 1000],
    ["1G", 1e9],
  ])("%s is %d", (text, amount) => {
    expect(amountOf(text)).toBe(amount);
  });
});

test("the store keeps the newest version, and finds by namespace and by owner", () => {
  const store = new ObjectStore();
  const make = (version: string, uid = "u1", owner?: string): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "n",
      namespace: "ns",
      uid,
      resourceVersion: version,
      ...(owner === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "v1", kind: "X", name: "x", uid: owner, controller: true }] }),
    },
  });
  expect(store.put(make("10", "u1", "o1"))).toBe(true);
  expect(store.put(make("9", "u1", "o2"))).toBe(false);
  expect(store.ownedBy("o1")).toHaveLength(1);
  expect(store.put(make("11"))).toBe(true);
  expect(store.ownedBy("o1")).toHaveLength(0);
  store.delete(make("12", "u0"));
  expect(store.list("ns")).toHaveLength(1);
  store.delete(make("12"));
  expect(store.list("ns")).toHaveLength(0);
  expect(store.get("ns", "n")).toBeUndefined();
});

/** An API server in memory that counts what it is asked to write. */
class FakeApi implements Api {
  readonly writes: string[] = [];
  refuse: ApiError | undefined;
  #version = 100;

  async list() {
    return { items: [], metadata: {} };
  }
  async get(): Promise<KubeObject> {
    throw new ApiError(404, "NotFound", "not found");
  }
  async create(kind: Kind, object: KubeObject) {
    this.writes.push(`create ${kind.kind} ${object.metadata.name}`);
    return this.#written(object);
  }
  async apply(kind: Kind, object: KubeObject) {
    if (this.refuse !== undefined) throw this.refuse;
    this.writes.push(`apply ${kind.kind} ${object.metadata.name}`);
    return this.#written(object);
  }
  async putStatus(kind: Kind, object: KubeObject, status: unknown) {
    this.writes.push(`status ${kind.kind} ${object.metadata.name}`);
    return this.#written({ ...object, status: { ...(status as object), added: "default" } } as KubeObject);
  }
  async merge(_kind: Kind, object: KubeObject, patch: unknown) {
    return this.#written({ ...object, ...(patch as object) });
  }
  async remove(kind: Kind, object: KubeObject) {
    this.writes.push(`remove ${kind.kind} ${object.metadata.name}`);
  }
  async tokenFor() {
    return "token";
  }
  #written(object: KubeObject): KubeObject {
    this.#version += 1;
    return {
      ...object,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? `uid-${object.metadata.name}`,
        resourceVersion: `${this.#version}`,
      },
    };
  }
}

describe("a controller in the loop", () => {
  const parent = (version: string, content: string): KubeObject =>
    ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "parent", namespace: "ns", uid: "p", resourceVersion: version },
      data: { content },
    }) as KubeObject;
  const copies: Controller = {
    name: "copies",
    of: kinds.configMap,
    owns: [kinds.service],
    reconcile: async (key, cluster) => {
      const found = cluster.get<ConfigMap>(kinds.configMap, "ns", key.split("/")[1] ?? "");
      if (found === undefined) return undefined;
      const child = { apiVersion: "v1", kind: "Service", metadata: { name: "child", namespace: "ns" } };
      await cluster.ensure(kinds.service, { ...child, spec: { ...found.data } } as KubeObject);
      await cluster.setStatus(kinds.configMap, found, { seen: found.data?.content });
      return undefined;
    },
  };

  test("writes when something differs, and not otherwise, even if the server adds to a status", async () => {
    const timers = new FakeTimers();
    const api = new FakeApi();
    const manager = new Manager({ api, controllers: [copies], timers, resyncMs: 1000 });
    manager.release();
    const see = (object: KubeObject): void => {
      manager.cluster.storeOf(kinds.configMap).put(object);
      manager.changed(kinds.configMap, object, undefined);
    };
    see(parent("1", "one"));
    await timers.pass(100);
    expect(api.writes).toEqual(["apply Service child", "status ConfigMap parent"]);
    await timers.pass(5000);
    expect(manager.reconciles).toBeGreaterThan(4);
    expect(api.writes).toHaveLength(2);
    see(parent("900", "two"));
    await timers.pass(100);
    expect(api.writes.slice(2)).toEqual(["apply Service child", "status ConfigMap parent"]);
    await manager.stop();
  });

  test("tries again what the server refused, and tells the log without the object's content", async () => {
    const timers = new FakeTimers();
    const api = new FakeApi();
    const lines: string[] = [];
    const manager = new Manager({
      api,
      controllers: [copies],
      timers,
      log: (line) => lines.push(line),
    });
    manager.release();
    api.refuse = new ApiError(503, "ServiceUnavailable", "not now");
    manager.cluster.storeOf(kinds.configMap).put(parent("1", "content-of-it"));
    manager.changed(kinds.configMap, parent("1", "content-of-it"), undefined);
    await timers.pass(1000);
    expect(api.writes).toEqual([]);
    api.refuse = undefined;
    await timers.pass(60_000);
    expect(api.writes).toContain("apply Service child");
    expect(lines.join("\n")).toContain("copies ns/parent: ServiceUnavailable: not now");
    expect(lines.join("\n")).not.toContain("content-of-it");
    await manager.stop();
  });
});
