import { readFileSync } from "node:fs";
import tls from "node:tls";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ResourceManagementClient } from "@azure/arm-resources";
import { WorkloadIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type TestKubernetes, testKubernetes } from "../../harness/kubernetes.ts";

/** External Secrets in the cluster reads the sandbox's vault by a service account's own identity. */
let cluster: TestKubernetes;
let vault: SecretClient;
let identity: { clientId: string; principalId: string };
let grant: () => Promise<unknown>;

const namespace = "models";
const vaultUrl = "https://kv-team.vault.azure.net";
const secretsUser = "4633458b-17de-408a-b874-0445c86b69e6";
const secretsOfficer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";

beforeAll(async () => {
  cluster = await testKubernetes();
  const { daemon } = cluster;
  const { subscriptionId, tenantId } = daemon;
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(daemon.caFile, "utf8")]);
  const proxy = new URL(daemon.proxy);
  const options = { proxyOptions: { host: `http://${proxy.hostname}`, port: Number(proxy.port) } };
  const credential = new WorkloadIdentityCredential({
    ...options,
    tenantId,
    clientId: daemon.clientId(),
    tokenFilePath: daemon.environment().AZURE_FEDERATED_TOKEN_FILE ?? "",
  });
  const principalId = String(decodeJwt(await daemon.token()).oid);
  const location = "eastus";
  await new ResourceManagementClient(credential, subscriptionId, options).resourceGroups.createOrUpdate(
    "rg",
    {
      location,
    },
  );
  const vaults = new KeyVaultManagementClient(credential, subscriptionId, options).vaults;
  const made = await vaults.createOrUpdate("rg", "kv-team", {
    location,
    properties: { tenantId, sku: { family: "A", name: "standard" }, enableRbacAuthorization: true },
  });
  const msi = new ManagedServiceIdentityClient(credential, subscriptionId, options);
  const created = await msi.userAssignedIdentities.createOrUpdate("rg", "reader", { location });
  identity = { clientId: created.clientId ?? "", principalId: created.principalId ?? "" };
  await msi.federatedIdentityCredentials.createOrUpdate("rg", "reader", "cluster", {
    issuer: "https://kubernetes.kiln.sandbox",
    subject: `system:serviceaccount:${namespace}:vault-reader`,
    audiences: ["api://AzureADTokenExchange"],
  });
  const roles = new AuthorizationManagementClient(credential, subscriptionId, options).roleAssignments;
  const assign = (id: string, role: string, who: string, principalType: string) =>
    roles.create(made.id ?? "", id, {
      roleDefinitionId: `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      principalId: who,
      principalType,
    });
  await assign("00000000-0000-4000-8000-000000000001", secretsOfficer, principalId, "ServicePrincipal");
  grant = () =>
    assign("00000000-0000-4000-8000-000000000002", secretsUser, identity.principalId, "ServicePrincipal");
  vault = new SecretClient(vaultUrl, credential, options);
  await vault.setSecret("s3-key", "first-value");
  await vault.setSecret("as-json", JSON.stringify({ user: "u", password: "from-json" }));

  await kubectl("create", "namespace", namespace);
  await apply(
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: {
        name: "vault-reader",
        namespace,
        annotations: { "azure.workload.identity/client-id": identity.clientId },
      },
    },
    {
      apiVersion: "external-secrets.io/v1",
      kind: "SecretStore",
      metadata: { name: "vault", namespace },
      spec: {
        provider: {
          azurekv: {
            authType: "WorkloadIdentity",
            tenantId,
            vaultUrl,
            serviceAccountRef: { name: "vault-reader" },
          },
        },
      },
    },
    external("connection", {
      target: {
        template: {
          type: "Opaque",
          mergePolicy: "Merge",
          metadata: { labels: { "opendatahub.io/managed": "true" } },
          data: { AWS_S3_BUCKET: "models", line: "key={{ .AWS_SECRET_ACCESS_KEY }}" },
        },
      },
      data: [{ secretKey: "AWS_SECRET_ACCESS_KEY", remoteRef: { key: "s3-key" } }],
    }),
  );
});
afterAll(() => cluster?.dispose());

function external(name: string, spec: object) {
  return {
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name, namespace },
    spec: { refreshInterval: "1h", secretStoreRef: { name: "vault" }, ...spec },
  };
}

async function kubectl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args);
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

async function apply(...objects: object[]): Promise<void> {
  const { exitCode, stderr } = await cluster.kubectl(["apply", "-f", "-"], {
    input: objects.map((each) => stringify(each)).join("---\n"),
  });
  if (exitCode !== 0) throw new Error(stderr);
}

async function until(object: string, condition: string): Promise<void> {
  try {
    await kubectl("wait", object, "-n", namespace, `--for=${condition}`, "--timeout=120s");
  } catch (error) {
    const { stdout } = await cluster.kubectl(["get", "events,externalsecrets,secretstores", "-n", namespace]);
    throw new Error(`${error}\n${stdout}`);
  }
}

async function valuesOf(secret: string): Promise<Record<string, string>> {
  const { data } = JSON.parse(await kubectl("get", "secret", secret, "-n", namespace, "-o", "json"));
  return Object.fromEntries(
    Object.entries(data as Record<string, string>).map(([key, value]) => [
      key,
      Buffer.from(value, "base64").toString(),
    ]),
  );
}

test("a vault that refuses leaves the secret unsynchronized, until the grant is there", async () => {
  await until("secretstore/vault", "condition=Ready");
  await until("externalsecret/connection", "condition=Ready=false");
  const { status } = JSON.parse(
    await kubectl("get", "externalsecret/connection", "-n", namespace, "-o", "json"),
  );
  expect(status.conditions[0]).toMatchObject({
    reason: "SecretSyncedError",
    message: "could not get secret data from provider",
  });
  const events = await kubectl("get", "events", "-n", namespace);
  expect(events).toMatch(/UpdateFailed.*cannot read 's3-key' of https:\/\/kv-team.*403/);
  await grant();
  await until("externalsecret/connection", "condition=Ready");
  expect(await valuesOf("connection")).toEqual({
    AWS_SECRET_ACCESS_KEY: "first-value",
    AWS_S3_BUCKET: "models",
    line: "key=first-value",
  });
});

test("a value that somebody changed in the Secret is put back; a new one comes when it is asked for", async () => {
  await kubectl(
    "patch",
    "secret/connection",
    "-n",
    namespace,
    "-p",
    '{"stringData":{"AWS_S3_BUCKET":"other"}}',
  );
  await until(
    "secret/connection",
    `jsonpath={.data.AWS_S3_BUCKET}=${Buffer.from("models").toString("base64")}`,
  );
  await vault.setSecret("s3-key", "second-value");
  await kubectl("annotate", "externalsecret/connection", "-n", namespace, "force-sync=1");
  const second = Buffer.from("second-value").toString("base64");
  await until("secret/connection", `jsonpath={.data.AWS_SECRET_ACCESS_KEY}=${second}`);
});

test("fields of JSON, whole or one of them; what is missing is named", async () => {
  await apply(
    external("whole", { dataFrom: [{ extract: { key: "as-json" } }] }),
    external("one", { data: [{ secretKey: "p", remoteRef: { key: "as-json", property: "password" } }] }),
    external("none", { data: [{ secretKey: "p", remoteRef: { key: "not-there" } }] }),
  );
  await until("externalsecret/whole", "condition=Ready");
  await until("externalsecret/one", "condition=Ready");
  await until("externalsecret/none", "condition=Ready=false");
  expect(await valuesOf("whole")).toEqual({ user: "u", password: "from-json" });
  expect(await valuesOf("one")).toEqual({ p: "from-json" });
  expect(await kubectl("get", "events", "-n", namespace)).toContain(
    "error processing spec.data[0] (key: not-there), err: Secret does not exist",
  );
});

test("the Secret goes with its ExternalSecret, and no value was written into a log", async () => {
  await kubectl("delete", "externalsecret/connection", "-n", namespace);
  await until("secret/connection", "delete");
  const { processes } = await cluster.status();
  const log = readFileSync(processes.find(({ name }) => name === "controllers")?.log ?? "", "utf8");
  expect(log).not.toMatch(/first-value|second-value|from-json/);
});
