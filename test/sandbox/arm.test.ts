import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalCloud } from "./local-cloud.ts";

let local: LocalCloud;
let group: string;

beforeAll(async () => {
  local = new LocalCloud();
  group = await local.makeGroup("rg");
  for (const [name, location, tags] of [
    ["one", "eastus", { Env: "dev", team: "a" }],
    ["two", "westus", { env: "prod" }],
    ["three", "eastus", {}],
  ] as const) {
    const id = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
    await local.arm("PUT", id, { body: { location, tags } });
  }
});
afterAll(() => local.close());

const list = async (filter: string): Promise<string[]> => {
  const query = `api-version=2021-04-01&$filter=${encodeURIComponent(filter)}`;
  const { body } = await local.arm("GET", `/resources?${query}`);
  return body.value.map((each: { name: string }) => each.name).sort();
};

describe("lists of resources", () => {
  test.each([
    ["resourceGroup eq 'RG'", ["one", "three", "two"]],
    ["resourceGroup eq 'other'", []],
    ["location eq 'westus'", ["two"]],
    ["name eq 'one'", ["one"]],
    ["name eq 'one' or name eq 'two'", ["one", "two"]],
    ["substringof('t', name)", ["three", "two"]],
    ["tagName eq 'env'", ["one", "two"]],
    ["tagName eq 'ENV' and tagValue eq 'dev'", ["one"]],
    ["tagName eq 'team' and tagValue eq 'dev'", []],
    ["resourceType eq 'Microsoft.KeyVault/vaults'", []],
  ])("%s", async (filter, wanted) => {
    expect(await list(filter)).toEqual(wanted);
  });

  test("refuse a filter that they do not know, also when there is nothing to filter", async () => {
    for (const filter of ["colour eq 'red'", "name like 'x'"]) {
      const url = `/resourceGroups?api-version=2021-04-01&$filter=${encodeURIComponent(filter)}`;
      expect((await local.arm("GET", url)).body.error.code).toBe("InvalidFilterInQueryString");
    }
  });

  test("come in pages", async () => {
    const first = await local.arm(
      "GET",
      "/resources?api-version=2021-04-01&$top=2&$expand=createdTime,provisioningState",
    );
    expect(first.body.value).toHaveLength(2);
    expect(first.body.value[0]).toMatchObject({
      createdTime: expect.any(String),
      provisioningState: "Succeeded",
    });
    const second = await local.arm("GET", first.body.nextLink.replace("https://management.azure.com", ""));
    expect(second.body.value).toHaveLength(1);
    expect(second.body.nextLink).toBeUndefined();
    expect((await local.arm("GET", "/resources?api-version=2021-04-01&$top=none")).status).toBe(400);
  });
});

describe("tags as a resource of their own", () => {
  const tagsOf = (scope: string) => `${scope}/providers/Microsoft.Resources/tags/default`;

  test("are replaced, merged, deleted", async () => {
    const url = tagsOf(group);
    const patch = (operation: string, tags: object) =>
      local.arm("PATCH", url, { body: { operation, properties: { tags } } });
    expect(
      (await local.arm("PUT", url, { body: { properties: { tags: { a: "1" } } } })).body.properties.tags,
    ).toEqual({ a: "1" });
    expect((await patch("Merge", { b: "2" })).body.properties.tags).toEqual({ a: "1", b: "2" });
    expect((await patch("Delete", { a: "1", b: "other" })).body.properties.tags).toEqual({ b: "2" });
    expect((await patch("Replace", { c: "3" })).body.properties.tags).toEqual({ c: "3" });
    expect((await local.arm("GET", group)).body.tags).toEqual({ c: "3" });
    expect((await local.arm("DELETE", url)).status).toBe(200);
    expect((await local.arm("GET", url)).body.properties.tags).toEqual({});
  });

  test("need a resource, the right to change it, and an operation that there is", async () => {
    const nowhere = tagsOf(group.replace(/rg$/, "none"));
    expect((await local.arm("GET", nowhere)).body.error.code).toBe("ResourceGroupNotFound");
    const change = { body: { operation: "Paint", properties: { tags: {} } } };
    expect((await local.arm("PATCH", tagsOf(group), change)).status).toBe(400);
    const wanted = { body: { properties: { tags: {} } }, as: "reader" as const };
    expect((await local.arm("PUT", tagsOf(group), wanted)).body.error.code).toBe("AuthorizationFailed");
  });
});

describe("who may do what", () => {
  const assignments = (scope: string, query = "") =>
    `${scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01${query}`;
  const subscription = () => `/subscriptions/${local.cloud.subscriptionId}`;

  test("shows the roles that the sandbox's own principals hold, which stay", async () => {
    const { body } = await local.arm("GET", assignments(subscription()));
    const mine = body.value.find(
      (each: { properties: { principalId: string } }) =>
        each.properties.principalId === local.principal("owner").objectId,
    );
    expect(mine.properties.roleDefinitionId).toContain("8e3af657-a8ff-443c-a75c-2fe8c4bcb635");
    expect((await local.arm("GET", mine.id)).body.name).toBe(mine.name);
    expect((await local.arm("DELETE", mine.id)).status).toBe(409);
    expect((await local.grant("owner", "Owner", subscription())).body.error.code).toBe(
      "RoleAssignmentExists",
    );
  });

  test("no inner path and no encoding of a path leads around the check", async () => {
    const name = crypto.randomUUID();
    const body = {
      properties: {
        roleDefinitionId:
          "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        principalId: local.principal("stranger").objectId,
        principalType: "ServicePrincipal",
      },
    };
    const scope = encodeURIComponent(subscription());
    for (const path of [
      `/-scoped/roleassignments/${name}?api-version=2022-04-01&-scope=${scope}`,
      `/%2Dscoped/roleassignments/${name}?api-version=2022-04-01&-scope=${scope}`,
      `//-scoped/roleassignments/${name}?api-version=2022-04-01`,
      `/providers/Microsoft.Authorization/roleAssignments/${name}?api-version=2022-04-01&-scope=${scope}`,
      `${subscription()}/%70roviders/Microsoft.Authorization/roleAssignments/${name}?api-version=2022-04-01`,
      `${subscription()}/providers/Microsoft.Authorization/roleAssignments/${name}?api-version=2022-04-01`,
    ]) {
      const url = `https://management.azure.com${path}`;
      const answer = await local.raw("PUT", url, { as: "stranger", body });
      expect([403, 404], path).toContain(answer.status);
    }
    expect(local.cloud.rbac.assignments.size).toBe(0);
    const listed = await local.raw("GET", `https://management.azure.com${assignments("")}`, {
      as: "stranger",
    });
    expect(listed.status).toBe(403);
  });
});

test("a namespace tells its types, with versions to ask for them", async () => {
  const { body } = await local.arm("GET", "/providers/Microsoft.KeyVault");
  const vaults = body.resourceTypes.find((each: { resourceType: string }) => each.resourceType === "vaults");
  expect(vaults.apiVersions[0]).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  expect(vaults.locations).toContain("East US");
});

test("a body that is too long is read to its end and refused", async () => {
  const tags = { a: "x".repeat(5 * 1024 * 1024) };
  const answer = await local.arm("PUT", "/resourceGroups/big", { body: { location: "eastus", tags } });
  expect(answer).toMatchObject({ status: 413, body: { error: { code: "RequestContentTooLarge" } } });
});
