import { type Input, type Output, output } from "@pulumi/pulumi";
import { API_KEY_SETTING } from "../shared/names.ts";

/** Version of Azure OpenAI's data plane that the backend speaks. */
export const OPENAI_API_VERSION = "2024-10-21";

/** What the backend must know to call its model. */
export interface ModelAccess {
  /** `https://<subdomain>.openai.azure.com/` */
  readonly endpoint: string;
  /** Name of the model's deployment. */
  readonly deployment: string;
  /** Key Vault reference to the key: the key itself is never a setting. */
  readonly keyReference: string;
}

/** The settings that make any app a client of the model; all that an adopted app gets. Pure. */
export function modelSettings(access: ModelAccess): Record<string, string> {
  return {
    AZURE_OPENAI_ENDPOINT: access.endpoint,
    AZURE_OPENAI_DEPLOYMENT: access.deployment,
    AZURE_OPENAI_API_VERSION: OPENAI_API_VERSION,
    [API_KEY_SETTING]: access.keyReference,
  };
}

/** What the Functions host itself needs. */
export interface HostAccess {
  /** Client id of the app's identity. */
  readonly clientId: Input<string>;
  /** Name of the storage account the host keeps its state in. */
  readonly storageAccount: Input<string>;
  /** Address that telemetry goes to. */
  readonly telemetry: Input<string>;
}

/** The host's settings: storage and telemetry by identity, so that none of them is a secret. */
export function hostSettings(host: HostAccess): Record<string, Input<string>> {
  const clientId: Output<string> = output(host.clientId);
  return {
    FUNCTIONS_EXTENSION_VERSION: "~4",
    // The backend is a custom handler: a program of its own that the host forwards requests to.
    FUNCTIONS_WORKER_RUNTIME: "custom",
    WEBSITE_RUN_FROM_PACKAGE: "1",
    AzureWebJobsStorage__accountName: host.storageAccount,
    AzureWebJobsStorage__credential: "managedidentity",
    AzureWebJobsStorage__clientId: clientId,
    APPLICATIONINSIGHTS_CONNECTION_STRING: host.telemetry,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: clientId.apply((id) => `Authorization=AAD;ClientId=${id}`),
  };
}
