import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeClient } from "../../sandbox/providers/kubernetes/client.ts";
import { type Change, Informers } from "../../sandbox/providers/kubernetes/informers.ts";
import type { JsonMap } from "../../sandbox/providers/kubernetes/json.ts";
import {
  type Answer,
  event,
  list,
  object,
  quiet,
  refuse,
  say,
  server,
  soon,
  useScriptedServer,
} from "./scripted-api-server.ts";

/*
 * Watches over the official client, against an API server of which every answer is scripted.
 */

let client: KubeClient;

useScriptedServer();
beforeEach(async () => {
  client = await server.client();
});
afterEach(async () => {
  await client.close();
});

test("a thousand that wait in one place share one list and one watch", async () => {
  const informers = new Informers(client);
  let watch: ServerResponse | undefined;
  const keep: Answer = (_, response) => {
    watch = response;
    response.writeHead(200).flushHeaders();
  };
  server.script = [list(5, object("it-0", 1)), keep];
  const seen = new Map<string, Change[]>();
  const subscriptions = Array.from({ length: 1_000 }, (_, index) => {
    const name = `it-${index}`;
    seen.set(name, []);
    return informers.subscribe("/api/v1/things", name, (change) => seen.get(name)?.push(change));
  });
  await Promise.all(subscriptions.map(({ synced }) => synced));
  await expect.poll(() => server.asked, soon).toHaveLength(2);
  expect(server.asked[1]).toContain("watch=true");
  expect(server.asked[1]).toContain("resourceVersion=5");
  expect(seen.get("it-0")).toEqual([
    { type: "there", object: { apiVersion: "v1", kind: "Thing", ...object("it-0", 1) } },
  ]);
  const tell = (type: string, of: object) => watch?.write(event(type, of));
  tell("ADDED", object("it-7", 6));
  tell("MODIFIED", object("it-7", 7));
  tell("BOOKMARK", object("", 8));
  tell("DELETED", object("it-0", 9));
  await expect.poll(() => seen.get("it-0")?.length, soon).toBe(2);
  expect(seen.get("it-0")?.[1]?.type).toBe("gone");
  expect(seen.get("it-7")).toHaveLength(2);
  expect(seen.get("it-8")).toEqual([]);
  for (const subscription of subscriptions) subscription.close();
  // Who comes soon after finds it as it is.
  const late: Change[] = [];
  informers.subscribe("/api/v1/things", "it-7", (change) => late.push(change)).close();
  expect(late).toHaveLength(1);
  expect(server.asked).toHaveLength(2);
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
  server.script = [list(1, object("a", 1), object("b", 1)), broken, list(9, object("a", 8)), quiet];
  const seen: string[] = [];
  const subscription = informers.subscribe("/api/v1/things", undefined, ({ type, object: each }) => {
    const { name, resourceVersion } = each.metadata as Record<string, string>;
    seen.push(`${name} ${resourceVersion} ${type}`);
  });
  await expect.poll(() => seen, soon).toEqual(["a 1 there", "b 1 there", "a 8 there", "b 1 gone"]);
  subscription.close();
  informers.close();
});

const versionOf = (asked: string) =>
  new URL(asked.slice(4), "https://it").searchParams.get("resourceVersion");

test.each<[string, Answer]>([
  [
    "is quiet for too long",
    (_, response) => void response.writeHead(200).write(event("ADDED", object("b", 7))),
  ],
  ["the API server ended", (_, response) => void response.end(event("ADDED", object("b", 7)))],
  [
    "ended with nothing but a later version",
    (_, response) => void response.end(event("ADDED", object("b", 6)) + event("BOOKMARK", object("", 7))),
  ],
])("a watch that %s goes on from its last version, without another list", async (_, first) => {
  const impatient = await server.client({ quietMs: 1_000 });
  const informers = new Informers(impatient);
  server.script = [
    list(5, object("a", 1)),
    first,
    (_request, response) => void response.end(event("MODIFIED", object("b", 8))),
  ];
  server.otherwise = quiet;
  const seen: Change[] = [];
  const { synced, failed } = informers.subscribe("/api/v1/things", undefined, (change) => seen.push(change));
  failed.catch(() => {});
  await synced;
  await expect.poll(() => server.asked.length, soon).toBeGreaterThanOrEqual(5);
  const [listed = "", ...watched] = server.asked.slice(0, 5);
  expect(listed).not.toContain("watch=true");
  for (const each of watched) expect(each).toContain("watch=true");
  expect(watched.map(versionOf)).toEqual(["5", "7", "8", "8"]);
  expect(seen.map(({ object: { metadata } }) => (metadata as JsonMap).name)).toEqual(["a", "b", "b"]);
  informers.close();
  await impatient.close();
});

test("a watch that is put off goes on from where it was, and one that is refused says why", async () => {
  const informers = new Informers(client);
  server.script = [
    list(5, object("a", 1)),
    refuse(429, "TooManyRequests", "slow down"),
    (_, response) => response.end(event("ADDED", object("lost", 6))),
    (_, response) => response.end(event("ADDED", object("b", 6))),
    refuse(403, "Forbidden", "you may no longer watch things"),
    refuse(403, "Forbidden", "you may no longer watch things"),
    refuse(403, "Forbidden", "you may no longer watch things"),
  ];
  const seen: Change[] = [];
  const { synced, failed } = informers.subscribe("/api/v1/things", undefined, (change) => seen.push(change));
  await synced;
  await expect(failed).rejects.toThrow("you may no longer watch things");
  expect(seen).toHaveLength(2);
  const watched = server.asked.filter((each) => each.includes("watch=true"));
  expect(watched.slice(0, 4).map(versionOf)).toEqual(["5", "5", "5", "6"]);
});

test("an API server that is killed in the middle of a watch is waited for, and then listed again", async () => {
  const informers = new Informers(client);
  const { port } = server;
  server.script = [list(1, object("a", 1)), quiet];
  const seen: Change[] = [];
  const { failed } = informers.subscribe("/api/v1/things", "a", (change) => seen.push(change));
  failed.catch(() => {});
  await expect.poll(() => server.asked, soon).toHaveLength(2);
  await server.close();
  server.script = [list(9, object("a", 9)), quiet];
  await server.listen(port);
  await expect.poll(() => seen, soon).toHaveLength(2);
  expect(seen[1]?.object).toMatchObject(object("a", 9));
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
  server.script = [say(200, page), list(2, object("b", 2)), quiet];
  const seen: unknown[] = [];
  const { synced } = informers.subscribe("/api/v1/things", undefined, (change) => seen.push(change));
  await synced;
  expect(seen).toHaveLength(2);
  expect(server.asked[1]).toContain("continue=more");
  informers.close();
});

test("who may not watch is told", async () => {
  const informers = new Informers(client);
  server.otherwise = refuse(403, "Forbidden", "you may not list things");
  const { failed, synced } = informers.subscribe("/api/v1/things", "a", () => {});
  await expect(synced).rejects.toThrow("you may not list");
  await expect(failed).rejects.toThrow("you may not list");
  expect(informers.size).toBe(0);
});
