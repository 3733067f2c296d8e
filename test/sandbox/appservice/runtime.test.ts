import { existsSync, readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTimeOf } from "../../../sandbox/appservice/processes.ts";
import { RunningCloud, testApp, until } from "./support.ts";

let cloud: RunningCloud;

beforeAll(async () => {
  process.env.KILN_TEST_SECRET_OF_THE_DAEMON = "must not leak";
  cloud = await new RunningCloud().start();
  await cloud.putSite();
  await cloud.deploy(testApp());
});
afterAll(() => cloud.end());

const pid = async () => Number((await cloud.visit("/api/pid")).body);

describe("a site's process", () => {
  test("has its settings, what the platform says, the network's reach, and nothing of the daemon's", async () => {
    await cloud.settings({ GREETING: "hello", "Nested:Name": "x", HTTPS_PROXY: "http://elsewhere" });
    await until("the settings are there", async () =>
      (await cloud.visit("/api/env")).body.includes('"GREETING":"hello"'),
    );
    const env = JSON.parse((await cloud.visit("/api/env")).body);
    expect(env).toMatchObject({
      GREETING: "hello",
      Nested__Name: "x",
      WEBSITE_SITE_NAME: "app",
      WEBSITE_HOSTNAME: "app.azurewebsites.net",
      HTTPS_PROXY: "http://127.0.0.1:9",
      PORT: env.FUNCTIONS_CUSTOMHANDLER_PORT,
    });
    expect(env).not.toHaveProperty("KILN_TEST_SECRET_OF_THE_DAEMON");
    const known =
      /^(GREETING|Nested__Name|WEBSITE_.*|HTTPS_PROXY|PORT|SERVER_PORT|FUNCTIONS_CUSTOMHANDLER_PORT|HOME|TMPDIR|PATH|LANG|NODE_ENV|REGION_NAME)$/;
    expect(Object.keys(env).filter((name) => !known.test(name))).toEqual([]);
  });

  test("gets method, path, query, headers and body, and its answer comes back whole", async () => {
    const body = "x".repeat(300_000);
    const answer = await cloud.visit("/api/echo?a=1", { method: "POST", body });
    expect(answer.status).toBe(201);
    expect(answer.headers["x-method"]).toBe("POST");
    expect(answer.body).toBe(body);
    const { body: seen } = await cloud.visit("/api/headers", { headers: { "x-mine": "1", te: "trailers" } });
    expect(JSON.parse(seen)).toMatchObject({
      host: "app.azurewebsites.net",
      "x-mine": "1",
      "x-forwarded-proto": "https",
      "x-forwarded-for": expect.any(String),
      "x-arr-log-id": expect.any(String),
      "was-default-hostname": "app.azurewebsites.net",
    });
    expect(JSON.parse(seen)).not.toHaveProperty("te");
  });

  test("is replaced without losing a request when settings change under load", async () => {
    cloud.runtime.resetCounters("app");
    const before = await pid();
    const held = cloud.visit("/api/hold");
    await until("a request is held", async () => (await cloud.visit("/api/held")).body === "1");
    let running = true;
    let failures = 0;
    const seen = new Set<string>();
    const load = Array.from({ length: 4 }, async () => {
      while (running) {
        const answer = await cloud.visit("/api/key");
        if (answer.status !== 200) failures += 1;
        seen.add(answer.body);
      }
    });
    for (const value of ["one", "two", "three"]) {
      await cloud.settings({ KEY: value });
      await until(`${value} is served`, () => seen.has(value));
    }
    expect(await pid()).not.toBe(before);
    expect(cloud.runtime.status("app").draining).toBeGreaterThan(0);
    process.kill(before, "SIGUSR2");
    expect(await held).toMatchObject({ status: 200, body: `let go by ${before}` });
    await until("the old process is gone", () => startTimeOf(before) === undefined);
    running = false;
    await Promise.all(load);
    expect(failures).toBe(0);
    const counters = cloud.runtime.counters("app");
    expect(counters).toMatchObject({ notOk: 0, dropped: 0, clientAborted: 0 });
    expect(counters.byRoute["GET /api/key"]?.total).toBe(counters.byRoute["GET /api/key"]?.byStatus["200"]);
  });

  test("is started again for the next request when it was killed", async () => {
    const before = await pid();
    process.kill(before, "SIGKILL");
    const answer = await cloud.visit("/api/pid");
    expect(answer.status).toBe(200);
    expect(Number(answer.body)).not.toBe(before);
  });

  test("that hangs up in the middle counts as dropped; a client that goes away does not", async () => {
    cloud.runtime.resetCounters("app");
    await expect(cloud.visit("/api/break")).rejects.toThrow();
    await until("it is counted", () => cloud.runtime.counters("app").dropped === 1);
    const socket = net.connect(cloud.port, "127.0.0.1");
    socket.write("GET /api/hold HTTP/1.1\r\nHost: app.azurewebsites.net\r\n\r\n");
    await until("it is held", async () => (await cloud.visit("/api/held")).body === "1");
    socket.destroy();
    await until("it is counted", () => cloud.runtime.counters("app").clientAborted === 1);
    expect(cloud.runtime.counters("app")).toMatchObject({ dropped: 1, notOk: 1 });
  });

  test("that ends before it answers is a 502, counted; and is there again", async () => {
    cloud.runtime.resetCounters("app");
    expect((await cloud.visit("/api/exit")).status).toBe(502);
    expect((await cloud.visit("/api/pid")).status).toBe(200);
    expect(cloud.runtime.counters("app")).toMatchObject({
      total: 2,
      notOk: 1,
      byStatus: { 200: 1, 502: 1 },
      byClass: { "2xx": 1, "5xx": 1 },
      byRoute: { "GET /api/exit": { total: 1, byStatus: { 502: 1 } } },
    });
  });

  test("writes logs that the scm site shows", async () => {
    await cloud.visit("/api/say?what=good+morning");
    const read = async () => String((await cloud.scm("GET", "/api/vfs/LogFiles/application.log")).body);
    await until("it is logged", async () => (await read()).includes("good morning"));
    const { body } = await cloud.scm("GET", "/api/logs/docker");
    expect(body.map(({ name }: { name: string }) => name)).toEqual(["application.log", "platform.log"]);
    expect((await cloud.scm("GET", "/api/vfs/LogFiles/..%2F..%2Fcloud.sqlite")).status).toBe(404);
  });
});

