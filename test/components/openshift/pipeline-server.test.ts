import { describe, expect, it } from "vitest";
import {
  PipelineServer,
  type PipelineServerArgs,
  pipelineServerProblems,
  pipelineServerSpec,
} from "../../../components/openshift/pipeline-server.ts";
import { refreshInterval, vaultSecretSpec } from "../../../components/openshift/vault-secret.ts";
import { only, recorded, TAGS } from "../recording.ts";
import { fieldsOf, PLACE } from "./support.ts";

const project = { ...PLACE, secretStore: { name: "vault" } };
const s3 = {
  type: "s3",
  endpoint: "https://s3.example.com:9000",
  bucket: "artifacts",
  region: "eu-1",
  accessKeyId: { secret: "id" },
  secretAccessKey: { secret: "key" },
} as const;
const SERVER: PipelineServerArgs = {
  project,
  tags: TAGS,
  database: { host: "db.example.com", passwordSecret: "pipelines-db" },
  storage: { connection: { connectionName: "artifacts", connection: s3 } },
};

describe("PipelineServer", () => {
  it("takes its password from the vault first, and is waited for", async () => {
    const recording = await recorded(() => {
      const server = new PipelineServer("pipelines", SERVER);
      expect(server).toMatchObject({
        serverName: "dspa",
        apiUrl: "https://ds-pipeline-dspa.kiln-dev-fraud.svc.cluster.local:8443",
      });
    });
    expect(only(recording, "kubernetes:external-secrets.io/v1:ExternalSecret").inputs).toMatchObject({
      metadata: { name: "dspa-database", annotations: { "pulumi.com/waitFor": "condition=Ready" } },
      spec: {
        secretStoreRef: { kind: "SecretStore", name: "vault" },
        data: [{ secretKey: "password", remoteRef: { key: "pipelines-db" } }],
      },
    });
    const type =
      "kubernetes:datasciencepipelinesapplications.opendatahub.io/v1:DataSciencePipelinesApplication";
    const server = only(recording, type);
    expect(server.inputs).toMatchObject({
      metadata: {
        name: "dspa",
        namespace: "kiln-dev-fraud",
        labels: { "opendatahub.io/dashboard": "true", env: "dev" },
        annotations: { "pulumi.com/waitFor": "condition=Ready" },
      },
      spec: { dspVersion: "v2", podToPodTLS: true },
    });
    expect(server.dependsOn.some((urn) => urn.endsWith("::pipelines-database"))).toBe(true);
    expect(recording.resources.some(({ type: each }) => each.endsWith(":Secret"))).toBe(false);
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong = { ...SERVER, serverName: "x".repeat(31), project: PLACE };
    const recording = await recorded(() =>
      expect(() => new PipelineServer("p", wrong)).toThrow(/serverName .*; project has no secret store/),
    );
    expect(recording.resources).toEqual([]);
  });
});

describe("pipelineServerSpec", () => {
  it("has external database and storage, and none that would be made for it", () => {
    const spec = pipelineServerSpec(SERVER);
    expect(spec.database).toEqual({
      customExtraParams: '{"tls":"true"}',
      externalDB: {
        host: "db.example.com",
        port: "3306",
        username: "mlpipeline",
        pipelineDBName: "mlpipeline",
        passwordSecret: { name: "dspa-database", key: "password" },
      },
    });
    expect(spec.objectStorage).toEqual({
      externalStorage: {
        scheme: "https",
        secure: true,
        host: "s3.example.com",
        port: "9000",
        region: "eu-1",
        bucket: "artifacts",
        s3CredentialsSecret: {
          secretName: "artifacts",
          accessKey: "AWS_ACCESS_KEY_ID",
          secretKey: "AWS_SECRET_ACCESS_KEY",
        },
      },
    });
    expect(JSON.stringify(spec)).not.toMatch(/minio|mariaDB/i);
    expect(spec.apiServer).toMatchObject({ enableSamplePipeline: false, pipelineStore: "database" });
  });

  it("takes choices", () => {
    const spec = pipelineServerSpec({
      ...SERVER,
      serverName: "team",
      pipelineStore: "kubernetes",
      caching: false,
      database: { ...SERVER.database, port: 3307, tls: false },
      storage: { ...SERVER.storage, basePath: "team/pipelines" },
    });
    expect(spec).toMatchObject({
      apiServer: { pipelineStore: "kubernetes", cacheEnabled: false },
      database: { externalDB: { port: "3307", passwordSecret: { name: "team-database" } } },
      objectStorage: { externalStorage: { basePath: "team/pipelines" } },
    });
    expect(spec.database).not.toHaveProperty("customExtraParams");
  });
});

describe("pipelineServerProblems", () => {
  const { database, storage } = SERVER;
  const connection = (more: object) => ({
    ...storage,
    connection: { connectionName: "c", connection: { ...s3, ...more } },
  });
  it.each([
    ["database.host", { database: { ...database, host: "https://db.example.com" } }],
    ["database.port", { database: { ...database, port: 0 } }],
    ["database.name", { database: { ...database, name: "drop table" } }],
    ["database.username", { database: { ...database, username: "" } }],
    ["database.passwordSecret", { database: { ...database, passwordSecret: "under_score" } }],
    ["storage.connection", { storage: connection({ endpoint: "http://s3.example.com" }) }],
    ["storage.basePath", { storage: { ...storage, basePath: "/from/root" } }],
    ["patienceSeconds", { patienceSeconds: 5 }],
  ])("says what is wrong with %s", (field, more) => {
    expect(fieldsOf(pipelineServerProblems({ ...SERVER, ...more }))).toEqual([field]);
  });

  it("wants a connection to s3", () => {
    const uri = { connectionName: "c", connection: { type: "uri", uri: { secret: "u" } } } as const;
    expect(pipelineServerProblems({ ...SERVER, storage: { connection: uri } })).toEqual([
      { field: "storage.connection", message: '"c" is of the kind uri; pipelines keep artifacts in s3' },
    ]);
    expect(pipelineServerSpec({ ...SERVER, storage: { connection: uri } }).objectStorage).toEqual({});
  });
});

describe("a secret of the vault", () => {
  const args = { project, secretName: "s", tags: TAGS, keys: { a: "one", b: "two" } };

  it("is looked at again as often as said, or once", () => {
    const periodic = { refreshPolicy: "Periodic", refreshInterval: "5m0s" };
    expect(vaultSecretSpec({ ...args, refresh: 5 })).toMatchObject(periodic);
    expect(vaultSecretSpec({ ...args, refresh: "once" })).toMatchObject({ refreshPolicy: "CreatedOnce" });
    expect(refreshInterval(90)).toBe("1h30m0s");
  });

  it("stays when the vault no longer has it, and goes with what asked for it", () => {
    expect(vaultSecretSpec({ ...args, refresh: 5 })).toMatchObject({
      target: { name: "s", creationPolicy: "Owner", deletionPolicy: "Retain" },
      data: [
        { secretKey: "a", remoteRef: { key: "one" } },
        { secretKey: "b", remoteRef: { key: "two" } },
      ],
    });
  });
});
