import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Ask, LocalCloud } from "./local-cloud.ts";

const denied = {
  error: {
    code: "401",
    message:
      "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
  },
};
const hello = { messages: [{ role: "user", content: "Hello there" }] };
const chatPath = "/openai/deployments/gpt-5-1/chat/completions?api-version=2024-10-21";

let local: LocalCloud;
let account: string;
let keys: { key1: string; key2: string };

const deploy = (name: string, model: { name: string; version: string }, capacity = 10) =>
  local.armDone("PUT", `${account}/deployments/${name}`, {
    body: {
      sku: { name: "GlobalStandard", capacity },
      properties: { model: { format: "OpenAI", ...model } },
    },
  });

const chat = (ask: Ask & { path?: string } = {}) =>
  local.openAi("oai-a", "POST", ask.path ?? chatPath, {
    headers: { "api-key": keys.key1 },
    body: hello,
    ...ask,
  });

beforeEach(async () => {
  local = new LocalCloud();
  account = `${await local.makeGroup()}/providers/Microsoft.CognitiveServices/accounts/oai-a`;
  await local.armDone("PUT", account, {
    body: {
      location: "eastus",
      kind: "OpenAI",
      sku: { name: "S0" },
      properties: { customSubDomainName: "oai-a" },
    },
  });
  await deploy("gpt-5-1", { name: "gpt-5.1", version: "2025-11-13" });
  keys = (await local.arm("POST", `${account}/listKeys`)).body;
});
afterEach(() => local.close());

describe("who may ask", () => {
  test("either key, in any of the headers that clients use", async () => {
    for (const headers of [
      { "api-key": keys.key1 },
      { "api-key": keys.key2 },
      { "Ocp-Apim-Subscription-Key": keys.key1 },
      { authorization: `Bearer ${keys.key1}` },
    ]) {
      expect((await chat({ headers })).status).toBe(200);
    }
  });

  test("nobody else", async () => {
    for (const headers of [
      {},
      { "api-key": "wrong" },
      { "api-key": "" },
      { authorization: "Bearer nonsense" },
    ]) {
      const { status, body } = await chat({ headers: headers as Record<string, string> });
      expect([status, body]).toEqual([401, denied]);
    }
    expect((await local.openAi("oai-b", "POST", chatPath, { body: hello })).status).toBe(404);
  });

  test("a regenerated key dies at once; the new one lives after it has propagated; the other never notices", async () => {
    const { body: fresh } = await local.arm("POST", `${account}/regenerateKey`, {
      body: { keyName: "Key1" },
    });
    expect((await chat()).body).toEqual(denied);
    expect((await chat({ headers: { "api-key": fresh.key1 } })).status).toBe(401);
    expect((await chat({ headers: { "api-key": keys.key2 } })).status).toBe(200);
    local.pass(300);
    expect((await chat({ headers: { "api-key": fresh.key1 } })).status).toBe(200);
  });

  test("a key is no good when local auth is off", async () => {
    await local.arm("PATCH", account, { body: { properties: { disableLocalAuth: true } } });
    const { status, body } = await chat();
    expect([status, body.error.code]).toEqual([403, "AuthenticationTypeDisabled"]);
  });

  test("a token needs the data action, after its propagation, and the right audience", async () => {
    const asOwner = await chat({ headers: {}, as: "owner" });
    expect([asOwner.status, asOwner.body.error.code]).toEqual([401, "PermissionDenied"]);
    expect(asOwner.body.error.message).toContain("deployments/chat/completions/action");
    await local.grant("stranger", "Cognitive Services OpenAI User", account);
    expect((await chat({ headers: {}, as: "stranger" })).status).toBe(401);
    local.pass(1000);
    expect((await chat({ headers: {}, as: "stranger" })).status).toBe(200);
    const foreign = await local.cloud.tokens.issue(local.principal("stranger"), "https://vault.azure.net");
    const wrong = await chat({ headers: { authorization: `Bearer ${foreign}` } });
    expect([wrong.status, wrong.body.error.code]).toEqual([401, "Unauthorized"]);
  });

  test("nobody from the public network when that is closed", async () => {
    await local.arm("PATCH", account, { body: { properties: { networkAcls: { defaultAction: "Deny" } } } });
    expect((await chat()).status).toBe(403);
    await local.arm("PATCH", account, { body: { properties: { publicNetworkAccess: "Disabled" } } });
    expect((await chat()).body.error.message).toContain("Public access is disabled");
  });
});