describe("what a site answers without its app", () => {
  test("stopped, it is 403 and has no process; started, it serves again", async () => {
    const before = await pid();
    await cloud.call("POST", `${cloud.site()}/stop`);
    await until("the process is gone", () => startTimeOf(before) === undefined);
    const answer = await cloud.visit("/api/pid");
    expect(answer.status).toBe(403);
    expect(answer.body).toContain("stopped");
    await cloud.call("POST", `${cloud.site()}/start`);
    expect((await cloud.visit("/api/pid")).status).toBe(200);
  });

  test("restarted, it has another process", async () => {
    const before = await pid();
    await cloud.call("POST", `${cloud.site()}/restart`);
    await until("another process serves", async () => (await pid()) !== before);
  });

  test("without code it shows the platform's page", async () => {
    await cloud.putSite("empty");
    const front = await cloud.visit("/", { name: "empty" });
    expect(front.status).toBe(200);
    expect(front.body).toContain("Your Functions 4.0 app is up and running");
    expect((await cloud.visit("/api/x", { name: "empty" })).status).toBe(404);
  });

  test("with code that does not start it is 503, says why in its log, and heals with better code", async () => {
    await cloud.putSite("broken");
    await cloud.deploy({ ...testApp(), "app.mjs": "throw new Error('no good');" }, "broken");
    expect((await cloud.visit("/api/pid", { name: "broken" })).status).toBe(503);
    expect(cloud.runtime.status("broken")).toMatchObject({
      state: "Failed",
      reason: expect.stringContaining("ended with code 1"),
    });
    const { body } = await cloud.scm("GET", "/api/vfs/LogFiles/application.log", { name: "broken" });
    expect(body).toContain("no good");
    await cloud.deploy(testApp(), "broken");
    expect((await cloud.visit("/api/pid", { name: "broken" })).status).toBe(200);
  });

  test("new settings that the app cannot live with take it down, as in Azure", async () => {
    await cloud.putSite("picky");
    const app = testApp();
    await cloud.deploy(
      { ...app, "app.mjs": `if (process.env.BAD) process.exit(1);${app["app.mjs"]}` },
      "picky",
    );
    expect((await cloud.visit("/api/pid", { name: "picky" })).status).toBe(200);
    await cloud.settings({ BAD: "1" }, "picky");
    await until("it is down", async () => (await cloud.visit("/api/pid", { name: "picky" })).status === 503);
    await cloud.settings({}, "picky");
    await until("it is up", async () => (await cloud.visit("/api/pid", { name: "picky" })).status === 200);
  });

  test("an injected fault is answered and counted", async () => {
    cloud.runtime.resetCounters("app");
    const rule = { after: 0, probability: 1, seed: 1, retryAfterSeconds: 1, delayMs: 1 };
    cloud.cloud.faults.add({ ...rule, effect: "server-error", host: "^app\\.azure", times: 1, status: 500 });
    expect((await cloud.visit("/api/pid")).status).toBe(500);
    cloud.cloud.faults.add({ ...rule, effect: "lost", host: "^app\\.azure", times: 1, status: 500 });
    await expect(cloud.visit("/api/pid")).rejects.toThrow();
    expect(cloud.runtime.counters("app")).toMatchObject({ total: 2, notOk: 2, dropped: 1 });
  });
});

