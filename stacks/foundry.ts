/** The foundry: an Azure OpenAI account, its key in a vault, and a Function App that reads it by reference. */
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { all, type Input, type Output, output, type Resource, type Unwrap } from "@pulumi/pulumi";
import { AdoptedFunctionApp } from "../components/azure/adopted-function-app.ts";
import { AppIdentity } from "../components/azure/app-identity.ts";
import type { ModelAccess } from "../components/azure/app-settings.ts";
import { AppStorage } from "../components/azure/app-storage.ts";
import { BackendCode } from "../components/azure/backend-code.ts";
import { FunctionApp } from "../components/azure/function-app.ts";
import { grantSecretsOfficer, type PrincipalType } from "../components/azure/grants.ts";
import { KeyCustody } from "../components/azure/key-custody.ts";
import { KeyVault } from "../components/azure/key-vault.ts";
import { OpenAiAccount } from "../components/azure/openai-account.ts";
import { SettledReferences } from "../components/azure/settled-references.ts";
import { Telemetry } from "../components/azure/telemetry.ts";
import { API_KEY_SETTING } from "../components/shared/names.ts";
import type { KilnConfig } from "./config.ts";
import { type EnvironmentResources, resolveEnvironment } from "./resolve.ts";

/** Who runs the stack, as the provider knows it. */
export interface Deployer {
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Object id in the directory. */
  readonly objectId: string;
  /** The application the deployer signed in with. */
  readonly clientId: string;
}

/** The code of the backend, and a hash of it. */
export interface BackendSource {
  /** Folder relative to the project, with forward slashes. */
  readonly folder: string;
  readonly hash: string;
}

/** What the foundry tells whoever uses it. A type alias, so that it is a plain dictionary to the Automation API. */
export type FoundryOutputs = {
  readonly openaiEndpoint: string;
  readonly openaiAccountName: Output<string>;
  readonly deploymentName: string;
  /** Without a version: a new version is picked up by whoever follows it. */
  readonly keyVaultSecretUri: string;
  readonly functionAppName: Input<string>;
  readonly resourceGroupName: Output<string>;
  readonly location: string;
};

/** What other systems of the environment stand on. */
export interface Foundry {
  readonly outputs: FoundryOutputs;
  readonly place: Place;
  readonly tenantId: string;
  readonly vault: KeyVault;
  /** Keeps the model's key in the vault; done when it is there. */
  readonly custody: KeyCustody;
  /** With it the deployer writes secrets. */
  readonly grant: Resource;
}

/** Builds the foundry of one environment. */
export function foundry(config: KilnConfig, deployer: Deployer, backend: BackendSource): Foundry {
  const resolved = resolveEnvironment(config, deployer.subscriptionId);
  const group = new ResourceGroup("foundry", {
    resourceGroupName: resolved.names.resourceGroup,
    location: resolved.location,
    // Whoever looks for expired environments finds it where everything of one is.
    tags: { ...resolved.tags, ...(config.expiresOn === undefined ? {} : { expiresOn: config.expiresOn }) },
  });
  const place: Place = { resourceGroupName: group.name, location: resolved.location, tags: resolved.tags };
  const account = openAiAccount(config, resolved, place);
  const vault = keyVault(config, resolved, place, deployer, account);
  const grant = deployersGrant(config, deployer, vault);
  const custody = keyCustody(config, resolved, grant, account, vault);
  const site: Site = { resolved, place, account, vault, custody };
  const app = resolved.functionApp.mode === "adopt" ? adoptedApp(site) : createdApp(config, site, backend);
  const outputs: FoundryOutputs = {
    openaiEndpoint: account.endpoint,
    openaiAccountName: account.accountName,
    deploymentName: resolved.deploymentName,
    keyVaultSecretUri: custody.secretUri,
    functionAppName: onceMade(app.name, [...account.deployments, app.ready]),
    resourceGroupName: group.name,
    location: resolved.location,
  };
  return { outputs, place, tenantId: deployer.tenantId, vault, custody, grant };
}

interface Place {
  readonly resourceGroupName: Output<string>;
  readonly location: string;
  readonly tags: EnvironmentResources["tags"];
}

interface Site {
  readonly resolved: EnvironmentResources;
  readonly place: Place;
  readonly account: OpenAiAccount;
  readonly vault: KeyVault;
  readonly custody: KeyCustody;
}

function openAiAccount(config: KilnConfig, resolved: EnvironmentResources, place: Place): OpenAiAccount {
  const { name, version, sku, capacity } = config.foundry.model;
  return new OpenAiAccount("openai", {
    ...place,
    accountName: resolved.names.openaiAccount,
    customSubdomain: resolved.names.customSubdomain,
    deployments: [{ name: resolved.deploymentName, model: { name, version }, sku: { name: sku, capacity } }],
  });
}

