import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDaemon, testDaemon } from "../harness/daemon.ts";
import { type AzAnswer, type TestPython, testPython } from "../harness/python.ts";

let python: TestPython;
let daemon: TestDaemon;
let home: string;

beforeAll(async () => {
  python = await testPython();
  daemon = await testDaemon();
  home = mkdtempSync(path.join(tmpdir(), "kiln-az-"));
});
afterAll(async () => {
  await daemon?.dispose();
  rmSync(home, { recursive: true, force: true });
});

/** `az` with what a person must set, and with a configuration folder of its own. */
function az(...args: string[]): Promise<AzAnswer> {
  return python.az(args, {
    HTTPS_PROXY: daemon.proxy,
    REQUESTS_CA_BUNDLE: daemon.caFile,
    AZURE_CONFIG_DIR: home,
    AZURE_CORE_COLLECT_TELEMETRY: "no",
  });
}

/** The output of a command that must succeed. */
async function done(...args: string[]): Promise<AzAnswer["output"]> {
  const answer = await az(...args);
  expect(answer.exitCode, `az ${args.join(" ")}\n${answer.stderr}`).toBe(0);
  return answer.output;
}

/** What a command that must fail says. */
async function refused(...args: string[]): Promise<string> {
  const answer = await az(...args);
  expect(answer.exitCode, `az ${args.join(" ")} succeeded`).not.toBe(0);
  expect(answer.stderr).not.toContain("Traceback");
  return answer.stderr;
}

const login = (...how: string[]): string[] => [
  "login",
  "--service-principal",
  "-u",
  daemon.clientId(),
  ...how,
];

