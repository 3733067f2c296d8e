import type { ApiKVReference, WebSiteManagementClient } from "@azure/arm-appservice";
import { createDefaultHttpClient, createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import type { ClientOptions } from "./azure-account-keys.ts";
import { cloudAnswer } from "./cloud-answer.ts";
import type { AppSettings, ConsumingApp, SettingReference } from "./ports.ts";

/** Where an app is. */
export interface AppAddress {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly app: string;
}

/** Version of the operation that looks references up again. The SDK has no method for it. */
const REFRESH_VERSION = "2022-03-01";

/** The Key Vault references of a Function App, by the official SDK. */
export async function azureAppReferences(
  credential: TokenCredential,
  address: AppAddress,
  options: ClientOptions = {},
): Promise<ConsumingApp> {
  const client = await webClient(credential, address, options);
  const { resourceGroup, app } = address;
  return {
    async status(setting) {
      const found = await absent(client.webApps.getAppSettingKeyVaultReference(resourceGroup, app, setting));
      return found === undefined ? undefined : statusOf(setting, found);
    },

    async list() {
      const all: SettingReference[] = [];
      for await (const found of client.webApps.listAppSettingsKeyVaultReferences(resourceGroup, app)) {
        all.push(statusOf(found.name ?? "", found));
      }
      return all;
    },

    async restart() {
      await client.webApps.restart(resourceGroup, app, { synchronous: true });
    },

    async refresh() {
      const site =
        `/subscriptions/${encodeURIComponent(address.subscriptionId)}/resourceGroups/${encodeURIComponent(resourceGroup)}` +
        `/providers/Microsoft.Web/sites/${encodeURIComponent(app)}`;
      const url = `https://management.azure.com${site}/config/configreferences/appsettings/refresh?api-version=${REFRESH_VERSION}`;
      const request = createPipelineRequest({ url, method: "POST" });
      const response = await client.pipeline.sendRequest(
        options.httpClient ?? createDefaultHttpClient(),
        request,
      );
      if (response.status >= 200 && response.status < 300) return;
      const error = new RestError("The app did not refresh its references.", {
        statusCode: response.status,
        request,
        response,
      });
      error.details = parsed(response.bodyAsText);
      throw error;
    },
  };
}

/** The settings of a Function App, by the official SDK. */
export async function azureAppSettings(
  credential: TokenCredential,
  address: AppAddress,
  options: ClientOptions = {},
): Promise<AppSettings> {
  const client = await webClient(credential, address, options);
  const { resourceGroup, app } = address;
  return {
    async hasIdentity() {
      const site = await absent(client.webApps.get(resourceGroup, app));
      if (site === undefined) return undefined;
      const type = site.identity?.type;
      return type !== undefined && type !== "None";
    },
    async read() {
      return (await client.webApps.listApplicationSettings(resourceGroup, app)).properties ?? {};
    },
    async replace(settings) {
      await client.webApps.updateApplicationSettings(resourceGroup, app, { properties: { ...settings } });
    },
  };
}

function statusOf(setting: string, found: ApiKVReference): SettingReference {
  const { vaultName, secretName, status = "Initialized", details, activeVersion } = found;
  return { setting, vault: vaultName, secret: secretName, status, details, activeVersion };
}

async function webClient(
  credential: TokenCredential,
  address: AppAddress,
  options: ClientOptions,
): Promise<WebSiteManagementClient> {
  const { WebSiteManagementClient } = await import("@azure/arm-appservice");
  return new WebSiteManagementClient(credential, address.subscriptionId, options);
}

/** What a look-up gives, or undefined where the cloud has nothing of that name. */
async function absent<T>(lookup: Promise<T>): Promise<T | undefined> {
  try {
    return await lookup;
  } catch (error) {
    if (cloudAnswer(error)?.status === 404) return undefined;
    throw error;
  }
}

function parsed(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
