import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { createApp, type Limits } from "../../labs/foundry-backend/app.ts";
import { readPort, readSettings } from "../../labs/foundry-backend/settings.ts";

const FOLDER = resolve(import.meta.dirname, "../../labs/foundry-backend");
const KEY = `${"k".repeat(52)}JQQJ99AAAAAAAAAAAAAA`;
const servers: Server[] = [];
const processes: ChildProcess[] = [];

afterEach(async () => {
  for (const child of processes.splice(0)) child.kill("SIGKILL");
  await Promise.all(
    servers.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    }),
  );
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly key: string | string[] | undefined;
  readonly body: unknown;
}

/** A model on loopback. It keeps what it is asked, and answers as it is told. */
async function fakeModel(
  answer: (response: ServerResponse, request: IncomingMessage) => void = reply("Hello"),
): Promise<{ endpoint: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || "null");
    seen.push({ method: incoming.method, url: incoming.url, key: incoming.headers["api-key"], body });
    answer(response, incoming);
  });
  return { endpoint: `${await listen(server)}/`, seen };
}

function reply(content: unknown) {
  return (response: ServerResponse) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ model: "gpt-5.1", choices: [{ message: { role: "assistant", content } }] }),
    );
  };
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function variables(endpoint: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    AZURE_OPENAI_ENDPOINT: endpoint,
    AZURE_OPENAI_DEPLOYMENT: "gpt-5-1",
    AZURE_OPENAI_API_VERSION: "2024-10-21",
    AZURE_OPENAI_API_KEY: KEY,
    ...more,
  };
}

function backend(settings: Record<string, string>, limits?: Limits): Promise<string> {
  return listen(createApp(readSettings(settings), limits));
}

