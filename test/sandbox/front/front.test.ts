import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type net from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findHost, type HostFamily } from "../../../sandbox/front/hosts.ts";
import { type TestSandbox, testSandbox } from "../../harness/sandbox.ts";

let it: TestSandbox;
beforeAll(async () => {
  it = await testSandbox();
});
afterAll(() => it.close());

/** Sends a CONNECT and gives the proxy's own answer. */
async function connect(target: string): Promise<{ status: number; body: string }> {
  const request = http
    .request({ host: "127.0.0.1", port: it.sandbox.port, method: "CONNECT", path: target })
    .end();
  const [response, socket] = (await once(request, "connect")) as [http.IncomingMessage, net.Socket, Buffer];
  const status = response.statusCode ?? 0;
  if (status === 200) socket.destroy();
  return { status, body: status === 200 ? "" : await text(socket) };
}

async function get(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const agent = new https.Agent({
    ca: [readFileSync(it.caFile, "utf8")],
    proxyEnv: { HTTPS_PROXY: it.proxy },
  });
  const request = https.get(url, { agent, headers });
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const body = await text(response);
  agent.destroy();
  return { status: response.statusCode ?? 0, body };
}

describe("the front door", () => {
  test("lets through what the cloud serves, and nothing else", async () => {
    expect((await connect("management.azure.com:443")).status).toBe(200);
    expect((await connect("LOGIN.microsoftonline.com:443")).status).toBe(200);
    for (const target of [
      "example.com:443",
      "management.azure.com:80",
      "management.azure.com.evil.test:443",
      "127.0.0.1:22",
    ]) {
      expect((await connect(target)).status, target).toBe(403);
    }
  });

  test("a name of the cloud at which nothing lives does not resolve", async () => {
    expect((await connect("nobody.vault.azure.net:443")).status).toBe(502);
    expect((await connect("nobody.azurewebsites.net:443")).status).toBe(502);
  });

  test("refuses plain HTTP, so that no token travels in the open", async () => {
    const request = http.get({
      host: "127.0.0.1",
      port: it.sandbox.port,
      path: "http://management.azure.com/subscriptions?api-version=2022-12-01",
    });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    expect(response.statusCode).toBe(403);
    response.resume();
  });

  test("the certificate is good for every kind of host, from an authority of its own", async () => {
    expect((await get("https://management.azure.com/metadata/endpoints?api-version=2022-09-01")).status).toBe(
      200,
    );
    expect((await get("https://graph.microsoft.com/v1.0/servicePrincipals")).status).toBe(401);
  });

  test("a wildcard stands for one label", () => {
    const handler = () => {};
    const table: HostFamily[] = [
      { names: ["*.vault.azure.net"], handler, exists: (host) => host.startsWith("kv") },
    ];
    expect(findHost(table, "kv-1.VAULT.azure.net")).toBe(handler);
    expect(findHost(table, "other.vault.azure.net")).toBe("absent");
    for (const host of ["a.b.vault.azure.net", "vault.azure.net", ".vault.azure.net", "xvault.azure.net"]) {
      expect(findHost(table, host), host).toBeUndefined();
    }
  });
});

