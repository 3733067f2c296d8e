import { describe, expect, it } from "vitest";
import {
  WorkloadIdentity,
  type WorkloadIdentityArgs,
  workloadIdentityProblems,
} from "../../components/azure/workload-identity.ts";
import { only, recorded, SUBSCRIPTION, TAGS } from "./recording.ts";

const vault = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv`;
const args: WorkloadIdentityArgs = {
  identityName: "id-kiln-dev-fraud",
  resourceGroupName: "rg-kiln-dev",
  location: "eastus",
  tags: TAGS,
  trusts: {
    issuer: "https://kubernetes.kiln.sandbox",
    namespace: "kiln-dev-fraud",
    serviceAccount: "vault-reader",
  },
  reads: { vaultId: vault, secrets: ["fraud-s3-id", "fraud-s3-key"] },
};

describe("WorkloadIdentity", () => {
  it("trusts one service account of one cluster, and reads single secrets", async () => {
    const recording = await recorded(() => new WorkloadIdentity("fraud", args));
    expect(only(recording, "azure-native:managedidentity:FederatedIdentityCredential").inputs).toEqual({
      resourceGroupName: "rg-kiln-dev",
      resourceName: "id-kiln-dev-fraud",
      federatedIdentityCredentialResourceName: "vault-reader",
      issuer: "https://kubernetes.kiln.sandbox",
      subject: "system:serviceaccount:kiln-dev-fraud:vault-reader",
      audiences: ["api://AzureADTokenExchange"],
    });
    const grants = recording.resources.filter(({ type }) => type.endsWith(":RoleAssignment"));
    expect(grants.map(({ inputs }) => [inputs.scope, inputs.principalId, inputs.principalType])).toEqual([
      [`${vault}/secrets/fraud-s3-id`, "principal", "ServicePrincipal"],
      [`${vault}/secrets/fraud-s3-key`, "principal", "ServicePrincipal"],
    ]);
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong = {
      ...args,
      identityName: "x",
      trusts: { ...args.trusts, issuer: "http://cluster" },
      reads: { vaultId: vault, secrets: ["under_score", "twice", "twice"] },
    };
    expect(workloadIdentityProblems(wrong).map(({ field }) => field)).toEqual([
      "identityName",
      "trusts.issuer",
      "reads.secrets[0]",
      "reads.secrets",
    ]);
    const recording = await recorded(() =>
      expect(() => new WorkloadIdentity("fraud", wrong)).toThrow(
        /trusts\.issuer "http:\/\/cluster" is no https/,
      ),
    );
    expect(recording.resources).toEqual([]);
  });
});
