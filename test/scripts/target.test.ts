import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { SandboxClient } from "../../sandbox/client/index.ts";
import { cloudClients } from "../../scripts/lib/clients.ts";
import { kilnPaths, makeHome } from "../../scripts/lib/paths.ts";
import { type CloudTarget, openTarget } from "../../scripts/lib/target.ts";

const home = mkdtempSync(path.join(tmpdir(), "kiln-target-"));
const paths = kilnPaths({ KILN_HOME: home });
const { signal } = new AbortController();
const sandbox = new SandboxClient(paths.sandbox);
let target: CloudTarget;

beforeAll(async () => {
  makeHome(paths);
  target = await openTarget("sandbox", paths, {}, signal);
});
afterAll(async () => {
  await sandbox.stop();
  rmSync(home, { recursive: true, force: true });
});

describe("the sandbox as a target", () => {
  it("is started, and is the cloud that it says it is", async () => {
    const status = await sandbox.status();
    expect(status.running).toBe(true);
    expect(target).toMatchObject({
      name: "sandbox",
      subscriptionId: status.subscriptionId,
      tenantId: status.tenantId,
      ownBackend: true,
      stateFolder: path.join(paths.sandbox, "state"),
    });
    const port = new URL(status.proxy ?? "").port;
    expect(target.clientOptions.proxyOptions).toEqual({ host: "http://127.0.0.1", port: Number(port) });
  });

  it("is all that the engine can reach, keeps its state there, and gets no provider from elsewhere", () => {
    const { engineEnv } = target;
    expect(engineEnv).toMatchObject({
      HTTPS_PROXY: target.sandbox?.proxy,
      ARM_SUBSCRIPTION_ID: target.subscriptionId,
      PULUMI_BACKEND_URL: `${pathToFileURL(path.join(paths.sandbox, "state")).href}?metadata=skip`,
      PULUMI_HOME: paths.pulumiHome,
      PULUMI_DEBUG_PROVIDERS: expect.stringMatching(/^azure-native:\d+,command:\d+(,\w+:\d+)*$/),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    });
  });

  it("signs in as the owner, and the clients that use it see the cloud", async () => {
    const clients = cloudClients(target);
    const { resourceGroups } = await clients.resources();
    await resourceGroups.createOrUpdate("rg-target", { location: "eastus" });
    expect(await resourceGroups.get("rg-target")).toMatchObject({ name: "rg-target", location: "eastus" });
    expect(await clients.resources()).toBe(await clients.resources());
    const models: string[] = [];
    for await (const { model } of (await clients.cognitive()).models.list("eastus"))
      models.push(model?.name ?? "");
    expect(models).toContain("gpt-5.1");
    const deleted: unknown[] = [];
    for await (const vault of (await clients.keyVault()).vaults.listDeleted()) deleted.push(vault);
    expect(deleted).toEqual([]);
  });

  it("signs in as whoever the shell was set up for", async () => {
    const { principals } = await sandbox.status();
    const reader = (principals as { name: string; clientId: string }[]).find(({ name }) => name === "reader");
    const as = await openTarget("sandbox", paths, { AZURE_CLIENT_ID: reader?.clientId }, signal);
    const { resourceGroups } = await cloudClients(as).resources();
    await expect(resourceGroups.createOrUpdate("rg-reader", { location: "eastus" })).rejects.toMatchObject({
      statusCode: 403,
      code: "AuthorizationFailed",
    });
    expect(as.engineEnv.ARM_CLIENT_ID ?? as.engineEnv.AZURE_CLIENT_ID).toBe(reader?.clientId);
  });

  it("tells its own time", async () => {
    const before = target.now().getTime();
    await sandbox.control("POST", "/clock", { advanceMs: 3_600_000 });
    const later = await openTarget("sandbox", paths, {}, signal);
    expect(later.now().getTime() - before).toBeGreaterThanOrEqual(3_600_000);
  });
});

describe("Azure as a target", () => {
  /** The shell that `kiln env` sets up, in which this process is signed in, and reaches the sandbox for Azure. */
  const signIn = (changes: Record<string, string | undefined> = {}) => {
    for (const [name, value] of Object.entries({ ...target.engineEnv, ...changes })) vi.stubEnv(name, value);
  };
  afterEach(() => void vi.unstubAllEnvs());

  it("is whoever is signed in, the chosen subscription and the user's own state backend", async () => {
    signIn();
    const azure = await openTarget("azure", paths, process.env, signal);
    const { subscriptionId, tenantId } = target;
    expect(azure).toMatchObject({
      name: "azure",
      subscriptionId,
      tenantId,
      ownBackend: false,
      clientOptions: {},
    });
    expect(azure.engineEnv).toEqual({
      ARM_SUBSCRIPTION_ID: subscriptionId,
      PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
      PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true",
      PULUMI_PARALLEL: "32",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    });
    expect(azure).not.toHaveProperty("secretsProvider");
    expect(azure.stateFolder).toBeUndefined();
    expect(Math.abs(azure.now().getTime() - Date.now())).toBeLessThan(60_000);
    expect((await azure.credential.getToken("https://management.azure.com/.default"))?.token).toMatch(/^ey/);
  });

  it("takes the subscription of the one variable or of the other, and tenant only where it is told", async () => {
    signIn();
    const of = (env: NodeJS.ProcessEnv) => openTarget("azure", paths, env, signal);
    expect(await of({ ARM_SUBSCRIPTION_ID: "two", PULUMI_PARALLEL: "4" })).toMatchObject({
      subscriptionId: "two",
      tenantId: undefined,
      engineEnv: { PULUMI_PARALLEL: "4" },
    });
    expect(await of({ AZURE_SUBSCRIPTION_ID: "one", ARM_SUBSCRIPTION_ID: "two" })).toMatchObject({
      subscriptionId: "one",
    });
    // What a pipeline is told, since its checkout has no file of the stack's.
    const told = { AZURE_SUBSCRIPTION_ID: "one", KILN_SECRETS_PROVIDER: "azurekeyvault://kv/keys/k" };
    expect((await of(told)).secretsProvider).toBe("azurekeyvault://kv/keys/k");
    await expect(of({ AZURE_SUBSCRIPTION_ID: "" })).rejects.toMatchObject({
      code: "NoSubscription",
      next: expect.stringContaining("AZURE_SUBSCRIPTION_ID"),
      exitCode: 1,
    });
  });

  it("is refused to whom no way of signing in knows, with what each said", async () => {
    signIn({ AZURE_TOKEN_CREDENTIALS: "EnvironmentCredential", AZURE_CLIENT_ID: undefined });
    await expect(openTarget("azure", paths, process.env, signal)).rejects.toMatchObject({
      code: "NotSignedIn",
      cause: expect.stringMatching(/^No way of signing in worked:\n.*EnvironmentCredential/),
      next: expect.stringContaining("az login"),
      exitCode: 1,
    });
  });

  it("is not waited for when it is interrupted, and that is no failure of signing in", async () => {
    signIn();
    const interrupted = AbortSignal.abort(new Error("interrupted"));
    await expect(openTarget("azure", paths, process.env, interrupted)).rejects.toThrow(/^interrupted$/);
  });
});
