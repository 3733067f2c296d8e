import { runtime } from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, it } from "vitest";
import { rules } from "../../policies/index.ts";
import { judge, judgeStack } from "../../policies/judge.ts";
import type { StackInput } from "../../policies/model.ts";
import { program } from "../../stacks/program.ts";
import { record, settled } from "../components/recording.ts";
import { DIGEST, project, SIZE } from "../stacks/serving-samples.ts";
import { context, resource } from "./support.ts";

const CONFIG = {
  "kiln:repo": "example/kiln",
  "kiln:owner": "platform",
  "kiln:costCenter": "42",
  "kiln:location": "eastus",
};
const IMAGE = `quay.io/example/tool@sha256:${DIGEST}`;
const variables = { ...process.env };

beforeEach(() => {
  for (const name of ["KILN_LOCATION", "KILN_VAULT_CREATE_MODE", "KILN_KUBE_CONTEXT", "KILN_EXPIRES_ON"])
    delete process.env[name];
  process.env.KILN_SERVICE_ACCOUNT_ISSUER = "https://issuer.example";
});
afterEach(() => {
  delete process.env.KILN_SERVICE_ACCOUNT_ISSUER;
  Object.assign(process.env, variables);
  runtime.setAllConfig({});
});

const model = (name: string, more: object = {}) => ({ ...project("x", [name]).models[0], ...more });
const CANARY = { source: { uri: `oci://quay.io/example/next@sha256:${DIGEST}` }, percent: 10 };

/** Everything that a project can have. */
const whole = (name: string) => ({
  ...project(name),
  clusterQueue: "cluster",
  access: {
    admin: { users: ["lead"] },
    edit: { groups: ["data-scientists"] },
    view: { groups: ["viewers"] },
  },
  network: { egress: [{ cidr: "0.0.0.0/0", ports: [443] }] },
  connections: [
    {
      name: "models",
      type: "s3",
      endpoint: "https://s3.example.com",
      bucket: "models",
      accessKeyId: { secret: "s3-id" },
      secretAccessKey: { secret: "s3-key" },
    },
    {
      name: "blobs",
      type: "azure-blob",
      account: "stteam",
      container: "models",
      accessKey: { secret: "blob-key" },
    },
    { name: "images", type: "oci", registry: "quay.io", dockerConfig: { secret: "pull" } },
    { name: "elsewhere", type: "uri", uri: { secret: "address" } },
  ],
  models: [
    model("plain", { auth: false }),
    model("guarded"),
    model("shown", { exposed: true, callers: { groups: ["callers"] }, canary: CANARY }),
    model("still", { stopped: true, replicas: { min: 20, max: 40 } }),
    model("stored", { source: { connection: "models", path: "a/1" }, resources: { ...SIZE, gpus: 1 } }),
    model("blobbed", { source: { connection: "blobs", path: "a/1" } }),
  ],
  quota: {
    requests: { cpuCores: 40, memoryGib: 128 },
    limits: { cpuCores: 64, memoryGib: 256 },
    gpus: 6,
    pods: 100,
  },
  notebooks: [
    { name: "study", image: IMAGE, size: SIZE, connections: ["models"] },
    { name: "resting", image: IMAGE, size: SIZE, stoppedSince: "2026-03-01T12:00:00Z" },
  ],
  pipelineServer: {
    database: { host: "db.example.com", name: "dsp", username: "dsp", passwordSecret: "db-password" },
    connection: "models",
  },
  scheduledPipelines: [{ name: "nightly", pipeline: "train", schedule: "@daily", image: IMAGE }],
});

/** Of the size that it gets where nothing is said: it has to fit the quota of each kind of environment. */
const AGENT = {
  image: IMAGE,
  database: { image: IMAGE },
  network: { apiServer: { cidrs: ["10.0.0.5/32"] } },
};

async function registrations(stack: string, serving: object, foundry: object): Promise<StackInput[]> {
  const recording = await record(stack);
  runtime.setAllConfig({
    ...CONFIG,
    "kiln:foundry": JSON.stringify(foundry),
    "kiln:serving": JSON.stringify({ enabled: true, ...serving }),
  });
  await program();
  await settled();
  return recording.resources.map(({ type, name, inputs, dependsOn }) => ({
    ...resource(type, inputs, name, stack),
    dependencies: dependsOn,
    propertyDependencies: {},
  }));
}

const judgements = (made: readonly StackInput[], stack: string) =>
  rules.flatMap((rule) => [
    ...made.flatMap((each) => judge(rule, each, context(stack))),
    ...judgeStack(rule, made, context(stack)),
  ]);

it.each(["dev", "staging", "prod", "pr-7"])(
  "every object of a whole %s, with the foundry and the agent, passes every policy",
  async (stack) => {
    const made = await registrations(
      stack,
      { projects: [whole("fraud"), project("churn")], agent: AGENT },
      {},
    );
    expect(made.filter(({ type }) => type.startsWith("kubernetes:")).length).toBeGreaterThan(50);
    expect(judgements(made, stack)).toEqual([]);
  },
);