// One story in order: each command finds what the ones before it left.
describe("az", () => {
  test("signs in by secret and by federated token, and not with the wrong secret", async () => {
    const tenant = ["--tenant", daemon.tenantId];
    expect(await refused(...login("-p", "wrong", ...tenant))).toContain("AADSTS7000215");
    const [federated] = await done(...login("--federated-token", daemon.assertion(), ...tenant));
    expect(federated).toMatchObject({ id: daemon.subscriptionId, state: "Enabled" });
    await done(...login("-p", daemon.secret(), ...tenant));
    expect(await done("account", "show")).toMatchObject({
      id: daemon.subscriptionId,
      tenantId: daemon.tenantId,
      user: { name: daemon.clientId(), type: "servicePrincipal" },
    });
  });

  test("resource groups", async () => {
    await done("group", "create", "-n", "rg-az", "-l", "eastus", "--tags", "env=dev", "service=openai");
    expect(await done("group", "list", "--tag", "env=dev", "--query", "[].name")).toEqual(["rg-az"]);
    expect(await done("group", "exists", "-n", "rg-none")).toBe(false);
    expect(await done("group", "update", "-n", "rg-az", "--set", "tags.env=test", "--query", "tags")).toEqual(
      {
        env: "test",
        service: "openai",
      },
    );
    expect(await refused("group", "show", "-n", "rg-none")).toContain("(ResourceGroupNotFound)");
  });

  test("an OpenAI account: made, deployed to, its key renewed, deleted, held, purged", async () => {
    const at = ["-g", "rg-az", "-n", "oai-az"];
    const account = ["cognitiveservices", "account"];
    const create = [...account, "create", ...at, "-l", "eastus", "--kind", "OpenAI", "--sku", "S0"];
    const made = await done(...create, "--custom-domain", "oai-az", "--yes");
    expect(made.properties).toMatchObject({
      endpoint: "https://oai-az.openai.azure.com/",
      provisioningState: "Succeeded",
    });
    const model = ["--model-name", "gpt-5.1", "--model-version", "2025-11-13", "--model-format", "OpenAI"];
    const deploy = [...account, "deployment", "create", ...at, "--deployment-name", "gpt-5-1", ...model];
    const sku = ["--sku-name", "GlobalStandard", "--sku-capacity"];
    expect(await refused(...deploy, ...sku, "100000")).toContain(
      "(InsufficientQuota) This operation require",
    );
    expect((await done(...deploy, ...sku, "10")).sku.capacity).toBe(10);
    const keys = await done(...account, "keys", "list", ...at);
    const renewed = await done(...account, "keys", "regenerate", ...at, "--key-name", "key2");
    expect(renewed.key1).toBe(keys.key1);
    expect(renewed.key2).not.toBe(keys.key2);
    expect(await refused(...account, "delete", ...at)).toContain("(CannotDeleteResource)");
    await done(...account, "deployment", "delete", ...at, "--deployment-name", "gpt-5-1");
    await done(...account, "delete", ...at);
    expect(await done(...account, "list-deleted", "--query", "[].name")).toEqual(["oai-az"]);
    expect(await refused(...create, "--custom-domain", "oai-az", "--yes")).toContain(
      "(FlagMustBeSetForRestore)",
    );
    await done(...account, "purge", ...at, "-l", "eastus");
    expect(await done(...account, "list-deleted")).toEqual([]);
  });

  test("a vault: its secrets need a role, which az finds people for in the directory", async () => {
    const vault = await done("keyvault", "create", "-n", "kv-az", "-g", "rg-az", "-l", "eastus");
    const secret = (verb: string, ...rest: string[]) => [
      "keyvault",
      "secret",
      verb,
      "--vault-name",
      "kv-az",
      ...rest,
    ];
    expect(await refused(...secret("set", "-n", "key", "--value", "one"))).toContain("ForbiddenByRbac");
    const grant = [
      "--assignee",
      daemon.clientId(),
      "--role",
      "Key Vault Secrets Officer",
      "--scope",
      vault.id,
    ];
    const granted = await done("role", "assignment", "create", ...grant);
    expect(granted).toMatchObject({ scope: vault.id, principalType: "ServicePrincipal" });
    const listed = await done("role", "assignment", "list", "--scope", vault.id, "--include-inherited");
    expect(listed.map((each: { roleDefinitionName: string }) => each.roleDefinitionName).sort()).toContain(
      "Key Vault Secrets Officer",
    );
    await done(...secret("set", "-n", "key", "--value", "one"));
    expect(await done(...secret("show", "-n", "key", "--query", "value"))).toBe("one");
    expect(await refused(...secret("set", "-n", "A_B", "--value", "x"))).toContain("(BadParameter)");
    await done(...secret("delete", "-n", "key"));
    expect(await refused(...secret("set", "-n", "key", "--value", "two"))).toContain(
      "ObjectIsDeletedButRecoverable",
    );
    await done(...secret("recover", "-n", "key"));
    expect(await done(...secret("list", "--query", "[].name"))).toEqual(["key"]);
    await done("keyvault", "delete", "-n", "kv-az");
    expect(await refused("keyvault", "create", "-n", "kv-az", "-g", "rg-az", "-l", "eastus")).toContain(
      "(ConflictError)",
    );
    await done("keyvault", "purge", "-n", "kv-az");
  });

  test("a function app: created, set up, deployed to, called", async () => {
    await done("storage", "account", "create", "-n", "staz", "-g", "rg-az", "-l", "eastus");
    await done("appservice", "plan", "create", "-n", "plan-az", "-g", "rg-az", "--is-linux", "--sku", "B1");
    const app = ["-n", "func-az", "-g", "rg-az"];
    const how = [
      "--plan",
      "plan-az",
      "--storage-account",
      "staz",
      "--runtime",
      "custom",
      "--os-type",
      "Linux",
    ];
    await done(
      "functionapp",
      "create",
      ...app,
      ...how,
      "--functions-version",
      "4",
      "--disable-app-insights",
      "true",
    );
    await done("functionapp", "config", "appsettings", "set", ...app, "--settings", "GREETING=good day");
    const names = await done("functionapp", "config", "appsettings", "list", ...app, "--query", "[].name");
    expect(names).toEqual(expect.arrayContaining(["GREETING", "AzureWebJobsStorage"]));
    const zip = path.join(home, "app.zip");
    writeFileSync(zip, zipSync(program));
    await done("functionapp", "deployment", "source", "config-zip", ...app, "--src", zip);
    const said = await done(
      "rest",
      "--method",
      "get",
      "--url",
      "https://func-az.azurewebsites.net/",
      "--skip-authorization-header",
    );
    expect(said).toEqual({ greeting: "good day" });
    await done("functionapp", "delete", ...app);
  });

  test("resources of any kind, and what is not served", async () => {
    await done("identity", "create", "-g", "rg-az", "-n", "id-az");
    const [id] = await done("resource", "list", "-g", "rg-az", "--query", "[?name=='id-az'].id");
    expect((await done("resource", "show", "--ids", id)).properties.principalId).toBeTypeOf("string");
    expect(
      await done(
        "tag",
        "update",
        "--resource-id",
        id,
        "--operation",
        "merge",
        "--tags",
        "a=b",
        "--query",
        "properties.tags",
      ),
    ).toEqual({ a: "b" });
    expect(await refused("vm", "list")).toContain("(InvalidResourceType) The sandbox has nothing at GET");
    expect(await refused("deployment", "group", "list", "-g", "rg-az")).toContain("(InvalidResourceType)");
    expect(await refused("ad", "signed-in-user", "show")).toContain("/me request is only valid");
    await done("group", "delete", "-n", "rg-az", "--yes");
    expect(await done("resource", "list")).toEqual([]);
  });
});

const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

/** A custom handler: an HTTP server in a process of its own. */
const program = {
  "host.json": text({
    version: "2.0",
    customHandler: {
      description: { defaultExecutablePath: "node", arguments: ["server.mjs"] },
      enableForwardingHttpRequest: true,
    },
    extensions: { http: { routePrefix: "" } },
  }),
  "all/function.json": text({
    bindings: [
      { type: "httpTrigger", direction: "in", name: "req", authLevel: "anonymous", route: "{*path}" },
      { type: "http", direction: "out", name: "res" },
    ],
  }),
  "server.mjs": text(`
    import http from "node:http";
    http
      .createServer((_request, response) => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ greeting: process.env.GREETING }));
      })
      .listen(process.env.FUNCTIONS_CUSTOMHANDLER_PORT, "127.0.0.1");
  `),
};
