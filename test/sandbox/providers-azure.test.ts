import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Secret, unknown, type ValueMap } from "../../sandbox/providers/values.ts";
import { initFailure, ProviderClient, startProviders, subscriptionId } from "./providers-client.ts";
import { failure } from "./providers-fake-arm.ts";

let providers: Awaited<ReturnType<typeof startProviders>>;
let azure: ProviderClient;
beforeEach(async () => {
  providers = await startProviders();
  azure = providers.azure;
});
afterEach(() => providers.close());

/** A condition may take its time on a busy machine. */
const patient = { timeout: 30_000 };
const group = "azure-native:resources:ResourceGroup";
const account = "azure-native:cognitiveservices:Account";
const vault = "azure-native:keyvault:Vault";
const site = "azure-native:web:WebApp";
const settings = "azure-native:web:WebAppApplicationSettings";
const groupId = `/subscriptions/${subscriptionId}/resourceGroups/rg`;
const accountId = `${groupId}/providers/Microsoft.CognitiveServices/accounts/oai`;

const groupInputs = { resourceGroupName: "rg", location: "eastus" };
const accountInputs = {
  resourceGroupName: "rg",
  accountName: "oai",
  location: "eastus",
  kind: "OpenAI",
  sku: { name: "S0" },
  properties: { customSubDomainName: "oai" },
};

/** The error that a call ends with. */
function caught(call: Promise<unknown>): Promise<grpc.ServiceError> {
  return call.then(
    () => {
      throw new Error("the call succeeded");
    },
    (error) => error,
  );
}

async function makeGroup(): Promise<void> {
  await azure.create(group, groupInputs);
}

describe("configuration", () => {
  test("the sandbox's own subscription is fine, any other is not", async () => {
    const reply = await azure.configure({ subscriptionId: subscriptionId.toUpperCase(), location: "eastus" });
    expect(reply.getAcceptsecrets()).toBe(true);
    await expect(azure.configure({ subscriptionId: "other" })).rejects.toThrow(
      `azure-native:subscriptionId is 'other', but the sandbox has only '${subscriptionId}'`,
    );
  });

  test("belongs to the connection", async () => {
    await azure.configure({ location: "westus" });
    const other = new ProviderClient(providers.served.ports.azureNative, "azure-native");
    await other.configure({ location: "uksouth" });
    const [mine, its] = await Promise.all(
      [azure, other].map((each) => each.check(group, { resourceGroupName: "rg" })),
    );
    expect([mine?.inputs.location, its?.inputs.location]).toEqual(["westus", "uksouth"]);
    other.close();
  });

  test("a port that is taken is said to be", async () => {
    const { serveProviders } = await import("../../sandbox/providers/server.ts");
    const taken = providers.served.ports.command;
    await expect(
      serveProviders({
        subscriptionId,
        tenantId: "t",
        armTransport: providers.arm.transport,
        getToken: async () => "",
        commandEnv: () => ({}),
        projectDir: ".",
        gitHubOwner: "kiln",
        ports: { command: taken },
      }),
    ).rejects.toThrow(`the command provider cannot listen on 127.0.0.1:${taken}`);
  });
});