describe("a web app", () => {
  test("runs by its start script, its command line, or its main file", async () => {
    const code = `require("node:http").createServer((q, r) => r.end("from " + (process.argv[2] ?? "main"))).listen(process.env.PORT, "127.0.0.1");`;
    const files = { "server.js": code };
    const say = async (name: string) => (await cloud.visit("/", { name })).body;
    await cloud.putSite("web", { kind: "app,linux" });
    await cloud.deploy(files, "web");
    expect(await say("web")).toBe("from main");
    const manifest = JSON.stringify({ scripts: { start: "node server.js script" } });
    await cloud.deploy({ ...files, "package.json": manifest }, "web");
    await until("the script's process serves", async () => (await say("web")) === "from script");
    await cloud.call("PATCH", `${cloud.site("web")}/config/web`, {
      properties: { appCommandLine: "node server.js line" },
    });
    await until("the command line's process serves", async () => (await say("web")) === "from line");
    const folders = () => readdirSync(path.join(cloud.dataDir, "sites", "web", "code"));
    await until("old code is gone", () => folders().length === 2);
  });
});

describe("the end of things", () => {
  test("a deleted site loses its process, its files and its counters", async () => {
    await cloud.putSite("gone");
    await cloud.deploy(testApp(), "gone");
    const process = Number((await cloud.visit("/api/pid", { name: "gone" })).body);
    await cloud.call("DELETE", cloud.site("gone"));
    await until("the process is gone", () => startTimeOf(process) === undefined);
    expect(existsSync(path.join(cloud.dataDir, "sites", "gone"))).toBe(false);
    expect((await cloud.visit("/", { name: "gone" })).status).toBe(404);
    await cloud.putSite("gone");
    expect(cloud.runtime.counters("gone").total).toBe(0);
    expect((await cloud.visit("/", { name: "gone" })).body).toContain("up and running");
  });

  test("a restart of the sandbox keeps code, settings and counters; the first request starts the app", async () => {
    await cloud.settings({ KEY: "kept" });
    await until("it is served", async () => (await cloud.visit("/api/key")).body === "kept");
    const before = await pid();
    const { total } = cloud.runtime.counters("app");
    await cloud.restart();
    expect(startTimeOf(before)).toBeUndefined();
    expect(cloud.runtime.counters("app").total).toBe(total);
    expect(cloud.runtime.status("app").state).toBe("Idle");
    const answers = await Promise.all(Array.from({ length: 5 }, () => cloud.visit("/api/pid")));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect((await cloud.visit("/api/key")).body).toBe("kept");
    const log = readFileSync(path.join(cloud.dataDir, "sites", "app", "log", "platform.log"), "utf8");
    expect(log).not.toContain("kept");
  });
});
