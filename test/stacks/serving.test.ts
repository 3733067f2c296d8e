import { output, runtime } from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { program } from "../../stacks/program.ts";
import { only, type Recording, record, settled } from "../components/recording.ts";
import { DIGEST, project, SIZE } from "./serving-samples.ts";

const CONFIG = {
  "kiln:repo": "example/kiln",
  "kiln:owner": "platform",
  "kiln:costCenter": "42",
  "kiln:location": "eastus",
};
const variables = { ...process.env };

beforeEach(() => {
  for (const name of ["KILN_LOCATION", "KILN_VAULT_CREATE_MODE", "KILN_KUBE_CONTEXT"])
    delete process.env[name];
  process.env.KILN_SERVICE_ACCOUNT_ISSUER = "https://issuer.example";
});
afterEach(() => {
  delete process.env.KILN_SERVICE_ACCOUNT_ISSUER;
  Object.assign(process.env, variables);
  runtime.setAllConfig({});
});

interface Run {
  readonly recording: Recording;
  readonly outputs: Readonly<Record<string, unknown>>;
}

async function run(stack: string, serving: object, foundry: object = { enabled: false }): Promise<Run> {
  const recording = await record(stack);
  runtime.setAllConfig({
    ...CONFIG,
    "kiln:foundry": JSON.stringify(foundry),
    "kiln:serving": JSON.stringify({ enabled: true, ...serving }),
  });
  const made = await program();
  const outputs = await new Promise<Run["outputs"]>((done) =>
    output(made).apply((value) => done({ ...value })),
  );
  await settled();
  return { recording, outputs };
}

const kindsOf = ({ recording }: Run) =>
  recording.resources
    .filter(({ type }) => !type.startsWith("kiln:"))
    .map(({ type }) => type.split(":").at(-1));

describe("serving alone", () => {
  it("builds projects and models without anything of Azure", async () => {
    const { recording, outputs } = await run("dev", { projects: [project("fraud"), project("churn")] });
    expect(recording.calls).toEqual([]);
    expect(recording.resources.filter(({ type }) => /^(?:azure-native|command):/.test(type))).toEqual([]);
    expect(outputs).toEqual({
      namespaces: { churn: "kiln-dev-churn", fraud: "kiln-dev-fraud" },
      // What they are the cluster says, which is none here.
      modelUrls: { "churn/scorer": expect.any(String), "fraud/scorer": expect.any(String) },
    });
  });

  it("manages everything in the cluster under one name, whichever run makes it", async () => {
    const made = await run("dev", { projects: [project("fraud")] });
    const objects = made.recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
    expect(objects.length).toBeGreaterThan(7);
    for (const { inputs } of objects) {
      expect(inputs.metadata).toMatchObject({
        name: expect.any(String),
        annotations: { "pulumi.com/patchFieldManager": "kiln-dev" },
      });
    }
    const [model] = objects.filter(({ type }) => type.endsWith(":InferenceService"));
    expect(model?.inputs.metadata).toMatchObject({
      annotations: { "serving.kserve.io/deploymentMode": "Standard" },
    });
  });

  it("makes each project what it should be", async () => {
    const made = await run("dev", { projects: [project("fraud")] });
    expect(kindsOf(made)).toEqual(
      expect.arrayContaining([
        "Namespace",
        "ResourceQuota",
        "LimitRange",
        "NetworkPolicy",
        "ServingRuntime",
        "InferenceService",
      ]),
    );
    const namespace = only(made.recording, "kubernetes:core/v1:Namespace");
    expect(namespace.inputs.metadata).toMatchObject({
      name: "kiln-dev-fraud",
      labels: { env: "dev", repo: "example-kiln", "app.kubernetes.io/managed-by": "kiln" },
    });
  });

  it("lets router and monitoring come to the ports where its runtimes answer", async () => {
    const { runtimes, ...rest } = project("fraud");
    const other = runtimes.map((runtime) => ({ ...runtime, name: "other", port: 9000 }));
    const made = await run("dev", { projects: [{ ...rest, runtimes: [...runtimes, ...other] }] });
    const models = only(made.recording, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "fraud-models");
    expect(models.inputs).toMatchObject({
      spec: { ingress: [{ ports: [8080, 8443, 9000].map((port) => ({ protocol: "TCP", port })) }] },
    });
  });

  it("has models and workbenches wait in the project's queue", async () => {
    const notebook = {
      name: "study",
      image: `quay.io/modh/notebook@sha256:${DIGEST}`,
      size: { requests: { cpuCores: 1, memoryGib: 2 } },
    };
    const config = { ...project("fraud"), clusterQueue: "team", notebooks: [notebook] };
    const { recording } = await run("dev", { projects: [config] });
    const queue = only(recording, "kubernetes:kueue.x-k8s.io/v1beta1:LocalQueue").inputs.metadata;
    for (const kind of ["serving.kserve.io/v1beta1:InferenceService", "kubeflow.org/v1:Notebook"]) {
      expect(only(recording, `kubernetes:${kind}`).inputs).toMatchObject({
        metadata: { labels: { "kueue.x-k8s.io/queue-name": (queue as { name: string }).name } },
      });
    }
  });

  it("goes to the context that is configured, or the one that is said for the run", async () => {
    const cluster = { context: "theirs" };
    const provider = async () =>
      only(
        (await run("dev", { cluster, projects: [project("fraud")] })).recording,
        "pulumi:providers:kubernetes",
      );
    expect((await provider()).inputs).toMatchObject({ context: "theirs" });
    process.env.KILN_KUBE_CONTEXT = "sandbox";
    expect((await provider()).inputs).toMatchObject({ context: "sandbox" });
  });

  it("is never replaced as a whole because another's kubeconfig leads to the same cluster", async () => {
    for (const kubeconfig of ["/home/ann/.kube/config", "/home/bob/.kube/config"]) {
      vi.stubEnv("KUBECONFIG", kubeconfig);
      const { recording } = await run("dev", { projects: [project("fraud")] });
      expect(only(recording, "pulumi:providers:kubernetes").inputs).toMatchObject({
        clusterIdentifier: "kiln-dev-cluster",
      });
    }
    vi.unstubAllEnvs();
  });

  it("says of a pull request's namespaces when nobody needs them", async () => {
    process.env.KILN_EXPIRES_ON = "2026-03-01T12:00:00Z";
    const { recording } = await run("pr-7", { projects: [project("fraud")] });
    expect(only(recording, "kubernetes:core/v1:Namespace").inputs.metadata).toMatchObject({
      annotations: { "kiln/expires-on": "2026-03-01T12:00:00Z" },
    });
    delete process.env.KILN_EXPIRES_ON;
  });

  it("reads connections from a vault that is there, by an identity that is there", async () => {
    const vault = {
      uri: "https://kv-team.vault.azure.net/",
      tenantId: "33333333-aaaa-bbbb-cccc-000000000003",
      clientId: "33333333-aaaa-bbbb-cccc-000000000004",
    };
    const { recording } = await run("dev", { vault, projects: [withConnection("fraud")] });
    const store = recording.resources.find(({ inputs }) => inputs.kind === "SecretStore");
    expect(store?.inputs.spec).toMatchObject({
      provider: { azurekv: { vaultUrl: vault.uri, tenantId: vault.tenantId } },
    });
    expect(recording.resources.filter(({ type }) => type.startsWith("azure-native:"))).toEqual([]);
  });
});

