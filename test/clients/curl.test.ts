import { once } from "node:events";
import { createServer } from "node:http";
import net from "node:net";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDaemon, testDaemon } from "../harness/daemon.ts";

let daemon: TestDaemon;
let token: string;
let groups: string;

beforeAll(async () => {
  daemon = await testDaemon();
  token = await daemon.token();
  groups = `https://management.azure.com/subscriptions/${daemon.subscriptionId}/resourceGroups`;
});
afterAll(() => daemon?.dispose());

interface Said {
  /** curl's own exit code: 0 also for an answer of 4xx. */
  readonly exitCode: number;
  readonly status: number;
  readonly headers: string;
  readonly body: string;
  /** The proxy's answer to CONNECT; 0 when none was asked for. */
  readonly connect: number;
}

/** `curl` with nothing but the proxy and the authority's certificate set. */
async function curl(...args: string[]): Promise<Said> {
  const format = "\n%{http_code} %{http_connect}";
  const { exitCode, stdout } = await execa(
    "curl",
    ["-sS", "-i", "-w", format, "--suppress-connect-headers", ...args],
    {
      extendEnv: false,
      env: { PATH: process.env.PATH ?? "", HTTPS_PROXY: daemon.proxy, CURL_CA_BUNDLE: daemon.caFile },
      reject: false,
    },
  );
  const at = stdout.lastIndexOf("\n");
  const [status = 0, connect = 0] = stdout
    .slice(at + 1)
    .split(" ")
    .map(Number);
  const answer = stdout.slice(0, at);
  const split = answer.indexOf("\r\n\r\n");
  return {
    exitCode: exitCode ?? -1,
    status,
    connect,
    headers: answer.slice(0, split),
    body: split === -1 ? answer : answer.slice(split + 4),
  };
}

const json = (body: unknown): string[] => [
  "-H",
  "content-type: application/json",
  "-d",
  JSON.stringify(body),
];

/** A call of ARM as the owner. */
async function arm(method: string, path: string, body?: unknown) {
  const said = await curl(
    ...["-X", method, "-H", `authorization: Bearer ${token}`, `${groups}${path}?api-version=2025-06-01`],
    ...(body === undefined ? [] : json(body)),
  );
  expect(said.status, said.body).toBeLessThan(300);
  return said.body === "" ? undefined : JSON.parse(said.body);
}