describe("chat", () => {
  test("answers honestly, the same every time, with usage", async () => {
    const first = await chat();
    expect(first.body).toMatchObject({
      object: "chat.completion",
      model: "gpt-5.1-2025-11-13",
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant" } }],
    });
    const text: string = first.body.choices[0].message.content;
    expect(text).toContain("sandbox");
    expect(text).toContain("Hello there");
    const { prompt_tokens, completion_tokens, total_tokens } = first.body.usage;
    expect(total_tokens).toBe(prompt_tokens + completion_tokens);
    expect((await chat()).body).toEqual(first.body);
    expect(first.headers["x-ratelimit-limit-tokens"]).toBe("10000");
    expect(first.headers["x-ratelimit-remaining-tokens"]).toBe(String(10_000 - total_tokens));
    expect(first.headers["apim-request-id"]).toBeDefined();
  });

  test("by /openai/v1 the deployment stands in the body", async () => {
    const path = "/openai/v1/chat/completions";
    expect((await chat({ path, body: { ...hello, model: "gpt-5-1" } })).status).toBe(200);
    expect((await chat({ path })).body.error).toMatchObject({
      param: "model",
      type: "invalid_request_error",
    });
  });

  test("streams the same words as events", async () => {
    const whole = (await chat()).body;
    const { text, headers } = await chat({
      body: { ...hello, stream: true, stream_options: { include_usage: true } },
    });
    expect(headers["content-type"]).toContain("text/event-stream");
    const events = text
      .trim()
      .split("\n\n")
      .map((event) => event.replace(/^data: /, ""));
    expect(events.at(-1)).toBe("[DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    const said = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    expect(said).toBe(whole.choices[0].message.content);
    expect(chunks.at(-1).usage).toEqual(whole.usage);
    expect(chunks.at(-2).choices[0].finish_reason).toBe("stop");
  });

  test("stops at the limit of tokens that was asked for", async () => {
    const { body } = await chat({ body: { ...hello, max_completion_tokens: 3 } });
    expect(body.choices[0].finish_reason).toBe("length");
    expect(body.usage.completion_tokens).toBe(3);
  });

  test.each([
    ["no messages", {}, "messages"],
    ["an empty list", { messages: [] }, "messages"],
    ["a role that is none", { messages: [{ role: "king", content: "x" }] }, "messages[0].role"],
    ["a user without content", { messages: [{ role: "user" }] }, "messages[0]"],
    ["the old limit", { ...hello, max_tokens: 5 }, "max_tokens"],
    ["a temperature beyond all", { ...hello, temperature: 3 }, "temperature"],
    ["more than fits", { messages: [{ role: "user", content: "x".repeat(1_700_000) }] }, "messages"],
  ])("%s is refused, naming the parameter", async (_what, body, param) => {
    const answer = await chat({ body });
    expect([answer.status, answer.body.error.param]).toEqual([400, param]);
    expect(answer.body.error.type).toBe("invalid_request_error");
  });

  test("a reasoning model takes no temperature", async () => {
    await deploy("o4", { name: "o4-mini", version: "2025-04-16" });
    const { body } = await chat({
      path: chatPath.replace("gpt-5-1", "o4"),
      body: { ...hello, temperature: 0.2 },
    });
    expect(body.error.code).toBe("unsupported_value");
  });

  test("paths match in any case; without an API version there is nothing", async () => {
    expect((await chat({ path: chatPath.replace("chat/completions", "Chat/Completions") })).status).toBe(200);
    for (const path of ["/openai/deployments/gpt-5-1/chat/completions", "/nowhere"]) {
      const { status, body } = await chat({ path });
      expect([status, body]).toEqual([404, { error: { code: "404", message: "Resource not found" } }]);
    }
  });

  test("a deployment that is not there, and one that is still being made", async () => {
    const missing = await chat({ path: chatPath.replace("gpt-5-1", "gpt-6") });
    expect([missing.status, missing.body.error.code]).toEqual([404, "DeploymentNotFound"]);
    await local.arm("PUT", `${account}/deployments/new`, {
      body: { sku: { name: "GlobalStandard" }, properties: { model: { format: "OpenAI", name: "gpt-4.1" } } },
    });
    const path = chatPath.replace("gpt-5-1", "new");
    expect((await chat({ path })).status).toBe(404);
    local.pass(300);
    expect((await chat({ path })).status).toBe(200);
  });

  test("past the deployment's tokens per minute it is 429 until the minute is over", async () => {
    local.settings({ throttling: true });
    await deploy("small", { name: "gpt-4.1", version: "2025-04-14" }, 1);
    const ask = () => chat({ path: chatPath.replace("gpt-5-1", "small") });
    let answer = await ask();
    const each = answer.body.usage.total_tokens;
    for (let spent = 2 * each; spent <= 1000; spent += each) answer = await ask();
    expect(answer.status).toBe(200);
    const over = await ask();
    expect([over.status, over.body.error.code]).toEqual([429, "429"]);
    expect(over.headers["retry-after"]).toBe("60");
    expect(over.body.error.message).toContain("exceeded token rate limit");
    local.pass(60_000);
    expect((await ask()).status).toBe(200);
  });
});

describe("embeddings", () => {
  const path = "/openai/deployments/embed/embeddings?api-version=2024-10-21";
  beforeEach(() => deploy("embed", { name: "text-embedding-3-large", version: "1" }));

  test("are unit vectors, equal for equal texts", async () => {
    const { body } = await chat({ path, body: { input: ["a", "b", "a"], dimensions: 8 } });
    const [first, second, third] = body.data.map((each: { embedding: number[] }) => each.embedding);
    expect(first).toHaveLength(8);
    expect(Math.hypot(...first)).toBeCloseTo(1);
    expect(third).toEqual(first);
    expect(second).not.toEqual(first);
    expect(body.usage.total_tokens).toBe(3);
  });

  test("come packed when asked for, in full length by default", async () => {
    const { body } = await chat({ path, body: { input: "a", encoding_format: "base64" } });
    expect(Buffer.from(body.data[0].embedding, "base64")).toHaveLength(3072 * 4);
  });

  test("bad input and the wrong model are refused", async () => {
    expect((await chat({ path, body: { input: [] } })).body.error.param).toBe("input");
    expect((await chat({ path, body: { input: "a", dimensions: 4000 } })).body.error.param).toBe(
      "dimensions",
    );
    const wrong = await chat({ path: path.replace("/embed/", "/gpt-5-1/"), body: { input: "a" } });
    expect(wrong.body.error.code).toBe("OperationNotSupported");
    const old = await chat({ path: chatPath.replace("chat/", ""), body: { prompt: "x" } });
    expect([old.status, old.body.error.code]).toEqual([400, "OperationNotSupported"]);
  });
});

test("lists what can be used and what is deployed", async () => {
  const get = (path: string) => local.openAi("oai-a", "GET", path, { headers: { "api-key": keys.key1 } });
  const ids = async (path: string) => (await get(path)).body.data.map((each: { id: string }) => each.id);
  expect(await ids("/openai/v1/models")).toContain("gpt-5.1-2025-11-13");
  expect(await ids("/openai/models?api-version=2024-10-21")).toContain("gpt-5.1-2025-11-13");
  expect((await get("/openai/v1/models/gpt-5.1-2025-11-13")).body.capabilities.chat_completion).toBe(true);
  expect((await get("/openai/v1/models/nothing")).status).toBe(404);
  expect(await ids("/openai/deployments?api-version=2022-12-01")).toEqual(["gpt-5-1"]);
  expect((await get("/openai/deployments/gpt-5-1?api-version=2022-12-01")).body.model).toBe("gpt-5.1");
  expect((await get("/openai/deployments")).status).toBe(404);
});
