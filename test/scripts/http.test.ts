import { createHttpHeaders, type HttpClient, type PipelineRequest } from "@azure/core-rest-pipeline";
import { expect, it } from "vitest";
import { ask } from "../../scripts/lib/http.ts";

const { signal } = new AbortController();

/** A network that answers with these statuses in turn, and keeps what it was asked. */
function network(...statuses: number[]) {
  const asked: PipelineRequest[] = [];
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      asked.push(request);
      const status = statuses[asked.length - 1] ?? 200;
      const headers = createHttpHeaders({ "retry-after-ms": "0" });
      return { request, status, headers, bodyAsText: status === 204 ? null : `answer ${asked.length}` };
    },
  };
  return { asked, target: { clientOptions: { httpClient } } };
}

const url = "https://app.example/api";

it("sends the request, its document and its headers, and gives the answer as it is", async () => {
  const { asked, target } = network(404);
  const headers = { "x-kiln": "1" };
  const request = { url, method: "POST", json: { message: "hi" }, headers, timeoutMs: 5000, signal } as const;
  expect(await ask(target, request)).toEqual({ status: 404, body: "answer 1" });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ url, method: "POST", body: '{"message":"hi"}', timeout: 5000 });
  expect(asked[0]?.headers.get("x-kiln")).toBe("1");
  expect(asked[0]?.headers.get("user-agent")).toMatch(/^kiln /);
});

it("sends no body where there is none to send, and takes an answer without one", async () => {
  const { asked, target } = network(204);
  expect(await ask(target, { url, method: "GET", timeoutMs: 5000, signal })).toEqual({
    status: 204,
    body: "",
  });
  expect(asked[0]?.body).toBeUndefined();
});

it("asks again when it is told to come back, three times at most", async () => {
  const patient = network(503, 429, 200);
  expect(await ask(patient.target, { url, method: "GET", timeoutMs: 5000, signal })).toMatchObject({
    status: 200,
  });
  expect(patient.asked).toHaveLength(3);
  const busy = network(429, 429, 429, 429, 200);
  expect(await ask(busy.target, { url, method: "GET", timeoutMs: 5000, signal })).toMatchObject({
    status: 429,
  });
  expect(busy.asked).toHaveLength(4);
});