function keyVault(
  config: KilnConfig,
  resolved: EnvironmentResources,
  place: Place,
  deployer: Deployer,
  account: OpenAiAccount,
): KeyVault {
  return new KeyVault("vault", {
    ...place,
    ...config.foundry.vault,
    vaultName: resolved.names.vault,
    tenantId: deployer.tenantId,
    createMode: config.vaultCreateMode,
    // A vault that nobody can purge holds its name, and with it the environment, in its region: it is only made once the
    // model has found room there.
    after: config.foundry.vault.purgeProtection ? account.deployments : [],
  });
}

function deployersGrant(config: KilnConfig, deployer: Deployer, vault: KeyVault): Resource {
  return grantSecretsOfficer("deployer-manages-secrets", {
    scope: vault.vaultId,
    to: {
      principalId: deployer.objectId,
      principalType: config.deployerType ?? deployerType(deployer.clientId),
    },
  });
}

function keyCustody(
  config: KilnConfig,
  resolved: EnvironmentResources,
  grant: Resource,
  account: OpenAiAccount,
  vault: KeyVault,
): KeyCustody {
  return new KeyCustody("custody", {
    subscriptionId: resolved.subscriptionId,
    account: {
      resourceGroup: resolved.names.resourceGroup,
      name: resolved.names.openaiAccount,
      createdAt: account.createdAt,
    },
    vault: { uri: vault.vaultUri, createdAt: vault.createdAt },
    secretName: resolved.names.secret,
    lifetimeDays: config.foundry.secretLifetimeDays,
    tags: resolved.tags,
    after: [account.account, grant],
  });
}

/** An app, and the last of what makes it ready. */
interface App {
  readonly name: Input<string>;
  readonly ready: Resource;
}

/**
 * A value that is only known once these are made. The stack's outputs wait for one another, so none is on record before the
 * environment is whole.
 */
export function onceMade<T>(value: Input<T>, made: readonly Resource[]): Output<Unwrap<T>> {
  return all([output(value), all(made.map(({ urn }) => urn))]).apply(([known]) => known) as Output<Unwrap<T>>;
}

/** The app that this stack makes, with everything it stands on. */
function createdApp(config: KilnConfig, site: Site, backend: BackendSource): App {
  const { resolved, place, vault, custody } = site;
  const telemetry = new Telemetry("telemetry", {
    ...place,
    workspaceName: resolved.names.logWorkspace,
    componentName: resolved.names.appInsights,
    retentionDays: config.foundry.logRetentionDays,
  });
  const storage = new AppStorage("storage", { ...place, accountName: resolved.names.storageAccount });
  const identity = new AppIdentity("identity", {
    ...place,
    identityName: resolved.names.identity,
    may: { readSecretsOf: vault.vaultId, ownBlobsOf: storage.accountId, reportTo: telemetry.componentId },
  });
  const { functionApp } = config.foundry;
  const app = new FunctionApp("app", {
    ...place,
    appName: resolved.names.functionApp,
    planName: resolved.names.plan,
    planSku: functionApp.mode === "create" ? functionApp.sku : "",
    identityId: identity.identityId,
    model: modelAccess(site),
    host: {
      clientId: identity.clientId,
      storageAccount: storage.accountName,
      telemetry: telemetry.connectionString,
    },
    settingsAfter: [custody.sync, ...identity.grants],
  });
  const settled = settledReferences(site, app.settings, app.instance);
  const { deployed } = new BackendCode("backend", {
    appName: resolved.names.functionApp,
    appInstance: app.instance,
    source: backend.folder,
    contentHash: backend.hash,
    after: [settled],
  });
  return { name: app.appName, ready: deployed };
}

/** Someone else's app, which becomes a client of the model. */
function adoptedApp(site: Site): App {
  const { resolved, vault, custody } = site;
  const app = new AdoptedFunctionApp("app", {
    subscriptionId: resolved.subscriptionId,
    appName: resolved.functionApp.name,
    resourceGroup: resolved.functionApp.resourceGroup,
    vaultId: vault.vaultId,
    model: modelAccess(site),
    settingsAfter: [custody.sync],
  });
  return { name: resolved.functionApp.name, ready: settledReferences(site, app.settings) };
}

function modelAccess({ resolved, account, custody }: Site): ModelAccess {
  return {
    endpoint: account.endpoint,
    deployment: resolved.deploymentName,
    keyReference: custody.reference,
  };
}

function settledReferences(site: Site, settings: Resource, appInstance?: Output<string>): Resource {
  const { resolved, account, vault, custody } = site;
  return new SettledReferences("references", {
    subscriptionId: resolved.subscriptionId,
    resourceGroup: resolved.functionApp.resourceGroup,
    appName: resolved.functionApp.name,
    settings: [API_KEY_SETTING],
    triggers: [
      custody.reference,
      account.createdAt,
      vault.createdAt,
      ...(appInstance === undefined ? [] : [appInstance]),
    ],
    after: [settings],
  }).settled;
}

/** Id of the Azure CLI as an application: a token that carries it belongs to a person who signed in with `az login`. */
const AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/** What a deployer is, told from the application it signed in with. `kiln:deployerType` overrides it. Pure. */
export function deployerType(clientId: string): PrincipalType {
  return clientId.toLowerCase() === AZURE_CLI ? "User" : "ServicePrincipal";
}