function withConnection(name: string) {
  return {
    ...project(name),
    network: { egress: [{ cidr: "203.0.113.0/24", ports: [443] }] },
    connections: [
      {
        name: "models",
        type: "s3",
        endpoint: "https://s3.example.com",
        bucket: "models",
        accessKeyId: { secret: "s3-id" },
        secretAccessKey: { secret: "s3-key" },
      },
    ],
    models: [
      {
        name: "scorer",
        format: { name: "onnx" },
        runtime: "ovms",
        source: { connection: "models", path: "scorer/1" },
        resources: SIZE,
      },
    ],
    notebooks: [
      {
        name: "study",
        image: `quay.io/example/notebook@sha256:${DIGEST}`,
        size: SIZE,
        connections: ["models"],
      },
    ],
  };
}

describe("serving with the foundry", () => {
  it("gives each project an identity that reads its own secrets and no others", async () => {
    const { recording, outputs } = await run("dev", { projects: [withConnection("fraud")] }, {});
    expect(outputs).toMatchObject({
      resourceGroupName: "rg-kiln-dev",
      namespaces: { fraud: "kiln-dev-fraud" },
    });
    const trust = only(recording, "azure-native:managedidentity:FederatedIdentityCredential");
    expect(trust.inputs).toMatchObject({
      issuer: "https://issuer.example",
      subject: "system:serviceaccount:kiln-dev-fraud:vault-reader",
      audiences: ["api://AzureADTokenExchange"],
    });
    const scopes = recording.resources
      .filter(({ type, name }) => type.endsWith(":RoleAssignment") && name.startsWith("fraud-"))
      .map(({ inputs }) => String(inputs.scope).split("/").slice(-2).join("/"));
    expect(scopes.sort()).toEqual(["secrets/s3-id", "secrets/s3-key"]);
  });

  it("says what is missing where nobody knows who signs the cluster's tokens", async () => {
    delete process.env.KILN_SERVICE_ACCOUNT_ISSUER;
    await expect(run("dev", { projects: [withConnection("fraud")] }, {})).rejects.toThrow(
      /serviceAccountIssuer is missing/,
    );
    await settled();
  });
});
