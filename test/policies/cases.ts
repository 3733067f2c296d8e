/**
 * A passing and a failing case for every rule, in one place: the pure tests judge each by itself, and one program registers them
 * all with the real engine.
 */

import { type Case, type Cases, OPENAI_KEY, tags, within, wrong } from "./case.ts";
import { kubernetesCases } from "./kubernetes/index.ts";
import { kubernetesSecrets } from "./kubernetes/secrets.ts";

export type { Case, Cases } from "./case.ts";
export { OPENAI_KEY, tags } from "./case.ts";

export const SUBSCRIPTION = "11111111-2222-4333-8444-555555555555";
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-kiln-prod`;
const IDENTITY = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-kiln-prod`;
const VAULT = `${GROUP}/providers/Microsoft.KeyVault/vaults/kv-kiln-prod-1a2b`;
const REFERENCE =
  "@Microsoft.KeyVault(SecretUri=https://kv-kiln-prod-1a2b.vault.azure.net/secrets/AZURE-OPENAI-API-KEY--prod)";
const PINNED = REFERENCE.replace(/\)$/, "/0123456789abcdef0123456789abcdef)");
const role = (id: string) =>
  `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${id}`;
const SECRETS_USER = role("4633458b-17de-408a-b874-0445c86b69e6");

const vault = (properties: object = {}, more: object = {}): Case => ({
  type: "azure-native:keyvault:Vault",
  props: {
    resourceGroupName: "rg-kiln-prod",
    tags: tags(),
    properties: {
      tenantId: SUBSCRIPTION,
      sku: { family: "A", name: "standard" },
      enableRbacAuthorization: true,
      enableSoftDelete: true,
      softDeleteRetentionInDays: 30,
      enablePurgeProtection: true,
      publicNetworkAccess: "disabled",
      ...properties,
    },
    ...more,
  },
});

const webApp = (props: object = {}, siteConfig: object = {}): Case => ({
  type: "azure-native:web:WebApp",
  props: {
    resourceGroupName: "rg-kiln-prod",
    tags: tags(),
    kind: "functionapp,linux",
    httpsOnly: true,
    publicNetworkAccess: "Disabled",
    identity: { type: "UserAssigned", userAssignedIdentities: [IDENTITY] },
    keyVaultReferenceIdentity: IDENTITY,
    siteConfig: { minTlsVersion: "1.2", ftpsState: "Disabled", remoteDebuggingEnabled: false, ...siteConfig },
    ...props,
  },
});

const storage = (props: object = {}): Case => ({
  type: "azure-native:storage:StorageAccount",
  props: {
    resourceGroupName: "rg-kiln-prod",
    tags: tags(),
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
    minimumTlsVersion: "TLS1_2",
    allowSharedKeyAccess: false,
    allowBlobPublicAccess: false,
    publicNetworkAccess: "Disabled",
    ...props,
  },
});

const account = (props: object = {}, properties: object = {}): Case => ({
  type: "azure-native:cognitiveservices:Account",
  props: {
    resourceGroupName: "rg-kiln-prod",
    tags: tags(),
    kind: "OpenAI",
    sku: { name: "S0" },
    identity: { type: "SystemAssigned" },
    properties: { publicNetworkAccess: "Disabled", disableLocalAuth: true, ...properties },
    ...props,
  },
});

const grant = (props: object = {}): Case => ({
  type: "azure-native:authorization:RoleAssignment",
  props: {
    principalId: SUBSCRIPTION,
    principalType: "ServicePrincipal",
    roleDefinitionId: SECRETS_USER,
    scope: VAULT,
    ...props,
  },
});

const settings = (properties: Record<string, unknown>): Case => ({
  type: "azure-native:web:WebAppApplicationSettings",
  props: { resourceGroupName: "rg-kiln-prod", name: "func-kiln-prod-1a2b3c", properties },
});

const command = (props: Record<string, unknown>): Case => ({ type: "command:local:Command", props });

