import { once } from "node:events";
import { readFileSync } from "node:fs";
import https from "node:https";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestDaemon, testDaemon } from "../harness/daemon.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into as they come off the wire
type Body = any;

let daemon: TestDaemon;
let agent: https.Agent;
const tokens = new Map<string, string>();

beforeEach(async () => {
  daemon = await testDaemon({ profile: "instant", throttling: false });
  for (const audience of ["https://management.azure.com", "https://vault.azure.net"])
    tokens.set(audience, await daemon.token({ audience }));
  connect();
});
afterEach(async () => {
  agent?.destroy();
  await daemon?.dispose();
});

function connect(): void {
  agent?.destroy();
  agent = new https.Agent({
    keepAlive: true,
    ca: [readFileSync(daemon.caFile, "utf8")],
    proxyEnv: { HTTPS_PROXY: daemon.proxy },
  });
}

/** A request through the front door; rejects when the connection breaks. */
async function send(
  method: string,
  url: string,
  body?: unknown,
): Promise<{ status: number; body: Body; headers: Body }> {
  const audience = url.includes(".vault.") ? "https://vault.azure.net" : "https://management.azure.com";
  const request = https.request(url, {
    method,
    agent,
    headers: { authorization: `Bearer ${tokens.get(audience)}`, "content-type": "application/json" },
  });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(request, "response");
  const text =
    response.headers["content-length"] === "0" ? undefined : await json(response).catch(() => undefined);
  return { status: response.statusCode, body: text, headers: response.headers };
}

const arm = (path: string): string =>
  `https://management.azure.com/subscriptions/${daemon.subscriptionId}/resourceGroups/rg${path}?api-version=2025-06-01`;
const secret = (name: string): string => `https://kv-durable.vault.azure.net/secrets/${name}?api-version=7.4`;
const account = "/providers/Microsoft.CognitiveServices/accounts/oai-durable";

async function makePlace(): Promise<void> {
  const owner = JSON.parse(
    Buffer.from(tokens.get("https://vault.azure.net")?.split(".")[1] ?? "", "base64url").toString(),
  ) as { oid: string };
  const vault = "/providers/Microsoft.KeyVault/vaults/kv-durable";
  const made = [
    await send("PUT", arm(""), { location: "eastus" }),
    await send("PUT", arm(vault), {
      location: "eastus",
      properties: {
        tenantId: daemon.tenantId,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
      },
    }),
    await send(
      "PUT",
      arm(`${vault}/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}`),
      {
        properties: {
          roleDefinitionId:
            "/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
          principalId: owner.oid,
          principalType: "ServicePrincipal",
        },
      },
    ),
  ];
  for (const { status, body } of made) expect(status, JSON.stringify(body)).toBeLessThan(300);
}

const openAi = {
  location: "eastus",
  kind: "OpenAI",
  sku: { name: "S0" },
  properties: { customSubDomainName: "oai-durable" },
};

test.each([40, 170, 400])(
  "killed after %i acknowledged writes, with more under way, it has every one of them",
  async (enough) => {
    await makePlace();
    expect((await send("PUT", arm(account), openAi)).status).toBeLessThan(300);
    const acknowledged = new Map<string, { last: number; version: string }>();
    let keys: { key1: string; key2: string } | undefined;
    let count = 0;
    let killed: Promise<void> | undefined;
    const told = (): void => {
      if (++count === enough) killed = daemon.kill();
    };

    /** Writes until the connection breaks. */
    const untilBroken = async (write: (turn: number) => Promise<void>): Promise<void> => {
      for (let turn = 0; killed === undefined; turn++) {
        try {
          await write(turn);
        } catch (error) {
          if (killed === undefined) throw error;
        }
      }
    };
    const secretWriter = (name: string) =>
      untilBroken(async (turn) => {
        const { status, body } = await send("PUT", secret(name), { value: String(turn) });
        expect(status).toBe(200);
        acknowledged.set(name, { last: turn, version: body.id.split("/").at(-1) });
        told();
      });
    const keyWriter = untilBroken(async () => {
      const { status, body } = await send("POST", arm(`${account}/regenerateKey`), { keyName: "Key1" });
      expect(status).toBe(200);
      keys = body;
      told();
    });
    const names = Array.from({ length: 16 }, (_, number) => `s-${number}`);
    await Promise.all([...names.map(secretWriter), keyWriter]);
    await killed;
    await daemon.start();
    connect();

    for (const [name, { last, version }] of acknowledged) {
      const now = await send("GET", secret(name));
      // The write after the last acknowledged one may have been committed too, its answer lost.
      expect([String(last), String(last + 1)], name).toContain(now.body.value);
      const pinned = await send("GET", secret(`${name}/${version}`));
      expect(pinned.body.value).toBe(String(last));
    }
    const { body } = await send("POST", arm(`${account}/listKeys`));
    expect(body.key2).toBe(keys?.key2 ?? body.key2);
    expect(body.key1).toHaveLength(84);
    expect(acknowledged.size).toBeGreaterThan(0);
  },
);

test("an operation that was under way goes on by the clock; what was deleted is let go in time", async () => {
  await daemon.client.control("POST", "/settings", { profile: "azure", timings: { request: 0 } });
  expect((await send("PUT", arm(""), { location: "eastus" })).status).toBe(201);
  const started = await send("PUT", arm(account), openAi);
  expect(started.status).toBe(201);
  expect(started.body.properties.provisioningState).not.toBe("Succeeded");
  const poll: string = started.headers["azure-asyncoperation"];

  await daemon.kill();
  await daemon.start();
  connect();
  expect((await send("GET", poll)).body.status).toBe("InProgress");
  await pass(85_000);
  expect((await send("GET", poll)).body.status).toBe("Succeeded");
  expect((await send("GET", arm(account))).body.properties.provisioningState).toBe("Succeeded");

  expect((await send("DELETE", arm(account))).status).toBe(202);
  await pass(20_000);
  expect((await send("PUT", arm(account), openAi)).body.error.code).toBe("FlagMustBeSetForRestore");
  await daemon.kill();
  await daemon.start();
  connect();
  await pass(47 * hour);
  expect((await send("PUT", arm(account), openAi)).body.error.code).toBe("FlagMustBeSetForRestore");
  await pass(2 * hour);
  expect((await send("PUT", arm(account), openAi)).status).toBe(201);
});

const hour = 60 * 60 * 1000;

function pass(ms: number): Promise<unknown> {
  return daemon.client.control("POST", "/clock", { advanceMs: ms });
}
