import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type TlsMaterial, tlsMaterial } from "../../sandbox/front/certificates.ts";
import { ApiError, NoMatchError, UnreachableError } from "../../sandbox/providers/kubernetes/api-error.ts";
import { createObject } from "../../sandbox/providers/kubernetes/apply.ts";
import { KubeClient } from "../../sandbox/providers/kubernetes/client.ts";
import { Discovery, pathOf } from "../../sandbox/providers/kubernetes/discovery.ts";
import { type Change, Informers } from "../../sandbox/providers/kubernetes/informers.ts";

/*
 * Requests, discovery and watches against an API server of which every answer is scripted.
 */

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder: string;
let tls: TlsMaterial;
let server: https.Server;
let client: KubeClient;
/** What the server does with the next requests; what is ready when nothing is left. */
let script: Answer[] = [];
let otherwise: Answer;
let asked: string[] = [];
const signal = new AbortController().signal;
/** A slow machine must not turn a condition into a failure. */
const soon = { timeout: 60_000 };

const say =
  (status: number, body: object, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
const refuse = (code: number, reason: string, message: string, headers?: Record<string, string>) =>
  say(code, { kind: "Status", code, reason, message }, headers);
const hangUp: Answer = (request) => request.socket.destroy();
const get = (at = "/api/v1/things") => client.send({ method: "GET", path: at, signal });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "kube-client-"));
  tls = await tlsMaterial(folder);
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  script = [];
  asked = [];
  otherwise = say(200, { fine: true });
  server = https.createServer(tls, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === "/readyz") response.end("ok");
    else (script.shift() ?? otherwise)(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = new KubeClient({
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers: { Authorization: "Bearer a-token" },
    tls: { ca: tls.ca, servername: "management.azure.com" },
  });
});
afterEach(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

test.each([
  ["too much at once", refuse(429, "TooManyRequests", "slow down", { "retry-after": "0" })],
  ["not there yet", refuse(503, "ServiceUnavailable", "apiserver not ready")],
  ["a new leader", refuse(500, "", "etcdserver: leader changed")],
  ["no answer", hangUp],
])("%s is waited out", async (_, answer) => {
  script = [answer, answer];
  expect((await get()).body).toEqual({ fine: true });
  expect(asked.filter((each) => each.includes("things"))).toHaveLength(3);
});

test("a refusal is told as the API server says it", async () => {
  script = [
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
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === "/readyz") response.writeHead(++ready < 3 ? 500 : 200).end();
    else if (ready < 3)
      refuse(403, "Forbidden", 'RBAC: clusterrole "cluster-admin" not found')(request, response);
    else otherwise(request, response);
  });
  expect((await get()).body).toEqual({ fine: true });
  expect(ready).toBeGreaterThanOrEqual(3);
});

test("a ready one's refusal counts at once", async () => {
  otherwise = refuse(403, "Forbidden", "not you");
  await expect(get()).rejects.toThrow("not you");
  await expect(get()).rejects.toThrow("not you");
  // The first time it is asked whether it is ready, and then once more.
  expect(asked.map((each) => each.replace("GET /", ""))).toEqual([
    "api/v1/things",
    "readyz",
    "api/v1/things",
    "api/v1/things",
  ]);
});

test("all that wait for one that is away, wait for one look, and none longer than it wants", async () => {
  server.closeAllConnections();
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  const impatient = new AbortController();
  const gone = client
    .send({ method: "GET", path: "/a", signal: impatient.signal })
    .catch((error: unknown) => error);
  const waiting = Array.from({ length: 50 }, () => get());
  impatient.abort(new Error("no more time"));
  expect(await gone).toEqual(new Error("no more time"));
  server.listen(port, "127.0.0.1");
  expect(await Promise.all(waiting)).toHaveLength(50);
  expect(asked.filter((each) => each === "GET /readyz")).toHaveLength(1);
});

test("the end of the sandbox ends the wait", async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  const waiting = get().catch((error: unknown) => error);
  client.close();
  expect(await waiting).toBeInstanceOf(Error);
  expect(new UnreachableError("x").message).toBe("configured Kubernetes cluster is unreachable: x");
});

const things = (...names: string[]) => ({
  resources: names.map((kind) => ({ name: `${kind.toLowerCase()}s`, kind, namespaced: true })),
});
const kind = (name: string) => ({ group: "probe.kiln", version: "v1", kind: name });

