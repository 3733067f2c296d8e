import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Connection } from "../../sandbox/providers/kubernetes/connection.ts";
import { isLost, rootOf } from "../../sandbox/providers/kubernetes/lost.ts";
import { Slots } from "../../sandbox/providers/kubernetes/signals.ts";
import {
  type Answer,
  event,
  hangUp,
  quiet,
  refuse,
  say,
  server,
  soon,
  useScriptedServer,
} from "./scripted-api-server.ts";

/*
 * What goes over the wire between the official client and an API server of which every answer is scripted.
 */

let connection: Connection;
const signal = new AbortController().signal;
const things = "/api/v1/things";
const get = { method: "GET", path: things, signal } as const;

useScriptedServer();
beforeEach(async () => {
  connection = await Connection.open(server.config());
});
afterEach(async () => {
  await connection.close();
});

/** Answers with what was asked. */
const echo: Answer = (request, response) => {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, text }));
  });
};

describe("a request", () => {
  test("is sent as it is given, as the kubeconfig's user", async () => {
    server.otherwise = echo;
    const body = { metadata: { name: "grün" }, at: "2020-01-01T00:00:00Z" };
    const contentType = "application/apply-patch+yaml";
    const query = { fieldManager: "a b/c", force: undefined, dryRun: "All" };
    const answer = await connection.ask({ ...get, method: "PATCH", query, body, contentType });
    expect(answer.body).toMatchObject({
      method: "PATCH",
      url: `${things}?fieldManager=a+b%2Fc&dryRun=All`,
      text: JSON.stringify(body),
      headers: {
        authorization: "Bearer a-token",
        accept: "application/json",
        "content-type": contentType,
        "content-length": String(Buffer.byteLength(JSON.stringify(body))),
        "user-agent": "pulumi-kubernetes",
      },
    });
    const plain = await connection.ask({ ...get, method: "DELETE", path: `${things}/a%2Fb` });
    expect(plain.body).toMatchObject({ method: "DELETE", url: `${things}/a%2Fb`, text: "" });
    expect(plain.body.headers).not.toHaveProperty("content-type");
  });

  test("sends a text as it stands, and asks for what it is told to", async () => {
    server.otherwise = echo;
    const text = "kind: Thing\n# a remark\n";
    const accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    const contentType = "application/yaml";
    const answer = await connection.ask({ ...get, method: "POST", text, contentType, accept });
    expect(answer.body).toMatchObject({ text, headers: { accept, "content-type": contentType } });
  });

  test("brings an object back as it stands there, with what no model knows and times as they are written", async () => {
    const odd = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "a",
        creationTimestamp: "2020-01-01T00:00:00.123456Z",
        annotations: { "a/b": "ü\u2028" },
      },
      spec: { fieldOfTomorrow: { deep: [null, 1.5, false] }, containers: [{ name: "c", newest: "x" }] },
    };
    server.otherwise = say(200, odd);
    expect((await connection.ask(get)).body).toEqual(odd);
  });

  test("brings warnings, from one header or several", async () => {
    server.otherwise = (_, response) => {
      response.setHeader("warning", ['299 - "v1 Things are old"', '299 - "unknown field \\"spec.a, b\\""']);
      response.end("{}");
    };
    const { warnings } = await connection.ask(get);
    expect(warnings).toEqual(["v1 Things are old", 'unknown field "spec.a, b"']);
  });

  test("tells a refusal, with or without a Status", async () => {
    server.script = [
      refuse(429, "TooManyRequests", "slow down", { "retry-after": "7" }),
      (_, response) => response.writeHead(502).end(" bad gateway\n"),
      (_, response) => response.writeHead(204).end(),
    ];
    expect(await connection.ask(get)).toMatchObject({ status: 429, retryAfter: "7" });
    expect(await connection.ask(get)).toMatchObject({ status: 502, body: { message: "bad gateway" } });
    expect(await connection.ask(get)).toMatchObject({ status: 204, body: {} });
  });

  test.each<[string, Answer]>([
    ["before its answer", hangUp],
    ["in the middle of its headers", (request) => request.socket.end("HTTP/1.1 200 OK\r\ncontent-")],
    [
      "in the middle of its body",
      (_, response) => response.writeHead(200).write('{"a', () => response.destroy()),
    ],
  ])("whose API server is killed %s is lost", async (_, killed) => {
    server.script = [killed];
    const error = await connection.ask(get).catch((each: unknown) => each);
    expect(isLost(error), String(error)).toBe(true);
    expect((await connection.ask(get)).body).toEqual({ fine: true });
  });

  test("to an API server that is away is lost, and says what nobody took", async () => {
    const { port } = server;
    await server.close();
    const error = await connection.ask(get).catch((each: unknown) => each);
    expect(isLost(error), String(error)).toBe(true);
    expect(error).toMatchObject({ message: expect.stringContaining(`127.0.0.1:${port}`) });
    await server.listen(port);
  });

  test("ends with its signal, and with nothing else's", async () => {
    const arrived = Promise.withResolvers<void>();
    server.script = [() => arrived.resolve()];
    const impatient = new AbortController();
    const asking = connection.ask({ ...get, signal: impatient.signal });
    await arrived.promise;
    impatient.abort(new Error("no more time"));
    await expect(asking).rejects.toThrow("no more time");
    await expect(connection.ask({ ...get, signal: impatient.signal })).rejects.toThrow("no more time");
    expect((await connection.ask(get)).body).toEqual({ fine: true });
  });
});