describe("the control API", () => {
  test("takes only its token", async () => {
    for (const authorization of [
      undefined,
      "Bearer wrong",
      `Bearer ${"x".repeat(it.sandbox.controlToken.length)}`,
    ]) {
      const response = await fetch(`${it.proxy}/control/status`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      expect(response.status).toBe(401);
    }
  });

  test("is not to be had by another name, so that no page in a browser can reach it", async () => {
    const request = http.get({
      host: "127.0.0.1",
      port: it.sandbox.port,
      path: "/control/status",
      headers: { host: "evil.test", authorization: `Bearer ${it.sandbox.controlToken}` },
    });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    expect(response.statusCode).toBe(403);
    response.resume();
  });

  test("tells where everything is, and no secret", async () => {
    const { status, body } = await it.control("GET", "/status");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      running: true,
      pid: process.pid,
      proxy: it.proxy,
      caCertificate: it.caFile,
      dataDir: it.dataDir,
      owner: { clientSecretFile: path.join(it.dataDir, "principals", "owner.secret") },
    });
    const said = JSON.stringify(body);
    for (const { value } of it.sandbox.cloud.mint.all()) expect(said).not.toContain(value);
  });

  test("moves the clock, and refuses nonsense with every problem", async () => {
    const before = it.sandbox.cloud.clock.now();
    await it.control("POST", "/clock", { advanceMs: 3_600_000 });
    expect(it.sandbox.cloud.clock.now() - before).toBeGreaterThanOrEqual(3_600_000);
    expect((await it.control("POST", "/clock", { scale: 10 })).body).toMatchObject({ scale: 10 });
    await it.control("POST", "/clock", { scale: 1 });
    expect((await it.control("POST", "/clock", { advanceMs: -1 })).status).toBe(400);
    expect((await it.control("POST", "/settings", { profile: "fast" })).status).toBe(400);
    expect((await it.control("GET", "/nothing")).status).toBe(404);
  });

  test("gives tokens that work, that are for others, and that are dead", async () => {
    const subscriptions = "https://management.azure.com/subscriptions?api-version=2022-12-01";
    const token = async (wanted: object) =>
      ((await it.control("POST", "/token", wanted)).body as { accessToken: string }).accessToken;
    const ask = async (wanted: object) =>
      get(subscriptions, { authorization: `Bearer ${await token(wanted)}` });
    expect((await ask({})).status).toBe(200);
    expect(JSON.parse((await ask({ principal: "stranger" })).body)).toMatchObject({ value: [] });
    const expired = await ask({ seconds: -60 });
    expect(expired.status).toBe(401);
    expect(expired.body).toContain("ExpiredAuthenticationToken");
    expect((await ask({ audience: "https://vault.azure.net" })).body).toContain(
      "InvalidAuthenticationTokenAudience",
    );
    expect((await it.control("POST", "/token", { principal: "nobody" })).status).toBe(404);
  });

  test("faults strike the wire: an answer is lost after the commit, another is delayed or refused", async () => {
    const { accessToken } = (await it.control("POST", "/token", {})).body as { accessToken: string };
    const group = `https://management.azure.com/subscriptions/${it.sandbox.cloud.subscriptionId}/resourceGroups/rg-lost?api-version=2024-03-01`;
    const put = async (): Promise<number> => {
      const agent = new https.Agent({
        ca: [readFileSync(it.caFile, "utf8")],
        proxyEnv: { HTTPS_PROXY: it.proxy },
      });
      const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
      const request = https.request(group, { agent, method: "PUT", headers }).end('{"location":"eastus"}');
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      response.resume();
      agent.destroy();
      return response.statusCode ?? 0;
    };
    await it.control("POST", "/faults", { effect: "lost", method: "PUT", times: 1 });
    await expect(put()).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(it.sandbox.cloud.resources.ofType("Microsoft.Resources/resourceGroups")).toHaveLength(1);
    await it.control("POST", "/faults", { effect: "throttle", path: "rg-lost", times: 1 });
    await it.control("POST", "/faults", {
      effect: "server-error",
      status: 503,
      path: "rg-lost",
      after: 1,
      times: 1,
    });
    expect([await put(), await put(), await put()]).toEqual([429, 503, 200]);
    const { faults } = (await it.control("GET", "/faults")).body as { faults: { id: string }[] };
    expect(faults).toHaveLength(3);
    expect((await it.control("DELETE", `/faults/${faults[0]?.id}`)).status).toBe(200);
    expect((await it.control("DELETE", "/faults/unknown")).status).toBe(404);
    expect((await it.control("DELETE", "/faults")).body).toEqual({ removed: 2 });
  });

  test("searches for leaks everywhere but in the cloud's own memory", async () => {
    const secret = readFileSync(path.join(it.dataDir, "principals", "owner.secret"), "utf8");
    const folder = path.join(it.dataDir, "logs");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "run.log"), `password=${secret}\n`);
    const { body } = await it.control("POST", "/leak-scan", { paths: [it.dataDir] });
    expect(body).toMatchObject({
      leaks: [{ file: path.join(folder, "run.log"), offset: 9, kind: "client-secret" }],
    });
    expect((await it.control("POST", "/leak-scan", { paths: ["/nowhere/at/all"] })).status).toBe(400);
  });

  test("opens providers for a principal and a project, the same ports each time and after a restart", async () => {
    const clientId = it.sandbox.cloud.principals.byName("owner")?.clientId;
    const open = async () =>
      (await it.control("POST", "/providers", { clientId, projectDir: it.dataDir })).body;
    const ports = await open();
    expect(ports).toEqual({
      azureNative: expect.any(Number),
      command: expect.any(Number),
      github: expect.any(Number),
      kubernetes: expect.any(Number),
    });
    expect(await open()).toEqual(ports);
    await it.restart();
    await it.sandbox.reopenProviders();
    expect(await open()).toEqual(ports);
    expect((await it.control("POST", "/providers", { clientId: "x", projectDir: "/" })).status).toBe(404);
  });

  test("what an older sandbox opened keeps its ports, and gets those of the providers it did not have", async () => {
    const clientId = it.sandbox.cloud.principals.byName("owner")?.clientId ?? "";
    const projectDir = path.join(it.dataDir, "older");
    const open = async () => (await it.control("POST", "/providers", { clientId, projectDir })).body;
    const { kubernetes: _, ...older } = (await open()) as Record<string, number>;
    const saved = it.sandbox.cloud.store.collection<object>("provider-sessions");
    saved.put(`${clientId} ${projectDir}`, { clientId, projectDir, ports: older });
    await it.restart();
    await it.sandbox.reopenProviders();
    expect(await open()).toEqual({ ...older, kubernetes: expect.any(Number) });
  });

  test("a reset empties the cloud and keeps who is who", async () => {
    const { subscriptionId } = it.sandbox.cloud;
    const owner = it.sandbox.cloud.principals.byName("owner");
    expect((await it.control("POST", "/reset")).body).toMatchObject({ resources: 0, subscriptionId });
    expect(it.sandbox.cloud.principals.byName("owner")).toEqual(owner);
    expect(it.sandbox.cloud.resources.under("")).toEqual([]);
  });
});
