import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiError, NoMatchError, UnreachableError } from "../../sandbox/providers/kubernetes/api-error.ts";
import { createObject } from "../../sandbox/providers/kubernetes/apply.ts";
import type { KubeClient } from "../../sandbox/providers/kubernetes/client.ts";
import { Discovery, pathOf } from "../../sandbox/providers/kubernetes/discovery.ts";
import { hangUp, refuse, say, server, soon, useScriptedServer } from "./scripted-api-server.ts";

/*
 * Requests and discovery against an API server of which every answer is scripted.
 */

let client: KubeClient;
const signal = new AbortController().signal;

const get = (at = "/api/v1/things") => client.send({ method: "GET", path: at, signal });

useScriptedServer();
beforeEach(async () => {
  client = await server.client();
});
afterEach(async () => {
  await client.close();
});

test.each([
  ["too much at once", refuse(429, "TooManyRequests", "slow down", { "retry-after": "0" })],
  ["not there yet", refuse(503, "ServiceUnavailable", "apiserver not ready")],
  ["a new leader", refuse(500, "", "etcdserver: leader changed")],
  ["no answer", hangUp],
])("%s is waited out", async (_, answer) => {
  server.script = [answer, answer];
  expect((await get()).body).toEqual({ fine: true });
  expect(server.asked.filter((each) => each.includes("things"))).toHaveLength(3);
});

test("a refusal is told as the API server says it", async () => {
  server.script = [
    say(422, {
      message: "wrong",
      reason: "Invalid",
      details: { kind: "things", causes: [{ field: "spec.a", message: "no" }] },
    }),
    refuse(500, "InternalError", "failed calling webhook"),
  ];
  const error = await get().catch((each: unknown) => each);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    code: 422,
    reason: "Invalid",
    message: "wrong",
    kind: "things",
    fields: ["spec.a"],
  });
  await expect(get()).rejects.toThrow("failed calling webhook");
});

test("what one that is starting refuses for want of knowing does not count", async () => {
  let ready = 0;
  server.answer((request, response) => {
    if (request.url === "/readyz") response.writeHead(++ready < 3 ? 500 : 200).end();
    else if (ready < 3)
      refuse(403, "Forbidden", 'RBAC: clusterrole "cluster-admin" not found')(request, response);
    else server.otherwise(request, response);
  });
  expect((await get()).body).toEqual({ fine: true });
  expect(ready).toBeGreaterThanOrEqual(3);
});

test("a ready one's refusal counts at once", async () => {
  server.otherwise = refuse(403, "Forbidden", "not you");
  await expect(get()).rejects.toThrow("not you");
  await expect(get()).rejects.toThrow("not you");
  // The first time it is asked whether it is ready, and then once more.
  expect(server.asked.map((each) => each.replace("GET /", ""))).toEqual([
    "api/v1/things",
    "readyz",
    "api/v1/things",
    "api/v1/things",
  ]);
});

test("all that wait for one that is away, wait for one look, and none longer than it wants", async () => {
  const { port } = server;
  await server.close();
  const impatient = new AbortController();
  const gone = client
    .send({ method: "GET", path: "/a", signal: impatient.signal })
    .catch((error: unknown) => error);
  let lost = 0;
  const onLost = () => lost++;
  const waiting = Array.from({ length: 50 }, () =>
    client.send({ method: "GET", path: "/b", signal, onLost }),
  );
  impatient.abort(new Error("no more time"));
  expect(await gone).toEqual(new Error("no more time"));
  await expect.poll(() => lost, soon).toBe(50);
  await server.listen(port);
  expect(await Promise.all(waiting)).toHaveLength(50);
  expect(server.asked.filter((each) => each === "GET /readyz")).toHaveLength(1);
});

test("the end of the sandbox ends the wait", async () => {
  await server.close();
  const lost = Promise.withResolvers<void>();
  const waiting = client
    .send({ method: "GET", path: "/a", signal, onLost: lost.resolve })
    .catch((error: unknown) => error);
  await lost.promise;
  await client.close();
  expect(await waiting).toEqual(new Error("the sandbox is stopping"));
  expect(new UnreachableError("x").message).toBe("configured Kubernetes cluster is unreachable: x");
});

const things = (...names: string[]) => ({
  resources: names.map((kind) => ({ name: `${kind.toLowerCase()}s`, kind, namespaced: true })),
});
const kind = (name: string) => ({ group: "probe.kiln", version: "v1", kind: name });

test("a group's kinds are asked for once, and again when one is missing", async () => {
  const discovery = new Discovery(client);
  server.script = [
    say(200, { resources: [...things("Thing").resources, { name: "things/status", kind: "Thing" }] }),
  ];
  const found = await Promise.all(Array.from({ length: 20 }, () => discovery.require(kind("Thing"))));
  expect(server.asked).toEqual(["GET /apis/probe.kiln/v1"]);
  const [thing] = found;
  expect(thing && pathOf(thing, "n", "a/b")).toBe("/apis/probe.kiln/v1/namespaces/n/things/a%2Fb");
  expect(thing && pathOf(thing, undefined)).toBe("/apis/probe.kiln/v1/things");
  expect(await discovery.find(kind("Other"))).toBeUndefined();
  server.otherwise = say(200, things("Thing", "Other"));
  await expect.poll(() => discovery.find(kind("Other")), soon).toBeDefined();
  discovery.invalidate();
  server.otherwise = refuse(404, "NotFound", "404 page not found");
  await expect(discovery.require(kind("Thing"))).rejects.toThrow(NoMatchError);
});

test("a create whose answer was lost is not taken for someone else's object", async () => {
  const discovery = new Discovery(client);
  const object = { apiVersion: "probe.kiln/v1", kind: "Thing", metadata: { name: "a", namespace: "n" } };
  const made = { ...object, metadata: { ...object.metadata, creationTimestamp: new Date().toISOString() } };
  const old = { ...object, metadata: { ...object.metadata, creationTimestamp: "2020-01-01T00:00:00Z" } };
  const exists = refuse(409, "AlreadyExists", 'things "a" already exists');
  const create = () =>
    createObject(
      { client, discovery },
      { kind: kind("Thing"), object, fieldManager: "m", force: false, preview: false, signal },
      false,
    );
  server.script = [say(200, things("Thing")), hangUp, exists, say(200, made)];
  expect((await create()).object).toEqual(made);
  server.script = [hangUp, exists, say(200, old)];
  await expect(create()).rejects.toThrow("already exists");
  server.script = [exists];
  await expect(create()).rejects.toThrow("already exists");
});
