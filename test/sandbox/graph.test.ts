import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KnownPrincipal } from "../../sandbox/core/principals.ts";
import type { Service } from "../../sandbox/core/service.ts";
import { createGraph } from "../../sandbox/login/graph.ts";
import { LocalCloud } from "./local-cloud.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into as they come off the wire
type Body = any;

let local: LocalCloud;
let graph: Service;
let identity: { principalId: string; clientId: string };

beforeAll(async () => {
  local = new LocalCloud();
  graph = createGraph(local.cloud);
  const group = await local.makeGroup();
  const id = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app`;
  identity = (await local.arm("PUT", id, { body: { location: "eastus" } })).body.properties;
});
afterAll(async () => {
  await graph.close();
  await local.close();
});

async function ask(
  url: string,
  {
    as = "owner",
    body,
    audience = "https://graph.microsoft.com",
  }: { as?: KnownPrincipal; body?: object; audience?: string } = {},
): Promise<{ status: number; body: Body }> {
  const token = await local.cloud.tokens.issue(local.principal(as), audience);
  const answer = await graph.inject({
    method: body === undefined ? "GET" : "POST",
    url,
    headers: { host: "graph.microsoft.com", authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: answer.statusCode, body: answer.json() };
}

const names = async (filter: string): Promise<string[]> => {
  const { body } = await ask(`/v1.0/servicePrincipals?$filter=${encodeURIComponent(filter)}`);
  return body.value.map((each: { displayName: string }) => each.displayName);
};

describe("service principals", () => {
  test("are found by what az looks for", async () => {
    const owner = local.principal("owner");
    expect(await names(`servicePrincipalNames/any(c:c eq '${owner.clientId}')`)).toEqual(["owner"]);
    expect(await names(`appId eq '${owner.clientId}'`)).toEqual(["owner"]);
    expect(await names("displayName eq 'reader'")).toEqual(["reader"]);
    expect(await names("startswith(displayName,'str')")).toEqual(["stranger"]);
    expect(await names("displayName eq 'nobody'")).toEqual([]);
    for (const key of [owner.objectId, `appId=${owner.clientId}`]) {
      expect((await ask(`/v1.0/servicePrincipals/${key}`)).body.displayName).toBe("owner");
    }
    for (const key of [
      `(appId='${owner.clientId}')`,
      `('${owner.objectId}')`,
      `(appId=%27${owner.clientId}%27)`,
    ]) {
      expect((await ask(`/v1.0/servicePrincipals${key}`)).body.id).toBe(owner.objectId);
    }
    expect((await ask(`/beta/directoryObjects/${owner.objectId}`)).body["@odata.type"]).toBe(
      "#microsoft.graph.servicePrincipal",
    );
  });

  test("come in pages, with what is selected", async () => {
    const { body } = await ask("/v1.0/servicePrincipals?$top=3&$select=id,displayName");
    expect(body.value).toHaveLength(3);
    expect(Object.keys(body.value[0]).sort()).toEqual(["displayName", "id"]);
    const next = await ask(body["@odata.nextLink"].replace("https://graph.microsoft.com", ""));
    expect(next.body.value.length).toBeGreaterThan(0);
    expect((await ask("/v1.0/servicePrincipals?$top=0")).status).toBe(400);
  });

  test("a managed identity is one, once the directory knows it", async () => {
    const ids = { ids: [identity.principalId, crypto.randomUUID()], types: ["user", "servicePrincipal"] };
    const fresh = await ask("/v1.0/directoryObjects/getByIds", { body: ids });
    expect(fresh.body.value).toEqual([]);
    local.pass(60_000);
    const known = await ask("/v1.0/directoryObjects/getByIds", { body: ids });
    expect(known.body.value).toMatchObject([
      {
        id: identity.principalId,
        appId: identity.clientId,
        displayName: "id-app",
        servicePrincipalType: "ManagedIdentity",
      },
    ]);
    expect(
      (await ask("/v1.0/directoryObjects/getByIds", { body: { ...ids, types: ["group"] } })).body.value,
    ).toEqual([]);
  });
});

test.each([
  ["/v1.0/servicePrincipals/11111111-1111-1111-1111-111111111111", 404, "Request_ResourceNotFound"],
  ["/v1.0/users/someone@example.com", 404, "Request_ResourceNotFound"],
  ["/v1.0/servicePrincipals?$filter=colour%20eq%20'red'", 400, "Request_UnsupportedQuery"],
  ["/v1.0/servicePrincipals?$filter=nonsense", 400, "Request_UnsupportedQuery"],
  ["/v1.0/me", 400, "BadRequest"],
  ["/v1.0/me/ownedObjects", 400, "BadRequest"],
  ["/v1.0/applications", 404, "Request_ResourceNotFound"],
])("%s is refused with %i %s", async (url, status, code) => {
  const answer = await ask(url);
  expect(answer).toMatchObject({
    status,
    body: { error: { code, innerError: { date: expect.any(String) } } },
  });
});

test("there are neither users nor groups", async () => {
  for (const kind of ["users", "groups"]) expect((await ask(`/v1.0/${kind}`)).body.value).toEqual([]);
  expect((await ask("/v1.0/directoryObjects/getByIds", { body: { ids: [] } })).body.error.code).toBe(
    "Request_BadRequest",
  );
});

test("reading takes a token for Graph and a place in the tenant", async () => {
  const url = "/v1.0/servicePrincipals";
  expect((await ask(url, { audience: "https://management.azure.com" })).body.error).toMatchObject({
    code: "InvalidAuthenticationToken",
    message: "Access token validation failure. Invalid audience.",
  });
  expect((await ask(url, { as: "reader" })).status).toBe(200);
  expect(await ask(url, { as: "stranger" })).toMatchObject({
    status: 403,
    body: { error: { code: "Authorization_RequestDenied" } },
  });
  const without = await graph.inject({ url, headers: { host: "graph.microsoft.com" } });
  expect(without.statusCode).toBe(401);
});
