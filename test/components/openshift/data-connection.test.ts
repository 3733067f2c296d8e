import { describe, expect, it } from "vitest";
import {
  type Connection,
  connectionKeys,
  connectionProblems,
} from "../../../components/openshift/connection.ts";
import {
  DataConnection,
  type DataConnectionArgs,
  dataConnectionProblems,
} from "../../../components/openshift/data-connection.ts";
import { DataScienceProject } from "../../../components/openshift/data-science-project.ts";
import { only, recorded, TAGS } from "../recording.ts";
import { fieldsOf, PLACE, PROJECT } from "./support.ts";

const s3: Connection = {
  type: "s3",
  endpoint: "https://s3.example.com",
  bucket: "models",
  accessKeyId: { secret: "fraud-s3-id" },
  secretAccessKey: { secret: "fraud-s3-key", version: "0".repeat(32) },
};
const args: DataConnectionArgs = {
  project: { ...PLACE, secretStore: { name: "vault" } },
  connectionName: "models",
  displayName: "Models",
  tags: TAGS,
  connection: s3,
};
const type = "kubernetes:external-secrets.io/v1:ExternalSecret";

describe("DataConnection", () => {
  it("has the vault's values fetched into the keys that KServe and pipelines expect, and waits for it", async () => {
    const recording = await recorded(() => new DataConnection("models", args));
    expect(recording.resources).toHaveLength(2);
    expect(only(recording, type).inputs).toMatchObject({
      metadata: {
        name: "models",
        namespace: "kiln-dev-fraud",
        annotations: { "pulumi.com/waitFor": "condition=Ready" },
      },
      spec: {
        refreshInterval: "1h0m0s",
        secretStoreRef: { kind: "SecretStore", name: "vault" },
        target: {
          name: "models",
          template: {
            mergePolicy: "Merge",
            type: "Opaque",
            metadata: {
              labels: { "opendatahub.io/dashboard": "true", "opendatahub.io/managed": "true", env: "dev" },
              annotations: {
                "opendatahub.io/connection-type": "s3",
                "opendatahub.io/connection-type-ref": "s3",
                "openshift.io/display-name": "Models",
              },
            },
            data: {
              AWS_S3_ENDPOINT: "https://s3.example.com",
              AWS_S3_BUCKET: "models",
              AWS_DEFAULT_REGION: "us-east-1",
            },
          },
        },
        data: [
          { secretKey: "AWS_ACCESS_KEY_ID", remoteRef: { key: "fraud-s3-id" } },
          {
            secretKey: "AWS_SECRET_ACCESS_KEY",
            remoteRef: { key: "fraud-s3-key", version: "0".repeat(32) },
          },
        ],
      },
    });
  });

  it("comes after the store of its project and what guards it", async () => {
    const recording = await recorded(() => {
      const identity = { clientId: "c", tenantId: "t", vaultUri: "https://kv.vault.azure.net/" };
      const project = new DataScienceProject("fraud", { ...PROJECT, identity });
      return new DataConnection("models", { ...args, project });
    });
    const after = only(recording, type).dependsOn.map((urn) => urn.split("::").at(-1));
    expect(after).toEqual(expect.arrayContaining(["fraud-vault", "fraud-quota", "fraud-limits"]));
  });

  it("has the keys of each kind, secrets by reference only", () => {
    expect(
      connectionKeys({
        type: "azure-blob",
        account: "stmodels",
        container: "one",
        accessKey: { secret: "k" },
      }),
    ).toEqual({
      fromVault: { AZURE_STORAGE_ACCESS_KEY: { secret: "k" } },
      plain: { AZURE_STORAGE_ACCOUNT: "stmodels", AZURE_STORAGE_CONTAINER: "one" },
    });
    expect(connectionKeys({ type: "uri", uri: { secret: "u" } })).toEqual({
      fromVault: { URI: { secret: "u" } },
      plain: {},
    });
    expect(connectionKeys({ type: "oci", registry: "quay.io", dockerConfig: { secret: "d" } })).toEqual({
      fromVault: { ".dockerconfigjson": { secret: "d" } },
      plain: { ACCESS_TYPE: '["Pull"]', OCI_HOST: "quay.io" },
    });
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong: DataConnectionArgs = {
      ...args,
      project: PLACE,
      connectionName: "My models",
      connection: {
        ...s3,
        endpoint: "s3.example.com",
        bucket: "A",
        region: "{{ .x }}",
        accessKeyId: { secret: "fraud_s3_id" },
        secretAccessKey: { secret: "ok", version: "latest" },
      },
      refreshMinutes: 0,
      patienceSeconds: 4000,
    };
    expect(fieldsOf(dataConnectionProblems(wrong))).toEqual([
      "connectionName",
      "project",
      "connection (AWS_ACCESS_KEY_ID)",
      "connection (AWS_SECRET_ACCESS_KEY)",
      "connection (AWS_DEFAULT_REGION)",
      "connection.endpoint",
      "connection.bucket",
      "refreshMinutes",
      "patienceSeconds",
    ]);
    const recording = await recorded(() =>
      expect(() => new DataConnection("models", wrong)).toThrow(/no underscore/),
    );
    expect(recording.resources).toEqual([]);
  });

  it("checks the form of each kind", () => {
    const bad: Connection[] = [
      { type: "azure-blob", account: "X", container: "--", accessKey: { secret: "k" } },
      { type: "oci", registry: "https://quay.io", dockerConfig: { secret: "d" } },
    ];
    expect(bad.flatMap((each) => fieldsOf(connectionProblems("connection", each)))).toEqual([
      "connection.account",
      "connection.container",
      "connection.registry",
    ]);
    expect(connectionProblems("connection", { type: "uri", uri: { secret: "u" } })).toEqual([]);
  });
});
