import { describe, expect, test } from "vitest";
import { ArmClient, armError, armHost, retryAfterMs } from "../../sandbox/providers/arm-client.ts";
import { followOperation } from "../../sandbox/providers/long-running.ts";
import type { ArmRequest, ArmResponse } from "../../sandbox/providers/transport.ts";
import { failure } from "./providers-fake-arm.ts";

const retry = { tries: 3, firstDelayMs: 1, maxDelayMs: 2, patienceMs: 1000 };
const get: ArmRequest = { method: "GET", host: armHost, path: "/x", query: { "api-version": "1" } };

/** A client whose transport gives these answers, one after another. */
function clientOf(answers: readonly (ArmResponse | Error)[]) {
  const sent: ArmRequest[] = [];
  const client = new ArmClient(async (request) => {
    sent.push(request);
    const answer = answers[sent.length - 1];
    if (answer === undefined) throw new Error("nothing more was expected");
    if (answer instanceof Error) throw answer;
    return answer;
  }, retry);
  return { client, sent };
}

const ok: ArmResponse = { status: 200, headers: {}, body: '{"a":1}' };

describe("trying again", () => {
  test.each([408, 429, 500, 502, 503, 504])("after %i", async (status) => {
    const { client, sent } = clientOf([failure(status, "Later", "later"), ok]);
    expect((await client.send(get)).body).toEqual({ a: 1 });
    expect(sent).toHaveLength(2);
  });

  test("after an answer that was lost", async () => {
    const { client, sent } = clientOf([new Error("socket hang up"), ok]);
    expect((await client.send({ ...get, method: "PUT", body: {} })).status).toBe(200);
    expect(sent).toHaveLength(2);
  });

  test("not after 409, 400 or 404", async () => {
    for (const status of [409, 400, 404]) {
      const { client, sent } = clientOf([failure(status, "RequestConflict", "no")]);
      expect((await client.send(get)).status).toBe(status);
      expect(sent).toHaveLength(1);
    }
  });

  test("after the one 409 that means wait", async () => {
    const { client } = clientOf([failure(409, "AnotherOperationInProgress", "wait"), ok]);
    expect((await client.send(get)).status).toBe(200);
  });

  test("not when the wait is beyond patience", async () => {
    const { client, sent } = clientOf([failure(429, "TooManyRequests", "wait", { "Retry-After": "2" })]);
    expect((await client.send(get)).status).toBe(429);
    expect(sent).toHaveLength(1);
  });

  test("not for ever", async () => {
    const busy = failure(503, "Busy", "busy");
    expect((await clientOf([busy, busy, busy]).client.send(get)).status).toBe(503);
    const lost = new Error("socket hang up");
    await expect(clientOf([lost, lost, lost]).client.send(get)).rejects.toThrow(
      "GET https://management.azure.com/x: no answer (socket hang up)",
    );
  });

  test("not once it was cancelled", async () => {
    const cancelled = new AbortController();
    const client = new ArmClient(async () => {
      cancelled.abort(new Error("cancelled"));
      return failure(503, "Busy", "busy", { "Retry-After": "1" });
    }, retry);
    await expect(client.send({ ...get, signal: cancelled.signal })).rejects.toThrow("cancelled");
    await expect(client.send({ ...get, signal: cancelled.signal })).rejects.toThrow("cancelled");
  });
});

test("the wait is read from the finest header", () => {
  expect(retryAfterMs({ "retry-after": "2" })).toBe(2000);
  expect(retryAfterMs({ "retry-after": "2", "x-ms-retry-after-ms": "30" })).toBe(30);
  expect(retryAfterMs({ "retry-after": "2", "x-ms-retry-after-ms": "30", "retry-after-ms": "4" })).toBe(4);
  expect(retryAfterMs({ "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" })).toBeUndefined();
});

test("errors are worded as the real provider words them", () => {
  const answer = (body: unknown) => armError({ status: 400, headers: {}, body }).message;
  expect(answer({ error: { code: "A", message: "b" } })).toBe('Status=400 Code="A" Message="b"');
  expect(answer({ Code: "A", Message: "b" })).toBe('Status=400 Code="A" Message="b"');
  expect(answer("<html>")).toBe('Status=400 Message="<html>"');
  expect(answer(undefined)).toBe('Status=400 Message=""');
});

describe("following an operation", () => {
  const started = { method: "PUT", path: "/x", apiVersion: "1" } as const;
  const at = "https://management.azure.com/op?api-version=2";
  const quick = { "retry-after-ms": "1" };
  const accepted = (headers: Record<string, string>, body: unknown = {}, status = 201) => ({
    status,
    headers,
    body,
  });
  const answer = (body: unknown, status = 200): ArmResponse => ({ status, headers: quick, body });

  test("by its status", async () => {
    const { client, sent } = clientOf([answer({ status: "InProgress" }), answer({ status: "Succeeded" })]);
    await followOperation(client, started, accepted({ ...quick, "azure-asyncoperation": at }), undefined);
    expect(sent.map((each) => [each.path, each.query])).toEqual([
      ["/op", { "api-version": "2" }],
      ["/op", { "api-version": "2" }],
    ]);
  });

  test("by its location, with the version where that is missing", async () => {
    const { client, sent } = clientOf([answer(undefined, 202), answer(undefined, 204)]);
    await followOperation(
      client,
      started,
      accepted({ ...quick, location: "/result" }, undefined, 202),
      undefined,
    );
    expect(sent[1]?.query).toEqual({ "api-version": "1" });
  });

  test("by the state of the resource", async () => {
    const state = (provisioningState: string) => ({ properties: { provisioningState } });
    const { client, sent } = clientOf([answer(state("Accepted")), answer(state("Succeeded"))]);
    await followOperation(client, started, accepted(quick, state("Creating")), undefined);
    expect(sent.every((each) => each.path === "/x")).toBe(true);
  });

  test("to a bad end", async () => {
    const failed = answer({ status: "Failed", error: { code: "InsufficientQuota", message: "none left" } });
    const { client } = clientOf([failed]);
    await expect(
      followOperation(client, started, accepted({ ...quick, "azure-asyncoperation": at }), undefined),
    ).rejects.toThrow('Status=200 Code="InsufficientQuota" Message="none left"');
    const cancelled = accepted(quick, { properties: { provisioningState: "Canceled" } });
    await expect(followOperation(client, started, cancelled, undefined)).rejects.toThrow("ended as Canceled");
  });

  test("refuses what cannot be followed", async () => {
    const { client } = clientOf([]);
    const elsewhere = accepted({ "azure-asyncoperation": "https://evil.example/op" });
    await expect(followOperation(client, started, elsewhere, undefined)).rejects.toThrow("which is not ARM");
    const nowhere = accepted({}, undefined, 202);
    const deleting = { ...started, method: "DELETE" } as const;
    await expect(followOperation(client, deleting, nowhere, undefined)).rejects.toThrow(
      "names no operation to poll",
    );
  });

  test("stops when it is cancelled", async () => {
    const { client } = clientOf([]);
    const waiting = accepted({ "retry-after": "60", "azure-asyncoperation": at });
    const cancelled = new AbortController();
    const following = followOperation(client, started, waiting, cancelled.signal);
    cancelled.abort(new Error("cancelled"));
    await expect(following).rejects.toThrow("cancelled");
  });
});
