import { readFileSync } from "node:fs";
import https from "node:https";
import { text } from "node:stream/consumers";
import { WorkloadIdentity } from "../../../components/azure/workload-identity.ts";
import {
  DataScienceProject,
  type DataScienceProjectArgs,
  VAULT_READER,
} from "../../../components/openshift/data-science-project.ts";
import type { TestDaemon } from "../../harness/daemon.ts";
import { TAGS } from "../recording.ts";

/** Who signs the tokens of the sandbox's cluster. */
const ISSUER = "https://kubernetes.kiln.sandbox";
const API_VERSION = "2023-07-01";

/** A vault of somebody else, with secrets in it, that the stack under test reads and does not make. */
export interface TestVault {
  /** Writes a secret, as a new version where there is one. */
  put(secret: string, value: string): Promise<void>;
  /** A project whose identity may read these secrets; called within a program. */
  project(args: DataScienceProjectArgs, secrets: readonly string[]): DataScienceProject;
}

export async function testVault(daemon: TestDaemon): Promise<TestVault> {
  const token = await daemon.token();
  const agent = new https.Agent({
    ca: readFileSync(daemon.caFile),
    proxyEnv: { HTTPS_PROXY: daemon.proxy },
  });
  const group = `/subscriptions/${daemon.subscriptionId}/resourceGroups/rg`;
  const vault = `${group}/providers/Microsoft.KeyVault/vaults/kv-test`;
  const put = async (path: string, body: object, version = API_VERSION): Promise<void> => {
    const url = `https://management.azure.com${path}?api-version=${version}`;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const { status, said } = await new Promise<{ status: number; said: string }>((resolve, reject) => {
      const request = https.request(url, { method: "PUT", agent, headers }, (response) => {
        text(response).then((all) => resolve({ status: Number(response.statusCode), said: all }), reject);
      });
      request.on("error", reject).end(JSON.stringify(body));
    });
    if (status >= 300) throw new Error(`PUT ${path}: ${status} ${said}`);
  };
  await put(group, { location: "eastus" }, "2024-03-01");
  const sku = { family: "A", name: "standard" };
  const properties = { tenantId: daemon.tenantId, sku, enableRbacAuthorization: true };
  await put(vault, { location: "eastus", properties });
  return {
    put: (secret, value) => put(`${vault}/secrets/${secret}`, { properties: { value } }),
    project: (args, secrets) => {
      const reader = new WorkloadIdentity("reader", {
        identityName: "id-reader",
        resourceGroupName: "rg",
        location: "eastus",
        tags: TAGS,
        trusts: { issuer: ISSUER, namespace: args.namespace, serviceAccount: VAULT_READER },
        reads: { vaultId: vault, secrets },
      });
      const identity = {
        clientId: reader.clientId,
        tenantId: daemon.tenantId,
        vaultUri: "https://kv-test.vault.azure.net/",
        after: reader.ready,
      };
      return new DataScienceProject("project", { ...args, identity });
    },
  };
}
