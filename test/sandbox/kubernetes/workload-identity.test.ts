import { readFileSync } from "node:fs";
import https from "node:https";
import { json } from "node:stream/consumers";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientAssertionCredential } from "@azure/identity";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlPlane } from "../../harness/control-plane.ts";
import { type TestSandbox, testSandbox } from "../../harness/sandbox.ts";

/** A pod signs in to Azure without a secret: by its service account's token, as an identity that trusts exactly it. */
let sandbox: TestSandbox;
let core: CoreV1Api;
let clientId: string;

const issuer = "https://kubernetes.kiln.sandbox";
const audience = "api://AzureADTokenExchange";
const subject = "system:serviceaccount:models:reader";
const scope = "https://vault.azure.net/.default";

beforeAll(async () => {
  const { binaries, crds } = await controlPlane();
  sandbox = await testSandbox();
  expect(await fromIssuer("/openid/v1/jwks").catch(() => "absent")).toBe("absent");
  const { status, body } = await sandbox.control("POST", "/kubernetes", { binaries, crds });
  expect(status).toBe(200);
  const config = new KubeConfig();
  config.loadFromString(readFileSync((body as { kubeconfig: string }).kubeconfig, "utf8"));
  core = config.makeApiClient(CoreV1Api);
  await core.createNamespace({ body: { metadata: { name: "models" } } });
  for (const name of ["reader", "other"])
    await core.createNamespacedServiceAccount({ namespace: "models", body: { metadata: { name } } });

  const { credential, options } = sandbox.client();
  const { subscriptionId } = sandbox.sandbox.cloud;
  const resources = new ResourceManagementClient(credential, subscriptionId, options);
  await resources.resourceGroups.createOrUpdate("rg", { location: "eastus" });
  const msi = new ManagedServiceIdentityClient(credential, subscriptionId, options);
  const identity = await msi.userAssignedIdentities.createOrUpdate("rg", "reader", { location: "eastus" });
  clientId = identity.clientId ?? "";
  const trusted = { issuer, subject, audiences: [audience] };
  await msi.federatedIdentityCredentials.createOrUpdate("rg", "reader", "cluster", trusted);
});
afterAll(() => sandbox?.close());

/** What a token request gives, as the kubelet and External Secrets make it. */
async function accountToken(name: string, audiences = [audience]): Promise<string> {
  const { status } = await core.createNamespacedServiceAccountToken({
    namespace: "models",
    name,
    body: { spec: { audiences, expirationSeconds: 600 } },
  });
  return status?.token ?? "";
}

async function signIn(token: string): Promise<string> {
  const { tenantId } = sandbox.sandbox.cloud;
  const { options } = sandbox.client();
  const credential = new ClientAssertionCredential(tenantId, clientId, async () => token, options);
  return (await credential.getToken(scope)).token;
}

/** What the issuer's host says, through the front door. */
function fromIssuer(path: string): Promise<unknown> {
  const agent = new https.Agent({
    ca: [readFileSync(sandbox.caFile, "utf8")],
    proxyEnv: { HTTPS_PROXY: sandbox.proxy },
  });
  return new Promise((resolve, reject) => {
    https
      .get(`${issuer}${path}`, { agent }, (response) => {
        json(response).then(resolve, reject);
      })
      .on("error", reject);
  });
}

test("a service account's token is taken for the identity that trusts it", async () => {
  const token = await accountToken("reader");
  expect(decodeJwt(token)).toMatchObject({ iss: issuer, sub: subject, aud: [audience] });
  const access = decodeJwt(await signIn(token));
  expect(access).toMatchObject({ aud: "https://vault.azure.net", appid: clientId });
});

test("another account's is not, nor one for another audience", async () => {
  await expect(signIn(await accountToken("other"))).rejects.toThrow(
    /AADSTS700213.*system:serviceaccount:models:other/,
  );
  await expect(signIn(await accountToken("reader", [issuer]))).rejects.toThrow(/AADSTS700212/);
});

test("nor one that somebody else signed, or changed", async () => {
  const [header = "", , signature = ""] = (await accountToken("other")).split(".");
  const [, claims = ""] = (await accountToken("reader")).split(".");
  await expect(signIn([header, claims, signature].join("."))).rejects.toThrow(/AADSTS700027/);
});

test("the issuer publishes the keys by which anybody can check a token", async () => {
  expect(await fromIssuer("/.well-known/openid-configuration")).toMatchObject({
    issuer,
    jwks_uri: `${issuer}/openid/v1/jwks`,
  });
  const keys = (await fromIssuer("/openid/v1/jwks")) as JSONWebKeySet;
  const token = await accountToken("reader");
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { issuer, audience });
  expect(payload.sub).toBe(subject);
});