async function chat(
  base: string,
  body: unknown,
  text = JSON.stringify(body),
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${base}/api/chat`, { method: "POST", body: text });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe("GET /api/health with a challenge", () => {
  const ask = async (challenge: string, key = KEY) => {
    const settings = { ...variables("https://o.openai.azure.com/"), AZURE_OPENAI_API_KEY: key };
    const response = await fetch(`${await backend(settings)}/api/health`, {
      headers: { "x-key-challenge": challenge },
    });
    return (await response.text()) as string;
  };
  const proofOf = (answer: string) => (JSON.parse(answer) as { keyProof?: string }).keyProof;

  it("proves which key it holds, without telling it", async () => {
    const challenge = "a-challenge-used-once";
    const answer = await ask(challenge);
    expect(proofOf(answer)).toBe(createHmac("sha256", KEY).update(challenge).digest("base64url"));
    expect(answer).not.toContain(KEY);
  });

  it("says something else with another key, and to another challenge", async () => {
    const proofs = [
      await ask("a-challenge-used-once"),
      await ask("a-challenge-used-once", `${KEY}x`),
      await ask("another-challenge-used-once"),
    ].map(proofOf);
    expect(new Set(proofs).size).toBe(3);
  });

  it.each([
    ["too short", "short"],
    ["too long", "x".repeat(129)],
    ["no such characters", "a challenge with spaces"],
  ])("proves nothing to one that is %s", async (_what, challenge) => {
    expect(proofOf(await ask(challenge))).toBeUndefined();
  });

  it("proves nothing where there is no key", async () => {
    expect(proofOf(await ask("a-challenge-used-once", ""))).toBeUndefined();
  });
});

describe("GET /api/health", () => {
  it("tells that the key is loaded, never the key", async () => {
    const response = await fetch(
      `${await backend(variables("https://o.openai.azure.com/"))}/api/health?probe=1`,
    );
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({ status: "ok", keyLoaded: true, deployment: "gpt-5-1" });
    expect(text).not.toContain(KEY);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it.each([
    [{ AZURE_OPENAI_API_KEY: "" }, false, /API_KEY is not set/],
    [{ AZURE_OPENAI_API_KEY: "  " }, false, /API_KEY is not set/],
    [
      { AZURE_OPENAI_API_KEY: "@Microsoft.KeyVault(SecretUri=https://kv.example/s)" },
      false,
      /reference that was not resolved/,
    ],
    [{ AZURE_OPENAI_API_KEY: "@microsoft.keyvault(x)" }, false, /reference that was not resolved/],
    [{ AZURE_OPENAI_ENDPOINT: "" }, true, /ENDPOINT is not set/],
    [{ AZURE_OPENAI_ENDPOINT: "no address" }, true, /ENDPOINT is not an address/],
    [{ AZURE_OPENAI_DEPLOYMENT: "" }, true, /DEPLOYMENT is not set/],
  ])("is 503 with a reason for %j", async (wrong, keyLoaded, reason) => {
    const base = await backend(variables("https://o.openai.azure.com/", wrong));
    const response = await fetch(`${base}/api/health`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: "unavailable",
      keyLoaded,
      reason: expect.stringMatching(reason),
    });
    expect((await chat(base, { message: "Hi" })).status).toBe(503);
  });
});

describe("POST /api/chat", () => {
  it("asks the model and gives its reply", async () => {
    const { endpoint, seen } = await fakeModel();
    const answer = await chat(await backend(variables(endpoint.slice(0, -1))), { message: "Grüße" });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { reply: "Hello", model: "gpt-5.1" }]);
    expect(seen).toEqual([
      {
        method: "POST",
        url: "/openai/deployments/gpt-5-1/chat/completions?api-version=2024-10-21",
        key: KEY,
        body: { messages: [{ role: "user", content: "Grüße" }] },
      },
    ]);
  });

  it.each(["", "no json", "null", "[]", "{}", '{"message":""}', '{"message":"  "}', '{"message":7}'])(
    "refuses the body %j without asking the model",
    async (text) => {
      const { endpoint, seen } = await fakeModel();
      expect((await chat(await backend(variables(endpoint)), undefined, text)).status).toBe(400);
      expect(seen).toEqual([]);
    },
  );

  it("refuses a body that is too large, announced or not", async () => {
    const { endpoint, seen } = await fakeModel();
    const base = await backend(variables(endpoint), { bodyBytes: 100 });
    expect((await chat(base, { message: "x".repeat(100) })).status).toBe(413);
    const chunked = request(`${base}/api/chat`, { method: "POST" });
    chunked.write("x".repeat(101));
    const [response] = (await once(chunked, "response")) as [IncomingMessage];
    chunked.on("error", () => {});
    chunked.destroy();
    expect(response.statusCode).toBe(413);
    expect(seen).toEqual([]);
  });

  it.each([401, 404, 429, 500])(
    "is 502 with the model's status %i and nothing of its answer",
    async (status) => {
      const { endpoint } = await fakeModel((response) => {
        response.writeHead(status, { "retry-after": "7" });
        response.end(JSON.stringify({ error: { message: `your key ${KEY} is bad` } }));
      });
      const answer = await chat(await backend(variables(endpoint)), { message: "Hi" });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        502,
        { error: `The model answered with status ${status}.`, upstreamStatus: status },
      ]);
      expect(answer.headers.get("retry-after")).toBe("7");
    },
  );

  it.each([
    ["no JSON", (response: ServerResponse) => response.end("<html>")],
    ["no reply", reply(null)],
    ["too much", (response: ServerResponse) => response.end("x".repeat(5 * 1024 * 1024))],
  ])("is 502 where the model's answer is %s", async (_, answer) => {
    const { endpoint } = await fakeModel(answer);
    expect(await chat(await backend(variables(endpoint)), { message: "Hi" })).toMatchObject({ status: 502 });
  });

  it("takes the key to no other address", async () => {
    const other = await fakeModel();
    const { endpoint } = await fakeModel((response) =>
      response.writeHead(307, { location: other.endpoint }).end(),
    );
    expect(await chat(await backend(variables(endpoint)), { message: "Hi" })).toMatchObject({ status: 502 });
    expect(other.seen).toEqual([]);
  });

  it("is 502 where nobody answers, and says nothing of a key that is no header", async () => {
    const gone = await backend(variables("http://127.0.0.1:1/"));
    expect(await chat(gone, { message: "Hi" })).toMatchObject({
      status: 502,
      text: expect.stringMatching(/not be reached/),
    });
    const { endpoint } = await fakeModel();
    const odd = await chat(await backend(variables(endpoint, { AZURE_OPENAI_API_KEY: "se\ncret" })), {
      message: "Hi",
    });
    expect(odd.status).toBe(502);
    expect(odd.text).not.toContain("cret");
  });

  it("is 504 where the model takes too long", async () => {
    const { endpoint } = await fakeModel(() => {});
    const base = await backend(variables(endpoint), { modelTimeoutMs: 20 });
    expect(await chat(base, { message: "Hi" })).toMatchObject({
      status: 504,
      text: expect.stringMatching(/within 20 ms/),
    });
  });
});

describe("other requests", () => {
  it.each([
    ["GET", "/api/chat", 405, "POST"],
    ["POST", "/api/health", 405, "GET"],
    ["GET", "/", 404, null],
  ])("%s %s is %i", async (method, path, status, allow) => {
    const response = await fetch((await backend(variables("https://o.example/"))) + path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([status, allow]);
    expect(await response.json()).toHaveProperty("error");
  });
});

describe("readPort", () => {
  it("prefers the host's", () => {
    expect(readPort({ FUNCTIONS_CUSTOMHANDLER_PORT: "81", PORT: "82" })).toBe(81);
    expect(readPort({ PORT: "82" })).toBe(82);
    expect(readPort({})).toBe(0);
  });

  it.each(["x", "-1", "65536", "1.5", " "])("refuses %j", (port) => {
    expect(() => readPort({ PORT: port })).toThrow(/is not a port/);
  });
});

describe("the process", () => {
  /** Starts the server as the Functions host does. */
  async function start(settings: Record<string, string>) {
    const child = spawn(process.execPath, ["server.ts"], {
      cwd: FOLDER,
      env: { PATH: process.env.PATH, ...settings },
    });
    processes.push(child);
    let output = "";
    child.stderr.on("data", (data) => {
      output += String(data);
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, "line")) as [string];
    lines.on("line", (more) => {
      output += more;
    });
    output += line;
    const { port, ready } = JSON.parse(line) as { port: number; ready: boolean };
    return { child, base: `http://127.0.0.1:${port}`, ready, output: () => output };
  }

  it("ends the requests in flight after SIGTERM, takes no new ones, and leaves with 0", async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    const { endpoint } = await fakeModel((response) => asked.resolve(response));
    const { child, base, ready, output } = await start(variables(endpoint));
    expect(ready).toBe(true);
    // A connection that is kept alive and idle must not hold the process.
    await fetch(`${base}/api/health`).then((response) => response.text());
    const inFlight = chat(base, { message: "Hi" });
    const model = await asked.promise;
    child.kill("SIGTERM");
    await refusesConnections(base);
    reply("Done")(model);
    expect(await inFlight).toMatchObject({ status: 200, text: expect.stringContaining("Done") });
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect([code, signal]).toEqual([0, null]);
    expect(output()).not.toContain(KEY);
  });

  it("says why it cannot listen", async () => {
    const { base } = await start(variables("https://o.example/"));
    const second = spawn(process.execPath, ["server.ts"], {
      cwd: FOLDER,
      env: { PATH: process.env.PATH, FUNCTIONS_CUSTOMHANDLER_PORT: new URL(base).port },
    });
    processes.push(second);
    let output = "";
    second.stderr.on("data", (data) => {
      output += String(data);
    });
    const [code] = (await once(second, "close")) as [number];
    expect([code, output.trim()]).toEqual([1, "The backend cannot listen: EADDRINUSE"]);
  });

  /** Resolves once a new connection is refused. */
  async function refusesConnections(base: string): Promise<void> {
    for (;;) {
      const refused = await new Promise<boolean>((done) => {
        const probe = request(`${base}/api/health`, { agent: false }, (response) =>
          response.resume().on("end", () => done(false)),
        );
        probe.on("error", () => done(true)).end();
      });
      if (refused) return;
    }
  }
});

describe("the package", () => {
  it("is a custom handler with one function for each route", () => {
    const json = (path: string) => JSON.parse(readFileSync(join(FOLDER, path), "utf8"));
    const { customHandler } = json("host.json");
    expect(customHandler).toMatchObject({ enableForwardingHttpRequest: true });
    const { defaultExecutablePath, arguments: args } = customHandler.description;
    expect([defaultExecutablePath, ...args]).toEqual(["node", "server.ts"]);
    expect(existsSync(join(FOLDER, args[0]))).toBe(true);
    for (const [name, method] of [
      ["health", "get"],
      ["chat", "post"],
    ]) {
      expect(json(`${name}/function.json`).bindings[0]).toMatchObject({
        type: "httpTrigger",
        route: name,
        methods: [method],
      });
    }
  });
});