describe("connections", () => {
  test("are kept, shared and bounded, and closed at the end", async () => {
    for (let count = 0; count < 20; count++) await connection.ask(get);
    // One rests for a turn of the event loop while the other is used.
    expect(server.connections).toBeLessThanOrEqual(2);
    const held: (() => void)[] = [];
    server.otherwise = (_, response) => void held.push(() => response.end("{}"));
    const all = Promise.all(Array.from({ length: 120 }, () => connection.ask(get)));
    await expect.poll(() => held.length, soon).toBe(48);
    expect(server.connections).toBe(48);
    server.otherwise = say(200, {});
    for (const release of held) release();
    expect(await all).toHaveLength(120);
    expect(server.connections).toBe(48);
    await connection.close();
    await expect.poll(() => server.open(), soon).toBe(0);
  });

  test("take no proxy that is set for the process", async () => {
    const proxied: string[] = [];
    const proxy = http.createServer();
    proxy.on("connect", (request, socket) => {
      proxied.push(String(request.url));
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const restore = http.setGlobalProxyFromEnv({ https_proxy: url, http_proxy: url });
    try {
      await expect(fetch(`https://127.0.0.1:${server.port}`)).rejects.toThrow();
      expect(proxied).toEqual([`127.0.0.1:${server.port}`]);
      const own = await Connection.open(server.config());
      expect((await own.ask(get)).status).toBe(200);
      server.script = [(_, response) => response.end(event("ADDED", {}))];
      const heard: string[] = [];
      expect(await own.watch(things, "1", signal, (type) => heard.push(type))).toBe("over");
      expect(heard).toEqual(["ADDED"]);
      await own.close();
      expect(proxied).toHaveLength(1);
    } finally {
      restore();
      await new Promise((done) => proxy.close(done));
    }
  });

  test("are not opened where a kubeconfig leads another way", async () => {
    const another = "reached without a proxy";
    for (const proxyUrl of ["http://127.0.0.1:9", "socks5://127.0.0.1:9"]) {
      await expect(Connection.open(server.config({ proxyUrl }))).rejects.toThrow(another);
    }
    const { name, server: at } = server.config().getCurrentCluster() ?? { name: "", server: "" };
    const unknown = server.config();
    unknown.loadFromClusterAndUser(
      { name, server: at, skipTLSVerify: false },
      { name: "me", token: "a-token" },
    );
    await expect(Connection.open(unknown)).rejects.toThrow(another);
  });

  test("are made to who is whom the kubeconfig's authority vouches for", async () => {
    const other = await Connection.open(server.config({ tlsServerName: "elsewhere.example" }));
    const error = await other.ask(get).catch((each: unknown) => each);
    expect(error).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    expect(isLost(error)).toBe(false);
    await other.close();
  });

  test("sign in with a name and a password, too", async () => {
    server.otherwise = echo;
    const basic = await Connection.open(server.config({}, { username: "me", password: "pw" }));
    const authorization = `Basic ${Buffer.from("me:pw").toString("base64")}`;
    expect((await basic.ask(get)).body).toMatchObject({ headers: { authorization } });
    await basic.close();
  });
});

describe("a watch", () => {
  const watch = (over = connection, from = "5", on: (type: string) => void = () => {}) =>
    over.watch(things, from, signal, on);

  test("asks for what changes since a version, with bookmarks, and to be ended in time", async () => {
    server.script = [
      (request, response) => response.end(event("ADDED", { headers: request.headers as object })),
    ];
    let seen: unknown;
    const ended = await connection.watch(things, "5", signal, (_, object) => {
      seen = object;
    });
    expect(ended).toBe("over");
    expect(seen).toMatchObject({
      headers: { authorization: "Bearer a-token", "user-agent": "pulumi-kubernetes" },
    });
    expect(server.asked).toEqual([
      `GET ${things}?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=24`,
    ]);
  });

  test("without a word for too long is quiet", async () => {
    const impatient = await Connection.open(server.config(), { quietMs: 50 });
    server.script = [quiet];
    expect(await watch(impatient)).toBe("quiet");
    await impatient.close();
  });

  test("reads events that come in pieces, many at once and in any letters", async () => {
    const names = ["a", "ü".repeat(50_000), "\u2028 and \n", "last"];
    const all = Buffer.from(
      names
        .map((name) => event("ADDED", { name }))
        .join("")
        .replaceAll("\u2028", "\\u2028"),
    );
    server.script = [
      async (_, response) => {
        for (let at = 0; at < all.length; at += 4_099) response.write(all.subarray(at, at + 4_099));
        response.end();
      },
    ];
    const seen: unknown[] = [];
    expect(await connection.watch(things, "1", signal, (_, { name }) => seen.push(name))).toBe("over");
    expect(seen).toEqual(names);
  });

  test("that breaks in the middle of an event has told all before", async () => {
    server.script = [
      (_, response) => response.write(`${event("ADDED", {})}{"type":"ADD`, () => response.destroy()),
    ];
    const heard: string[] = [];
    const error = await watch(connection, "1", (type) => heard.push(type)).catch((each: unknown) => each);
    expect(isLost(error), String(error)).toBe(true);
    expect(heard).toEqual(["ADDED"]);
  });

  test("is refused by a number", async () => {
    server.script = [refuse(403, "Forbidden", "no"), refuse(410, "Expired", "too old")];
    await expect(watch()).rejects.toMatchObject({ name: "ApiError", code: 403 });
    await expect(watch()).rejects.toMatchObject({ name: "ApiError", code: 410 });
  });

  test("ends with its signal, whether it stands or is still connecting", async () => {
    for (const answer of [quiet, () => {}] satisfies Answer[]) {
      const arrived = Promise.withResolvers<void>();
      server.script = [
        (request, response) => {
          answer(request, response);
          arrived.resolve();
        },
      ];
      const leaving = new AbortController();
      const watching = connection.watch(things, "1", leaving.signal, () => {});
      await arrived.promise;
      leaving.abort(new Error("nobody watches any more"));
      await expect(watching).rejects.toThrow("nobody watches");
      await expect(connection.watch(things, "1", leaving.signal, () => {})).rejects.toThrow("nobody watches");
    }
  });

  test("ends with a listener that fails, and with that failure", async () => {
    server.script = [(_, response) => void response.write(event("ADDED", {}) + event("ADDED", {}))];
    let heard = 0;
    const failing = () => {
      heard++;
      throw new Error("a listener's own");
    };
    await expect(watch(connection, "1", failing)).rejects.toThrow("a listener's own");
    expect(heard).toBe(1);
  });
});

test("the reason is what stands at the root", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const failed = new TypeError("fetch failed", { cause: new Error("once more", { cause: refused }) });
  expect(rootOf(failed)).toBe(refused);
  expect(isLost(rootOf(failed))).toBe(true);
  expect(rootOf("text")).toBe("text");
  expect(isLost(undefined)).toBe(false);
  expect(isLost(new DOMException("x", "AbortError"))).toBe(false);
});

test("a place in line is left by who gives up, and is not lost", async () => {
  const slots = new Slots(1);
  const first = Promise.withResolvers<void>();
  const done: string[] = [];
  const holding = slots.use(signal, () => first.promise);
  const leaving = new AbortController();
  const left = slots.use(leaving.signal, async () => done.push("left"));
  const stayed = slots.use(signal, async () => done.push("stayed"));
  leaving.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  expect(done).toEqual([]);
  first.resolve();
  await Promise.all([holding, stayed]);
  await slots.use(signal, async () => done.push("later"));
  expect(done).toEqual(["stayed", "later"]);
  await expect(slots.use(signal, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(await slots.use(signal, async () => "free again")).toBe("free again");
});