test("a group's kinds are asked for once, and again when one is missing", async () => {
  const discovery = new Discovery(client);
  script = [
    say(200, { resources: [...things("Thing").resources, { name: "things/status", kind: "Thing" }] }),
  ];
  const found = await Promise.all(Array.from({ length: 20 }, () => discovery.require(kind("Thing"))));
  expect(asked).toEqual(["GET /apis/probe.kiln/v1"]);
  const [thing] = found;
  expect(thing && pathOf(thing, "n", "a/b")).toBe("/apis/probe.kiln/v1/namespaces/n/things/a%2Fb");
  expect(thing && pathOf(thing, undefined)).toBe("/apis/probe.kiln/v1/things");
  expect(await discovery.find(kind("Other"))).toBeUndefined();
  otherwise = say(200, things("Thing", "Other"));
  await expect.poll(() => discovery.find(kind("Other")), soon).toBeDefined();
  discovery.invalidate();
  otherwise = refuse(404, "NotFound", "404 page not found");
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
  script = [say(200, things("Thing")), hangUp, exists, say(200, made)];
  expect((await create()).object).toEqual(made);
  script = [hangUp, exists, say(200, old)];
  await expect(create()).rejects.toThrow("already exists");
  script = [exists];
  await expect(create()).rejects.toThrow("already exists");
});

const object = (name: string, version: number, uid = name) => ({
  metadata: { name, uid, resourceVersion: String(version), generation: 1 },
});
const list = (version: number, ...items: object[]) =>
  say(200, { kind: "ThingList", apiVersion: "v1", metadata: { resourceVersion: String(version) }, items });

test("a thousand that wait in one place share one list and one watch", async () => {
  const informers = new Informers(client);
  let watch: ServerResponse | undefined;
  const keep: Answer = (_, response) => {
    watch = response;
    response.writeHead(200).flushHeaders();
  };
  script = [list(5, object("it-0", 1)), keep];
  const seen = new Map<string, Change[]>();
  const subscriptions = Array.from({ length: 1_000 }, (_, index) => {
    const name = `it-${index}`;
    seen.set(name, []);
    return informers.subscribe("/api/v1/things", name, (change) => seen.get(name)?.push(change));
  });
  await Promise.all(subscriptions.map(({ synced }) => synced));
  await expect.poll(() => asked, soon).toHaveLength(2);
  expect(asked[1]).toContain("watch=true");
  expect(asked[1]).toContain("resourceVersion=5");
  expect(seen.get("it-0")).toEqual([
    { type: "there", object: { apiVersion: "v1", kind: "Thing", ...object("it-0", 1) } },
  ]);
  const event = (type: string, of: object) => watch?.write(`${JSON.stringify({ type, object: of })}\n`);
  event("ADDED", object("it-7", 6));
  event("MODIFIED", object("it-7", 7));
  event("BOOKMARK", object("", 8));
  event("DELETED", object("it-0", 9));
  await expect.poll(() => seen.get("it-0")?.length, soon).toBe(2);
  expect(seen.get("it-0")?.[1]?.type).toBe("gone");
  expect(seen.get("it-7")).toHaveLength(2);
  expect(seen.get("it-8")).toEqual([]);
  for (const subscription of subscriptions) subscription.close();
  // Who comes soon after finds it as it is.
  const late: Change[] = [];
  informers.subscribe("/api/v1/things", "it-7", (change) => late.push(change)).close();
  expect(late).toHaveLength(1);
  expect(asked).toHaveLength(2);
  expect(informers.size).toBe(1);
  informers.close();
  expect(informers.size).toBe(0);
});

test.each<[string, Answer]>([
  ["breaks", (_, response) => response.writeHead(200).write("{", () => response.destroy())],
  [
    "is too old",
    (_, response) => response.end(`${JSON.stringify({ type: "ERROR", object: { code: 410 } })}\n`),
  ],
  ["is refused as too old", refuse(410, "Expired", "too old")],
])("after a watch that %s, what was missed is told", async (_, broken) => {
  const informers = new Informers(client);
  const quiet: Answer = (_request, response) => response.writeHead(200).flushHeaders();
  script = [list(1, object("a", 1), object("b", 1)), broken, list(9, object("a", 8)), quiet];
  const seen: string[] = [];
  const subscription = informers.subscribe("/api/v1/things", undefined, ({ type, object: each }) => {
    const { name, resourceVersion } = each.metadata as Record<string, string>;
    seen.push(`${name} ${resourceVersion} ${type}`);
  });
  await expect.poll(() => seen, soon).toEqual(["a 1 there", "b 1 there", "a 8 there", "b 1 gone"]);
  subscription.close();
  informers.close();
});

test("a long list is read in pages", async () => {
  const informers = new Informers(client);
  const page = {
    kind: "ThingList",
    apiVersion: "v1",
    metadata: { continue: "more" },
    items: [object("a", 1)],
  };
  script = [say(200, page), list(2, object("b", 2)), (_, response) => response.writeHead(200).flushHeaders()];
  const seen: unknown[] = [];
  const { synced } = informers.subscribe("/api/v1/things", undefined, (change) => seen.push(change));
  await synced;
  expect(seen).toHaveLength(2);
  expect(asked[1]).toContain("continue=more");
  informers.close();
});

test("who may not watch is told", async () => {
  const informers = new Informers(client);
  otherwise = refuse(403, "Forbidden", "you may not list things");
  const { failed, synced } = informers.subscribe("/api/v1/things", "a", () => {});
  await expect(synced).rejects.toThrow("you may not list");
  await expect(failed).rejects.toThrow("you may not list");
  expect(informers.size).toBe(0);
});