describe("the door", () => {
  test.each([
    ["another host", "https://example.com/"],
    ["a name that only begins like one of the cloud's", "https://management.azure.com.example.com/"],
    ["a name two labels below", "https://a.b.vault.azure.net/"],
    ["another port", "https://management.azure.com:8443/"],
    ["an address", "https://20.20.20.20/"],
    ["an IPv6 address", "https://[2603::1]/"],
    ["the machine itself", "https://127.0.0.1/"],
  ])("is shut to %s", async (_what, url) => {
    expect(await curl(url)).toMatchObject({ exitCode: 56, connect: 403 });
  });

  test.each([
    "https://kv-none.vault.azure.net/",
    "https://none.openai.azure.com/",
    "https://none.azurewebsites.net/",
  ])("says of %s that nothing lives there", async (url) => {
    expect(await curl(url)).toMatchObject({ exitCode: 56, connect: 502 });
  });

  test("lets nothing through in the clear, and nothing to the machine's own ports", async () => {
    let asked = 0;
    const other = createServer((_request, response) => response.end(String(++asked))).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as net.AddressInfo;
    const proxied = ["--proxy", daemon.proxy];
    expect(await curl(...proxied, `http://127.0.0.1:${port}/`)).toMatchObject({ status: 403 });
    expect(await curl(...proxied, "--proxytunnel", `http://127.0.0.1:${port}/`)).toMatchObject({
      connect: 403,
    });
    expect(await curl(...proxied, "http://management.azure.com/subscriptions")).toMatchObject({
      status: 403,
    });
    expect(asked).toBe(0);
    other.close();
  });

  test("a connection is for the host that it was opened to", async () => {
    const said = await curl("-H", "Host: login.microsoftonline.com", `${groups}?api-version=2021-04-01`);
    expect(said).toMatchObject({ exitCode: 0, status: 421 });
  });

  test("control is not for who has no token, nor for a page in a browser", async () => {
    const proxy = new URL(daemon.proxy);
    expect((await curl("--noproxy", "*", `${daemon.proxy}/control/status`)).status).toBe(401);
    const rebound = ["-H", `Host: evil.example:${proxy.port}`, `${daemon.proxy}/control/status`];
    expect((await curl("--noproxy", "*", ...rebound)).status).toBe(403);
  });

  test("what is no HTTP at all is shown out", async () => {
    const socket = net.connect(Number(new URL(daemon.proxy).port), "127.0.0.1");
    socket.end("\x16\x03\x01 hello?\r\n\r\n");
    const [chunk] = await once(socket, "data");
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("the data planes", () => {
  let keys: { key1: string; key2: string };
  const chat =
    "https://oai-curl.openai.azure.com/openai/deployments/gpt-5-1/chat/completions?api-version=2024-10-21";
  const ask = (key: string, body: object = {}): Promise<Said> =>
    curl(
      "-N",
      "-H",
      `api-key: ${key}`,
      chat,
      ...json({ messages: [{ role: "user", content: "Hello" }], ...body }),
    );

  beforeAll(async () => {
    await arm("PUT", "/rg-curl", { location: "eastus" });
    const providers = "/rg-curl/providers";
    await arm("PUT", `${providers}/Microsoft.CognitiveServices/accounts/oai-curl`, {
      location: "eastus",
      kind: "OpenAI",
      sku: { name: "S0" },
      properties: { customSubDomainName: "oai-curl" },
    });
    await arm("PUT", `${providers}/Microsoft.CognitiveServices/accounts/oai-curl/deployments/gpt-5-1`, {
      sku: { name: "GlobalStandard", capacity: 10 },
      properties: { model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" } },
    });
    keys = await arm("POST", `${providers}/Microsoft.CognitiveServices/accounts/oai-curl/listKeys`);
    await arm("PUT", `${providers}/Microsoft.KeyVault/vaults/kv-curl`, {
      location: "eastus",
      properties: {
        tenantId: daemon.tenantId,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
      },
    });
  });

  test("a vault tells who comes without a token where to get one", async () => {
    const said = await curl("https://kv-curl.vault.azure.net/secrets/x?api-version=7.4");
    expect(said.status).toBe(401);
    expect(said.headers.toLowerCase()).toContain(
      `www-authenticate: bearer authorization="https://login.microsoftonline.com/${daemon.tenantId}", resource="https://vault.azure.net"`,
    );
  });

  test("a model answers either key, whole or as a stream, and no other", async () => {
    const whole = await ask(keys.key1);
    expect(whole.status).toBe(200);
    expect(JSON.parse(whole.body)).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { role: "assistant" }, finish_reason: "stop" }],
    });
    const stream = await ask(keys.key2, { stream: true });
    expect(stream.headers.toLowerCase()).toContain("content-type: text/event-stream");
    const events = stream.body.split("\n\n").filter((event) => event.trim() !== "");
    expect(events.length).toBeGreaterThan(2);
    expect(events.every((event) => event.startsWith("data: "))).toBe(true);
    expect(events.at(-1)?.trim()).toBe("data: [DONE]");
    expect(await ask("wrong")).toMatchObject({ status: 401 });
    expect(JSON.parse((await ask("wrong")).body).error.code).toBe("401");
  });

  test("a key that was renewed is dead at once, and the other one lives", async () => {
    const renewed = await arm(
      "POST",
      "/rg-curl/providers/Microsoft.CognitiveServices/accounts/oai-curl/regenerateKey",
      {
        keyName: "Key1",
      },
    );
    expect((await ask(keys.key1)).status).toBe(401);
    expect((await ask(keys.key2)).status).toBe(200);
    expect((await ask(renewed.key1)).status).toBe(200);
  });

  test("Node's own fetch needs the same two settings", async () => {
    const program = `
      const response = await fetch(process.argv[1], { headers: { authorization: "Bearer " + process.env.TOKEN } });
      console.log(response.status, (await response.json()).name);`;
    const env = {
      HTTPS_PROXY: daemon.proxy,
      NODE_EXTRA_CA_CERTS: daemon.caFile,
      NODE_USE_ENV_PROXY: "1",
      TOKEN: token,
    };
    const args = ["--input-type=module", "-e", program, `${groups}/rg-curl?api-version=2021-04-01`];
    const { stdout } = await execa(process.execPath, args, { extendEnv: false, env });
    expect(stdout).toBe("200 rg-curl");
  });
});