export const cases: Readonly<Record<string, Cases>> = {
  "required-tags": {
    pass: {
      "tags-all": { type: "azure-native:resources:ResourceGroup", props: { tags: tags() } },
      "tags-none-to-have": grant(),
    },
    fail: {
      "tags-none": wrong({ type: "azure-native:resources:ResourceGroup", props: {} }, "tags.owner"),
      "tags-blank": wrong(
        {
          type: "azure-native:managedidentity:UserAssignedIdentity",
          props: { tags: { ...tags(), owner: " " } },
        },
        "tags.owner",
      ),
      "tags-of-dev": wrong(
        { type: "azure-native:cognitiveservices:Deployment", props: { accountName: "a", tags: tags("dev") } },
        "tags.env",
      ),
      "tags-new-type": wrong({ type: "azure-native:quantum:Workspace", props: {} }, "tags.service"),
      "tags-version": wrong(
        { type: "azure-native:keyvault/v20230701:Vault", props: { ...vault().props, tags: {} } },
        "tags.repo",
      ),
    },
  },
  "no-raw-secrets": {
    pass: {
      "settings-by-reference": settings({
        AZURE_OPENAI_API_KEY: REFERENCE,
        AZURE_OPENAI_ENDPOINT: "https://oai-kiln-prod-1a2b3c.openai.azure.com/",
        AzureWebJobsStorage__credential: "managedidentity",
        AzureWebJobsStorage__accountName: "stkilnprod1a2b3c4d",
        APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${SUBSCRIPTION};IngestionEndpoint=https://x.in.applicationinsights.azure.com/`,
      }),
      "command-by-name": command({
        create:
          "node scripts/steps/key-sync.ts --vault kv-kiln-prod-1a2b --secret AZURE-OPENAI-API-KEY--prod",
        environment: {
          KILN_SECRET_NAME: "AZURE-OPENAI-API-KEY--prod",
          AZURE_FEDERATED_TOKEN_FILE: "/run/token",
        },
        triggers: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
      }),
      ...kubernetesSecrets.pass,
    },
    fail: {
      "vault-secret": wrong(
        {
          type: "azure-native:keyvault:Secret",
          props: {
            tags: tags(),
            vaultName: "kv",
            resourceGroupName: "rg",
            properties: { value: "x", contentType: "text/plain", attributes: { expires: 1_900_000_000 } },
          },
        },
        "properties.value",
      ),
      "settings-raw": wrong(
        settings({ AZURE_OPENAI_API_KEY: "not-a-reference" }),
        "properties.AZURE_OPENAI_API_KEY",
      ),
      "command-script": wrong(command({ create: `set -e\necho ${OPENAI_KEY} > key` }), "create"),
      "command-environment": wrong(
        command({ create: "true", environment: { GREETING: OPENAI_KEY } }),
        "environment.GREETING",
      ),
      ...kubernetesSecrets.fail,
    },
  },
  "key-vault-rbac": {
    pass: { "vault-rbac": vault() },
    fail: {
      "vault-policies": wrong(
        vault({ enableRbacAuthorization: false }),
        "properties.enableRbacAuthorization",
      ),
      "vault-policy": wrong({ type: "azure-native:keyvault:AccessPolicy", props: {} }, "policy"),
    },
  },
  "key-vault-soft-delete": {
    pass: { "vault-soft-delete": vault(), "vault-default": vault({ enableSoftDelete: undefined }) },
    fail: {
      "vault-hard-delete": wrong(vault({ enableSoftDelete: false }), "properties.enableSoftDelete"),
      "vault-one-day": wrong(vault({ softDeleteRetentionInDays: 1 }), "properties.softDeleteRetentionInDays"),
    },
  },
  "key-vault-purge-protection": {
    pass: {
      "vault-protected": vault(),
      "vault-of-pr": within("pr-12", vault({ enablePurgeProtection: undefined })),
      "vault-of-dev": within("dev", vault({ enablePurgeProtection: undefined })),
    },
    fail: {
      "vault-unprotected": wrong(
        vault({ enablePurgeProtection: undefined }),
        "properties.enablePurgeProtection",
      ),
      "vault-of-pr-protected": within("pr-12", wrong(vault(), "properties.enablePurgeProtection")),
    },
  },
  "reference-without-version": {
    pass: {
      "reference-latest": settings({
        AZURE_OPENAI_API_KEY: REFERENCE,
        OTHER: "@Microsoft.KeyVault(VaultName=kv;SecretName=n)",
      }),
    },
    fail: {
      "reference-pinned": wrong(
        settings({ AZURE_OPENAI_API_KEY: PINNED }),
        "properties.AZURE_OPENAI_API_KEY",
      ),
      "reference-broken": wrong(
        settings({ GREETING: "@Microsoft.KeyVault(SecretUri=kv)" }),
        "properties.GREETING",
      ),
      "reference-url-pinned": wrong(
        settings({ GREETING: "https://kv.vault.azure.net/secrets/n/0123456789abcdef0123456789abcdef" }),
        "properties.GREETING",
      ),
    },
  },
  "secret-metadata": {
    pass: {
      "secret-described": {
        type: "azure-native:keyvault:Secret",
        props: {
          tags: tags(),
          vaultName: "kv",
          resourceGroupName: "rg",
          properties: { contentType: "text/plain", attributes: { expires: 1_900_000_000 } },
        },
      },
    },
    fail: {
      "secret-forever": wrong(
        { type: "azure-native:keyvault:Secret", props: { tags: tags(), vaultName: "kv", properties: {} } },
        "properties.attributes.expires",
      ),
    },
  },
  "https-only": {
    pass: { "web-https": webApp(), "storage-https": storage() },
    fail: {
      "web-http": wrong(webApp({ httpsOnly: false }), "httpsOnly"),
      "storage-http": wrong(storage({ enableHttpsTrafficOnly: false }), "enableHttpsTrafficOnly"),
    },
  },
  "min-tls-12": {
    pass: { "web-tls": webApp({}, { minTlsVersion: "1.3" }), "storage-tls": storage() },
    fail: {
      "web-tls-10": wrong(webApp({}, { minTlsVersion: "1.0" }), "siteConfig.minTlsVersion"),
      "web-tls-unsaid": wrong(webApp({}, { minTlsVersion: undefined }), "siteConfig.minTlsVersion"),
      "storage-tls-11": wrong(storage({ minimumTlsVersion: "TLS1_1" }), "minimumTlsVersion"),
    },
  },
  "managed-identity": {
    pass: { "web-identity": webApp(), "account-identity": account() },
    fail: {
      "web-no-identity": wrong(webApp({ identity: undefined }), "identity.type"),
      "account-no-identity": wrong(account({ identity: { type: "None" } }), "identity.type"),
      "web-unnamed": wrong(
        webApp({ identity: { type: "UserAssigned", userAssignedIdentities: [] } }),
        "identity.userAssignedIdentities",
      ),
    },
  },
  "ftp-off": {
    pass: {
      "web-ftp-off": webApp(),
      "web-ftp-disallowed": { type: "azure-native:web:WebAppFtpAllowed", props: { allow: false } },
    },
    fail: {
      "web-ftp": wrong(webApp({}, { ftpsState: "FtpsOnly" }), "siteConfig.ftpsState"),
      "web-ftp-allowed": wrong(
        { type: "azure-native:web:WebAppFtpAllowed", props: { allow: true } },
        "allow",
      ),
    },
  },
  "remote-debugging-off": {
    pass: {
      "web-debug-off": webApp(),
      "web-debug-default": webApp({}, { remoteDebuggingEnabled: undefined }),
    },
    fail: {
      "web-debug": wrong(webApp({}, { remoteDebuggingEnabled: true }), "siteConfig.remoteDebuggingEnabled"),
    },
  },
  // The names of exempted resources are those of the foundry's own.
  "public-access": {
    pass: {
      "vault-private": vault(),
      "storage-private": storage(),
      vault: vault({ publicNetworkAccess: "Enabled" }),
      storage: storage({ publicNetworkAccess: "Enabled" }),
      app: webApp({ publicNetworkAccess: "Enabled" }),
    },
    fail: {
      "vault-public": wrong(vault({ publicNetworkAccess: "Enabled" }), "properties.publicNetworkAccess"),
      "account-public": wrong(
        account({}, { publicNetworkAccess: "Enabled" }),
        "properties.publicNetworkAccess",
      ),
      "sql-public": wrong(
        {
          type: "azure-native:sql:Server",
          props: { tags: tags(), minimalTlsVersion: "1.2", publicNetworkAccess: "Enabled" },
        },
        "publicNetworkAccess",
      ),
      "storage-anonymous": wrong(storage({ allowBlobPublicAccess: true }), "allowBlobPublicAccess"),
    },
  },
  "local-auth": {
    pass: {
      "storage-identities": storage(),
      openai: account({}, { disableLocalAuth: false, publicNetworkAccess: "Enabled" }),
      "insights-identities": {
        type: "azure-native:applicationinsights:Component",
        props: { tags: tags(), kind: "web", applicationType: "web", disableLocalAuth: true },
      },
    },
    fail: {
      "account-keys": wrong(account({}, { disableLocalAuth: false }), "properties.disableLocalAuth"),
      "storage-keys": wrong(storage({ allowSharedKeyAccess: true }), "allowSharedKeyAccess"),
      "insights-keys": wrong(
        { type: "azure-native:applicationinsights:Component", props: { tags: tags(), kind: "web" } },
        "disableLocalAuth",
      ),
    },
  },
  "rbac-no-owner": {
    pass: {
      "grant-narrow": grant(),
      "role-narrow": {
        type: "azure-native:authorization:RoleDefinition",
        props: { permissions: [{ actions: ["Microsoft.KeyVault/*/read"] }] },
      },
      "role-contributor": {
        type: "azure-native:authorization:RoleDefinition",
        props: { permissions: [{ actions: ["*"], notActions: ["Microsoft.Authorization/*"] }] },
      },
    },
    fail: {
      "grant-owner": wrong(
        grant({ roleDefinitionId: role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635") }),
        "roleDefinitionId",
      ),
      "role-owner": wrong(
        { type: "azure-native:authorization:RoleDefinition", props: { permissions: [{ actions: ["*"] }] } },
        "permissions[0].actions",
      ),
    },
  },
  "rbac-principal-type": {
    pass: { "grant-typed": grant() },
    fail: { "grant-untyped": wrong(grant({ principalType: undefined }), "principalType") },
  },
  "rbac-scope": {
    pass: { "grant-resource": grant() },
    fail: {
      "grant-group": wrong(grant({ scope: GROUP }), "scope"),
      "grant-subscription": wrong(grant({ scope: `/subscriptions/${SUBSCRIPTION}` }), "scope"),
    },
  },
  ...kubernetesCases,
};