describe("check", () => {
  test("names a type that is not served", async () => {
    const { failures } = await azure.check("azure-native:compute:VirtualMachine", {});
    expect(failures).toEqual([
      ": the sandbox does not serve resource type 'azure-native:compute:VirtualMachine'",
    ]);
  });

  test("names every gap once, and what is not an input", async () => {
    const { failures } = await azure.check(vault, {
      resourceGroupName: "rg",
      location: "x",
      properties: { sku: { name: "standard" } },
      colour: "red",
    });
    expect(failures).toEqual([
      "properties.sku.family: missing required property 'properties.sku.family'",
      "properties.tenantId: missing required property 'properties.tenantId'",
      "colour: azure-native:keyvault:Vault has no property 'colour'",
    ]);
    const nothing = await azure.check(vault, { resourceGroupName: "rg", location: "x" });
    expect(nothing.failures).toEqual(["properties: missing required property 'properties'"]);
  });

  test("lets what is not known yet pass", async () => {
    const { failures } = await azure.check(vault, {
      resourceGroupName: unknown,
      vaultName: unknown,
      properties: unknown,
    });
    expect(failures).toEqual([]);
  });

  test("judges names by the service's own rule", async () => {
    const { failures } = await azure.check("azure-native:storage:StorageAccount", {
      resourceGroupName: "rg",
      accountName: "Not-Valid",
      location: "x",
      kind: "StorageV2",
      sku: { name: "Standard_LRS" },
    });
    expect(failures).toEqual(["accountName: 'accountName' does not match expression '^[a-z0-9]{3,24}$'"]);
  });

  test("makes up a name that stays", async () => {
    const first = await azure.check(group, { location: "eastus" }, { name: "web" });
    expect(first.inputs.resourceGroupName).toMatch(/^web[0-9a-f]{8}$/);
    const other = await azure.check(group, { location: "eastus" }, { name: "web", seed: "another" });
    expect(other.inputs.resourceGroupName).not.toBe(first.inputs.resourceGroupName);
    const again = await azure.check(
      group,
      { location: "eastus" },
      { name: "web", seed: "another", olds: first.inputs },
    );
    expect(again.inputs).toEqual(first.inputs);
    const replaced = await azure.diff(group, first.inputs, other.inputs);
    expect(replaced.deleteFirst).toBe(false);
  });

  test("copies the name of a child, and takes a uuid for a role assignment", async () => {
    const child = await azure.check(
      "azure-native:cognitiveservices:Deployment",
      { resourceGroupName: "rg", accountName: "oai" },
      { name: "gpt" },
    );
    expect(child.inputs.deploymentName).toBe("gpt");
    const role = await azure.check("azure-native:authorization:RoleAssignment", {
      scope: groupId,
      principalId: "p",
      roleDefinitionId: "r",
    });
    expect(role.inputs.roleAssignmentName).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test("follows the engine's naming configuration", async () => {
    const named = (mode: number) =>
      azure.check(group, { location: "eastus" }, { autonaming: [mode, "proposed"] });
    expect((await named(0)).inputs.resourceGroupName).toBe("proposed");
    expect((await named(1)).inputs.resourceGroupName).toBe("proposed");
    expect((await named(2)).failures).toEqual([
      "resourceGroupName: missing required property 'resourceGroupName'",
    ]);
  });

  test("takes the location of the resource group", async () => {
    await azure.create(group, { resourceGroupName: "rg", location: "uksouth" });
    const check = (resourceGroupName: ValueMap[string], olds = {}) =>
      azure.check(site, { resourceGroupName, name: "a" }, { olds });
    expect((await check("rg")).inputs.location).toBe("uksouth");
    expect((await check(unknown)).inputs.location).toBe(unknown);
    expect((await check("rg", { location: "westus" })).inputs.location).toBe("westus");
    expect((await check("none")).failures[0]).toMatch(
      /^location: missing required property 'location'\. Either set it/,
    );
  });
});

describe("create", () => {
  test("asks whether it is there, puts, follows the operation, and shows what a GET shows", async () => {
    await makeGroup();
    providers.arm.requests.length = 0;
    const made = await azure.create(account, accountInputs);
    expect(made.id).toBe(accountId);
    expect(made.outputs).toMatchObject({
      name: "oai",
      azureApiVersion: "2025-06-01",
      properties: {
        customSubDomainName: "oai",
        endpoint: "https://oai.openai.azure.com/",
        provisioningState: "Succeeded",
      },
    });
    expect(made.outputs).not.toHaveProperty("id");
    expect(made.outputs).not.toHaveProperty("accountName");
    expect(providers.arm.requests.map((each) => each.method)).toEqual([
      "GET",
      "PUT",
      "GET",
      "GET",
      "GET",
      "GET",
    ]);
    expect(providers.arm.sent("PUT", /accounts/)[0]).toMatchObject({
      host: "management.azure.com",
      query: { "api-version": "2025-06-01" },
      body: {
        location: "eastus",
        kind: "OpenAI",
        sku: { name: "S0" },
        properties: { customSubDomainName: "oai" },
      },
    });
  });

  test("does not take over what is there", async () => {
    await makeGroup();
    await expect(makeGroup()).rejects.toThrow(`cannot create already existing resource '${groupId}'`);
    expect(providers.arm.sent("PUT", /./)).toHaveLength(1);
  });

  test("says what the cloud said", async () => {
    await expect(azure.create(account, accountInputs)).rejects.toThrow(
      /Status=404 Code="ResourceNotFound" Message="/,
    );
  });

  test("tries again what is throttled, failed on the way or lost", async () => {
    providers.arm.twist({
      method: "PUT",
      path: /rg$/,
      act: failure(429, "TooManyRequests", "slow", { "retry-after-ms": "1" }),
    });
    providers.arm.twist({ method: "PUT", path: /rg$/, act: "lost-after" });
    providers.arm.twist({ method: "GET", path: /rg$/, act: "lost-before" });
    await makeGroup();
    expect(providers.arm.sent("PUT", /rg$/)).toHaveLength(3);
  });

  test("does not try again a conflict", async () => {
    providers.arm.twist({ method: "PUT", path: /rg$/, act: failure(409, "RequestConflict", "busy") });
    await expect(makeGroup()).rejects.toThrow('Status=409 Code="RequestConflict" Message="busy"');
  });

  test("flattens, renames and turns lists into maps on the wire, and back", async () => {
    await makeGroup();
    const made = await azure.create("azure-native:storage:StorageAccount", {
      resourceGroupName: "rg",
      accountName: "stone",
      location: "eastus",
      kind: "StorageV2",
      sku: { name: "Standard_LRS" },
      enableHttpsTrafficOnly: true,
      networkRuleSet: { defaultAction: "Deny", ipRules: [{ iPAddressOrRange: "1.2.3.4", action: "Allow" }] },
      identity: { type: "UserAssigned", userAssignedIdentities: ["/one"] },
    });
    expect(providers.arm.sent("PUT", /storage/i)[0]?.body).toEqual({
      location: "eastus",
      kind: "StorageV2",
      sku: { name: "Standard_LRS" },
      identity: { type: "UserAssigned", userAssignedIdentities: { "/one": {} } },
      properties: {
        supportsHttpsTrafficOnly: true,
        networkAcls: { defaultAction: "Deny", ipRules: [{ value: "1.2.3.4", action: "Allow" }] },
      },
    });
    expect(made.outputs).toMatchObject({
      enableHttpsTrafficOnly: true,
      networkRuleSet: { ipRules: [{ iPAddressOrRange: "1.2.3.4" }] },
      identity: { userAssignedIdentities: { "/one": { clientId: "c" } } },
    });
  });

  test("keeps secrets secret, and out of messages", async () => {
    await makeGroup();
    const made = await azure.create(settings, {
      resourceGroupName: "rg",
      name: "app",
      properties: { TOKEN: new Secret("hush-hush"), OPEN: "yes" },
    });
    expect(made.outputs.properties).toEqual({ TOKEN: new Secret("hush-hush"), OPEN: "yes" });
    providers.arm.twist({ method: "PUT", path: /other/, act: failure(400, "Bad", "what is hush-hush?") });
    const failing = azure.create(settings, {
      resourceGroupName: "rg",
      name: "other",
      properties: { TOKEN: new Secret("hush-hush") },
    });
    await expect(failing).rejects.toThrow('Message="what is [secret]?"');
  });

  test("previews what is known, and sends nothing", async () => {
    const { id, outputs } = await azure.create(
      account,
      { ...accountInputs, tags: { a: new Secret("x") } },
      { preview: true },
    );
    expect(id).toBe("");
    expect(outputs).toMatchObject({
      kind: "OpenAI",
      name: unknown,
      identity: unknown,
      tags: { a: new Secret("x") },
      sku: { name: "S0", tier: unknown },
      properties: { customSubDomainName: "oai", endpoint: unknown, provisioningState: unknown },
    });
    expect(providers.arm.requests).toEqual([]);
  });
});

describe("what was made although it failed", () => {
  test("stays in state with the reason", async () => {
    await makeGroup();
    providers.arm.twist({ method: "PUT", path: /accounts/, act: "fail-operation" });
    const error = await caught(
      azure.create(account, { ...accountInputs, tags: { a: new Secret("x-secret-x") } }),
    );
    expect(error.code).toBe(grpc.status.UNKNOWN);
    const made = initFailure(error);
    expect(made.id).toBe(accountId);
    expect(made.outputs).toMatchObject({ name: "oai", tags: { a: new Secret("x-secret-x") } });
    expect(made.inputs).toMatchObject(accountInputs);
    expect(made.reasons).toEqual(['Status=200 Code="InsufficientQuota" Message="no quota is left"']);
  });

  test("is nothing when nothing is there", async () => {
    await makeGroup();
    providers.arm.twist({ method: "PUT", path: /accounts/, act: "fail-operation" });
    providers.arm.twist({ method: "GET", path: /accounts/, act: failure(404, "ResourceNotFound", "before") });
    providers.arm.twist({ method: "GET", path: /accounts/, act: failure(404, "ResourceNotFound", "after") });
    const error = await caught(azure.create(account, accountInputs));
    expect(error.details).toContain("InsufficientQuota");
    expect(error.metadata.get("grpc-status-details-bin")).toEqual([]);
  });

  test("is what was asked for when it cannot be read", async () => {
    await makeGroup();
    providers.arm.twist({ method: "PUT", path: /accounts/, act: "fail-operation" });
    providers.arm.twist({ method: "GET", path: /accounts/, act: failure(404, "ResourceNotFound", "before") });
    providers.arm.twist({
      method: "GET",
      path: /accounts/,
      act: failure(403, "AuthorizationFailed", "after"),
    });
    const made = initFailure(await caught(azure.create(account, accountInputs)));
    expect(made.id).toBe(accountId);
    expect(made.outputs).toMatchObject({ kind: "OpenAI" });
  });

  test("stays also when the time is up, and when the engine cancels", async () => {
    await makeGroup();
    const slow = { "Azure-AsyncOperation": "https://management.azure.com/op", "Retry-After": "60" };
    providers.arm.twist({ method: "PUT", path: /accounts/, act: { status: 201, headers: slow, body: {} } });
    providers.arm.resources.set(`${accountId.toLowerCase()}`, { id: accountId, name: "oai" });
    const late = caught(
      azure.update(account, accountId, { inputs: accountInputs, outputs: {} }, accountInputs),
    );
    const sent = () => providers.arm.sent("PUT", /accounts/).length;
    await expect.poll(sent, patient).toBe(1);
    await azure.cancel();
    const cancelled = initFailure(await late);
    expect(cancelled).toMatchObject({ id: accountId, reasons: ["the operation was cancelled"] });
    await expect(makeGroup()).rejects.toThrow("the operation was cancelled");

    const other = new ProviderClient(providers.served.ports.azureNative, "azure-native");
    providers.arm.resources.delete(accountId.toLowerCase());
    providers.arm.twist({ method: "PUT", path: /accounts/, act: { status: 201, headers: slow, body: {} } });
    const timed = await caught(other.create(account, accountInputs, { timeout: 0.05 }));
    expect(timed.details).toBe("not done within 0.05 s");
    other.close();
  });

  test("an engine that hangs up is not polled for", async () => {
    await makeGroup();
    const slow = { "Azure-AsyncOperation": "https://management.azure.com/op", "retry-after-ms": "1" };
    providers.arm.twist({ method: "PUT", path: /accounts/, act: { status: 201, headers: slow, body: {} } });
    let call: grpc.ClientUnaryCall | undefined;
    for (let poll = 0; poll < 50; poll++) {
      providers.arm.twist({
        method: "GET",
        path: /^\/op/,
        act: { status: 200, headers: slow, body: { status: "InProgress" } },
      });
    }
    const creating = azure.create(account, accountInputs, {
      onCall: (made) => {
        call = made;
      },
    });
    const polls = () => providers.arm.sent("GET", /^\/op/).length;
    await expect.poll(polls, patient).toBeGreaterThan(2);
    call?.cancel();
    await expect(creating).rejects.toThrow(/CANCELLED/i);
    // The look at what is there after the failure is the last request.
    const lastIsRead = () => providers.arm.requests.at(-1)?.path === accountId;
    await expect.poll(lastIsRead, patient).toBe(true);
    expect(polls()).toBeLessThan(50);
  });
});

describe("read", () => {
  test("says when it is gone", async () => {
    expect(await azure.read(group, groupId, { inputs: groupInputs, outputs: {} })).toEqual({
      id: "",
      outputs: {},
      inputs: {},
    });
  });

  test("imports by id, without defaults and what only the service sets", async () => {
    await makeGroup();
    await azure.create(account, { ...accountInputs, tags: { a: "1" } });
    const found = await azure.read(account, accountId.toUpperCase().replace("/OAI", "/oai"));
    expect(found.id).toBe(accountId);
    expect(found.inputs).toEqual({ ...accountInputs, resourceGroupName: "RG", tags: { a: "1" } });
  });

  test("refuses an id of another form", async () => {
    await expect(azure.read(account, groupId)).rejects.toThrow(`'${groupId}' is no id of ${account}`);
  });

  test("a refresh shows drift in the inputs, and nothing else", async () => {
    await makeGroup();
    const inputs = { ...accountInputs, tags: { a: "1" } };
    const made = await azure.create(account, inputs);
    const known = { inputs, outputs: made.outputs };
    expect((await azure.read(account, made.id, known)).inputs).toEqual(inputs);
    Object.assign(providers.arm.get(accountId) ?? {}, { tags: { a: "2" } });
    expect((await azure.read(account, made.id, known)).inputs).toEqual({ ...inputs, tags: { a: "2" } });
  });

  test("a create whose end nobody saw is read into the inputs it was asked with", async () => {
    await makeGroup();
    await azure.create(account, accountInputs);
    expect((await azure.read(account, accountId, { inputs: accountInputs, outputs: {} })).inputs).toEqual(
      accountInputs,
    );
  });

  test("a site shows its configuration from its own address", async () => {
    await makeGroup();
    const inputs = {
      resourceGroupName: "rg",
      name: "app",
      location: "eastus",
      kind: "functionapp,linux",
      siteConfig: { linuxFxVersion: "Node|22", appSettings: [{ name: "a", value: "b" }] },
    };
    const made = await azure.create(site, inputs);
    expect(made.outputs.siteConfig).toEqual({ linuxFxVersion: "Node|22" });
    expect(providers.arm.sent("GET", /config\/web$/)).toHaveLength(1);
    expect((await azure.read(site, made.id, { inputs, outputs: made.outputs })).inputs).toEqual(inputs);
  });
});

describe("update and delete", () => {
  test("an update puts the whole resource", async () => {
    await makeGroup();
    const made = await azure.create(account, accountInputs);
    const inputs = { ...accountInputs, tags: { a: "1" } };
    const outputs = await azure.update(
      account,
      made.id,
      { inputs: accountInputs, outputs: made.outputs },
      inputs,
    );
    expect(outputs.tags).toEqual({ a: "1" });
    expect(providers.arm.sent("PUT", /accounts/).at(-1)?.body).toMatchObject({
      kind: "OpenAI",
      tags: { a: "1" },
    });
  });

  test("a preview of an update knows what cannot change", async () => {
    const olds = {
      inputs: accountInputs,
      outputs: { name: "oai", location: "eastus", properties: { endpoint: "e" } },
    };
    const outputs = await azure.update(account, accountId, olds, accountInputs, true);
    expect(outputs).toMatchObject({ name: "oai", location: "eastus", properties: { endpoint: unknown } });
    expect(providers.arm.requests).toEqual([]);
  });

  test("a delete is done when it is gone, also when it was before", async () => {
    await makeGroup();
    await azure.delete(group, groupId);
    expect(providers.arm.get(groupId)).toBeUndefined();
    await azure.delete(group, groupId);
    providers.arm.twist({
      method: "DELETE",
      path: /rg$/,
      act: failure(409, "ResourceGroupDeletionBlocked", "no"),
    });
    await expect(azure.delete(group, groupId)).rejects.toThrow('Code="ResourceGroupDeletionBlocked"');
  });

  test("a site leaves its plan; settings are emptied; publishing rules stay", async () => {
    await makeGroup();
    const made = await azure.create(settings, {
      resourceGroupName: "rg",
      name: "app",
      properties: { A: "1" },
    });
    await azure.create(settings, { resourceGroupName: "rg", name: "app", properties: { A: "1" } });
    await azure.delete(settings, made.id);
    expect(providers.arm.get(made.id)).toMatchObject({ properties: {} });
    const siteId = made.id.replace("/config/appsettings", "");
    await azure.delete(site, siteId);
    expect(providers.arm.sent("DELETE", /sites\/app$/)[0]?.query.deleteEmptyServerFarm).toBe("false");
    const rule = await azure.create("azure-native:web:WebAppFtpAllowed", {
      resourceGroupName: "rg",
      name: "app",
      allow: false,
    });
    const count = providers.arm.requests.length;
    await azure.delete("azure-native:web:WebAppFtpAllowed", rule.id);
    expect(providers.arm.requests).toHaveLength(count);
  });

  test("a vault's secret is deleted at the vault", async () => {
    await makeGroup();
    const token = "azure-native:keyvault:Secret";
    const inputs = {
      resourceGroupName: "rg",
      vaultName: "kv1",
      secretName: "s1",
      properties: { value: new Secret("hush-hush") },
    };
    const made = await azure.create(token, inputs);
    expect(made.outputs.properties).not.toHaveProperty("value");
    await azure.delete(token, made.id, { inputs, outputs: made.outputs });
    expect(providers.arm.requests.at(-1)).toMatchObject({
      method: "DELETE",
      host: "kv1.vault.azure.net",
      path: "/secrets/s1",
    });
    await azure.delete(token, made.id, { inputs, outputs: made.outputs });
    providers.arm.twist({
      method: "DELETE",
      path: /s1/,
      act: failure(404, "InvalidResourceType", "not a vault"),
    });
    await expect(azure.delete(token, made.id, { inputs })).rejects.toThrow("InvalidResourceType");
  });
});

describe("functions", () => {
  test("say who the provider is, from its token", async () => {
    const { result } = await azure.invoke("azure-native:authorization:getClientConfig", {});
    expect(result).toEqual({
      clientId: "11111111-1111-1111-1111-111111111111",
      objectId: "22222222-2222-2222-2222-222222222222",
      subscriptionId,
      tenantId: "00000000-0000-0000-0000-000000000002",
    });
    const token = await azure.invoke("azure-native:authorization:getClientToken", {
      endpoint: "https://vault.azure.net",
    });
    expect(token.result.token).toBeInstanceOf(Secret);
  });

  test("get what is there", async () => {
    await makeGroup();
    const { result } = await azure.invoke("azure-native:resources:getResourceGroup", {
      resourceGroupName: "rg",
    });
    expect(result).toMatchObject({ id: groupId, location: "eastus", azureApiVersion: "2024-03-01" });
    const missing = azure.invoke("azure-native:resources:getResourceGroup", { resourceGroupName: "no" });
    await expect(missing).rejects.toThrow("was not found (Status=404)");
  });

  test("list keys as secrets", async () => {
    await makeGroup();
    await azure.create(account, accountInputs);
    const args = { resourceGroupName: "rg", accountName: "oai" };
    const { result } = await azure.invoke("azure-native:cognitiveservices:listAccountKeys", args);
    expect(result).toEqual({ key1: new Secret("k".repeat(84)), key2: new Secret("l".repeat(84)) });
  });

  test("name what is missing, too much, or not served", async () => {
    const { failures } = await azure.invoke("azure-native:keyvault:getVault", { vaultName: "kv", size: 1 });
    expect(failures).toEqual([
      "resourceGroupName: missing required property 'resourceGroupName'",
      "size: there is no argument 'size'",
    ]);
    await expect(azure.invoke("azure-native:compute:getVirtualMachine", {})).rejects.toThrow(
      "the sandbox does not serve function 'azure-native:compute:getVirtualMachine'",
    );
  });
});
