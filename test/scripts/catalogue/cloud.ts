import { randomUUID } from "node:crypto";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { CognitiveServicesManagementClient } from "@azure/arm-cognitiveservices";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { ResourceManagementClient } from "@azure/arm-resources";
import type { TokenCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import type { KnownPrincipal } from "../../../sandbox/core/principals.ts";
import { roleDefinitions } from "../../../sandbox/core/rbac.ts";
import type { SettingsPatch } from "../../../sandbox/core/settings.ts";
import { azureAppReferences } from "../../../scripts/lib/keys/azure-app.ts";
import { settleReferences } from "../../../scripts/lib/keys/references.ts";
import { type TestSandbox, testSandbox } from "../../harness/sandbox.ts";
import { ProviderClient } from "../../sandbox/providers-client.ts";
import { patience } from "../keys/fakes.ts";

/** What a model's deployment is made of; each part can be made wrong. */
export interface Deploy {
  readonly name?: string;
  readonly version?: string;
  readonly sku?: string;
  readonly capacity?: number;
}

/** A sandbox behind its front door, with the official clients and providers, to make it fail in every way it can. */
export class FailingCloud {
  readonly sandbox: TestSandbox;
  #count = 0;

  private constructor(sandbox: TestSandbox) {
    this.sandbox = sandbox;
  }

  static async open(): Promise<FailingCloud> {
    const cloud = new FailingCloud(await testSandbox({ profile: "instant", throttling: false }));
    await cloud.resources().resourceGroups.createOrUpdate("rg", { location: "eastus" });
    return cloud;
  }

  close(): Promise<void> {
    return this.sandbox.close();
  }

  get subscriptionId(): string {
    return this.sandbox.sandbox.cloud.subscriptionId;
  }

  /** A name that nothing has yet. */
  fresh(kind: string): string {
    return `${kind}${++this.#count}`;
  }

  /** Has timings or the entitlement so while something is done, and back again afterwards. */
  async during<T>(
    settings: Pick<SettingsPatch, "timings" | "openAiEntitled">,
    work: () => Promise<T>,
  ): Promise<T> {
    const { cloud } = this.sandbox.sandbox;
    const { openAiEntitled } = cloud.settings();
    cloud.changeSettings(settings);
    try {
      return await work();
    } finally {
      cloud.changeSettings({ profile: "instant", openAiEntitled });
    }
  }

  /** Has the next request for a group of this kind refused, in words that Azure uses. */
  async refused(status: number, code: string, message: string): Promise<unknown> {
    const { cloud } = this.sandbox.sandbox;
    const rule = { effect: "refuse" as const, method: "PUT", status, code, message, path: "/refused" };
    cloud.faults.add({
      ...rule,
      after: 0,
      times: 1,
      probability: 1,
      seed: 1,
      retryAfterSeconds: 1,
      delayMs: 1,
    });
    try {
      return await this.resources().resourceGroups.createOrUpdate("refused", { location: "eastus" });
    } finally {
      cloud.faults.remove();
    }
  }

  options(principal: KnownPrincipal = "owner") {
    const { credential, options } = this.sandbox.client(principal);
    return { credential, options: { ...options, retryOptions: { maxRetries: 0 } } };
  }

  resources(principal?: KnownPrincipal): ResourceManagementClient {
    const { credential, options } = this.options(principal);
    return new ResourceManagementClient(credential, this.subscriptionId, options);
  }

  /** A client whose sign-in is this token, whatever it is worth. */
  resourcesWith(token: string, subscriptionId = this.subscriptionId): ResourceManagementClient {
    const credential: TokenCredential = {
      getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    return new ResourceManagementClient(credential, subscriptionId, this.options().options);
  }

  async token(more: object = {}): Promise<string> {
    const { body } = await this.sandbox.control("POST", "/token", more);
    return (body as { accessToken: string }).accessToken;
  }

  cognitive(): CognitiveServicesManagementClient {
    const { credential, options } = this.options();
    return new CognitiveServicesManagementClient(credential, this.subscriptionId, options);
  }

  /** Makes an account, and gives its name. */
  async account(more: { name?: string; properties?: object; location?: string } = {}): Promise<string> {
    const name = more.name ?? this.fresh("account");
    await this.cognitive().accounts.beginCreateAndWait("rg", name, {
      location: more.location ?? "eastus",
      kind: "OpenAI",
      sku: { name: "S0" },
      properties: more.properties ?? {},
    });
    return name;
  }

  deploy(account: string, what: Deploy = {}, name = "model"): Promise<unknown> {
    const { name: model = "gpt-5.1", version = "2025-11-13", sku = "GlobalStandard", capacity = 1 } = what;
    return this.cognitive().deployments.beginCreateOrUpdateAndWait("rg", account, name, {
      sku: { name: sku, capacity },
      properties: { model: { format: "OpenAI", name: model, version } },
    });
  }

  vaults(): KeyVaultManagementClient {
    const { credential, options } = this.options();
    return new KeyVaultManagementClient(credential, this.subscriptionId, options);
  }

  async vault(more: { name?: string; group?: string; properties?: object } = {}): Promise<string> {
    const name = more.name ?? this.fresh("vault");
    await this.vaults().vaults.beginCreateOrUpdateAndWait(more.group ?? "rg", name, {
      location: "eastus",
      properties: {
        tenantId: this.sandbox.sandbox.cloud.tenantId,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
        softDeleteRetentionInDays: 7,
        ...more.properties,
      },
    });
    return name;
  }

  /** The secrets of a new vault that the owner may manage. */
  async secrets(): Promise<{ vault: string; secrets: SecretClient }> {
    const vault = await this.vault();
    await this.grant("owner", "Key Vault Secrets Officer", this.vaultId(vault));
    return { vault, secrets: this.secretsOf(vault) };
  }

  secretsOf(vault: string, principal?: KnownPrincipal): SecretClient {
    const { credential, options } = this.options(principal);
    return new SecretClient(`https://${vault}.vault.azure.net`, credential, options);
  }

  vaultId(vault: string): string {
    return `/subscriptions/${this.subscriptionId}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/${vault}`;
  }

  objectIdOf(principal: KnownPrincipal): string {
    return this.sandbox.sandbox.cloud.principals.byName(principal)?.objectId ?? "";
  }

  /** Gives a role to whom an object id names, under an id of its own or a given one. */
  grant(
    to: KnownPrincipal | { objectId: string },
    role: string,
    scope = `/subscriptions/${this.subscriptionId}/resourceGroups/rg`,
    id: string = randomUUID(),
  ): Promise<unknown> {
    const { credential, options } = this.options();
    const definition = roleDefinitions.find(({ name }) => name === role)?.id;
    return new AuthorizationManagementClient(credential, this.subscriptionId, options).roleAssignments.create(
      scope,
      id,
      {
        roleDefinitionId: `/subscriptions/${this.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${definition}`,
        principalId: typeof to === "object" ? to.objectId : this.objectIdOf(to),
      },
    );
  }

  /** Anything by its id. */
  put(id: string, version: string, body: object, principal?: KnownPrincipal): Promise<unknown> {
    const at = `/subscriptions/${this.subscriptionId}/resourceGroups/rg/providers/${id}`;
    return this.resources(principal).resources.beginCreateOrUpdateByIdAndWait(at, version, body);
  }

  /** Waits for the reference of a new app, with no patience; an app without an identity when asked for one. */
  async settle(value: string, identity: object = { type: "SystemAssigned" }): Promise<unknown> {
    const app = this.fresh("app-of-the-catalogue-");
    const site = `Microsoft.Web/sites/${app}`;
    const plan = `Microsoft.Web/serverfarms/${app}`;
    await this.put(plan, "2025-05-01", {
      location: "eastus",
      kind: "linux",
      sku: { name: "B1" },
      properties: { reserved: true },
    });
    const serverFarmId = `/subscriptions/${this.subscriptionId}/resourceGroups/rg/providers/${plan}`;
    const siteConfig = { linuxFxVersion: "NODE|24", appSettings: [{ name: "KEY", value }] };
    await this.put(site, "2025-05-01", {
      location: "eastus",
      kind: "app,linux",
      identity,
      properties: { serverFarmId, reserved: true, siteConfig },
    });
    const { credential, options } = this.options();
    const address = { subscriptionId: this.subscriptionId, resourceGroup: "rg", app };
    const references = await azureAppReferences(credential, address, options);
    return settleReferences(references, ["KEY"], { ...patience(), budgetMs: 0 });
  }

  /** The provider that the engine attaches to. */
  async provider<T>(work: (provider: ProviderClient) => Promise<T>): Promise<T> {
    const clientId = this.sandbox.sandbox.cloud.principals.byName("owner")?.clientId;
    const projectDir = this.sandbox.dataDir;
    const { body } = await this.sandbox.control("POST", "/providers", { clientId, projectDir });
    const provider = new ProviderClient((body as { azureNative: number }).azureNative, "azure-native");
    try {
      await provider.configure();
      return await work(provider);
    } finally {
      provider.close();
    }
  }
}
