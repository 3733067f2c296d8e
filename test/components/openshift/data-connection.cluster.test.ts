import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import tls from "node:tls";
import { SecretClient } from "@azure/keyvault-secrets";
import { getClientConfig } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { grantSecretsOfficer } from "../../../components/azure/grants.ts";
import { KeyVault } from "../../../components/azure/key-vault.ts";
import { WorkloadIdentity } from "../../../components/azure/workload-identity.ts";
import { DataConnection } from "../../../components/openshift/data-connection.ts";
import { DataScienceProject } from "../../../components/openshift/data-science-project.ts";
import { InferenceService } from "../../../components/openshift/inference-service.ts";
import { ServingRuntime } from "../../../components/openshift/serving-runtime.ts";
import { TAGS } from "../recording.ts";
import { type TestStack, testStack } from "./cluster.ts";
import { MODEL, PROJECT, RUNTIME } from "./support.ts";

/*
 * A data connection from end to end: a vault of the sandbox, an identity that a service account of the cluster becomes, External
 * Secrets that reads by it, and a model that loads by what was read.
 */

const vaultName = "kv-kiln-components";
const values = {
  "fraud-s3-id": randomBytes(12).toString("hex"),
  "fraud-s3-key": randomBytes(24).toString("base64url"),
};
const { namespace } = PROJECT;

let stack: TestStack;

beforeAll(async () => {
  stack = await testStack();
  tls.setDefaultCACertificates([
    ...tls.getCACertificates("default"),
    readFileSync(stack.cluster.daemon.caFile, "utf8"),
  ]);
});
afterAll(() => stack?.dispose());

async function vault() {
  const { tenantId, objectId } = await getClientConfig();
  const group = new ResourceGroup("group", {
    resourceGroupName: "rg-kiln-components",
    location: "eastus",
    tags: TAGS,
  });
  const kept = new KeyVault("vault", {
    vaultName,
    resourceGroupName: group.name,
    location: "eastus",
    tenantId,
    tags: TAGS,
    softDeleteRetentionDays: 7,
    purgeProtection: false,
  });
  const to = { principalId: objectId, principalType: "ServicePrincipal" } as const;
  grantSecretsOfficer("writes", { scope: kept.vaultId, to });
  return { group, kept, tenantId };
}

const program = (bucket: string) => async () => {
  const { group, kept, tenantId } = await vault();
  const identity = new WorkloadIdentity("reader", {
    identityName: "id-kiln-components",
    resourceGroupName: group.name,
    location: "eastus",
    tags: TAGS,
    trusts: { issuer: "https://kubernetes.kiln.sandbox", namespace, serviceAccount: "vault-reader" },
    reads: { vaultId: kept.vaultId, secrets: Object.keys(values) },
  });
  const { clientId, ready } = identity;
  const project = new DataScienceProject("fraud", {
    ...PROJECT,
    identity: { clientId, tenantId, vaultUri: kept.vaultUri, after: ready },
  });
  const connection = new DataConnection("models", {
    project,
    connectionName: "models",
    tags: TAGS,
    connection: {
      type: "s3",
      endpoint: "https://s3.example.com",
      bucket,
      accessKeyId: { secret: "fraud-s3-id" },
      secretAccessKey: { secret: "fraud-s3-key" },
    },
  });
  const runtime = new ServingRuntime("onnx", { ...RUNTIME, project });
  const source = { connection, path: "fraud/1" };
  new InferenceService("scoring", { ...MODEL, project, runtime, source });
};

const secret = async () => {
  const { data, metadata } = await stack.read({
    apiVersion: "v1",
    kind: "Secret",
    name: "models",
    namespace,
  });
  const plain = Object.entries<string>(data).map(([key, value]) => [
    key,
    Buffer.from(value, "base64").toString(),
  ]);
  return { data: Object.fromEntries(plain), metadata };
};

test("brings a vault's values to a model, through nothing of Pulumi's", async () => {
  await stack.up(async () => {
    await vault();
  });
  const { daemon } = stack.cluster;
  const { hostname, port } = new URL(daemon.proxy);
  const getToken = async () => ({
    token: await daemon.token({ audience: "https://vault.azure.net" }),
    expiresOnTimestamp: Date.now() + 3_600_000,
  });
  const proxyOptions = { host: `http://${hostname}`, port: Number(port) };
  const secrets = new SecretClient(`https://${vaultName}.vault.azure.net`, { getToken }, { proxyOptions });
  for (const [name, value] of Object.entries(values)) await secrets.setSecret(name, value);

  await stack.up(program("models"));
  const { data, metadata } = await secret();
  expect(data).toEqual({
    AWS_ACCESS_KEY_ID: values["fraud-s3-id"],
    AWS_SECRET_ACCESS_KEY: values["fraud-s3-key"],
    AWS_S3_ENDPOINT: "https://s3.example.com",
    AWS_S3_BUCKET: "models",
    AWS_DEFAULT_REGION: "us-east-1",
  });
  expect(metadata).toMatchObject({
    labels: { "opendatahub.io/dashboard": "true", "opendatahub.io/managed": "true" },
    annotations: { "opendatahub.io/connection-type": "s3" },
  });
  const state = await stack.state();
  for (const value of Object.values(values)) expect(state).not.toContain(value);
});

test("changes in place, and the Secret with it", async () => {
  expect(await stack.up(program("models-two"))).toEqual({ models: "update" });
  const followed = `jsonpath={.data.AWS_S3_BUCKET}=${Buffer.from("models-two").toString("base64")}`;
  const waited = ["wait", `--for=${followed}`, "secret/models", "-n", namespace, "--timeout=120s"];
  expect(await stack.cluster.kubectl(waited)).toMatchObject({ exitCode: 0 });
  expect(await stack.preview(program("models-two"))).toEqual({});
});

test("goes with everything it came with", async () => {
  await stack.down();
  expect(await stack.read({ apiVersion: "v1", kind: "Namespace", name: namespace })).toBeUndefined();
});
