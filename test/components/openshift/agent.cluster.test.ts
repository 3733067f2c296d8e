import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConversationalAgentArgs } from "../../../components/openshift/agent/args.ts";
import { ConversationalAgent } from "../../../components/openshift/conversational-agent.ts";
import type { DataScienceProjectArgs } from "../../../components/openshift/data-science-project.ts";
import { TAGS } from "../recording.ts";
import { AGENT } from "./agent-support.ts";
import { type Body, type TestStack, testStack } from "./cluster.ts";
import { type TestVault, testVault } from "./vault.ts";

/*
 * The agent's runtime on the real API server, by the real engine, with its secrets in a vault: its whole life, what its own
 * account may, and a key that is rotated.
 */

const namespace = "kiln-dev-agent";
const KEY = "the-model's-first-key";
const PASSWORD = "the-database's-password";
const PROJECT: DataScienceProjectArgs = {
  namespace,
  displayName: "Conversational agent",
  tags: TAGS,
  network: { apiServer: "closed", amongThemselves: false },
  quota: {
    requests: { cpuCores: 8, memoryGib: 16 },
    limits: { cpuCores: 20, memoryGib: 32 },
    pods: 20,
    volumes: 1,
    storageGib: 40,
  },
};

let stack: TestStack;
let vault: TestVault;

/** Has the migration's pod fail at once, with words of its own. */
const failingMigration: ComponentResourceOptions = {
  transformations: [
    ({ type, props, opts }) => {
      if (type !== "kubernetes:batch/v1:Job") return undefined;
      const { spec } = props;
      const metadata = {
        ...spec.template.metadata,
        annotations: { "sandbox.kiln/fail": "the schema is ahead of us" },
      };
      return {
        props: { ...props, spec: { ...spec, backoffLimit: 0, template: { ...spec.template, metadata } } },
        opts,
      };
    },
  ],
};

const program =
  (more: Partial<ConversationalAgentArgs> = {}, options: ComponentResourceOptions = {}) =>
  async () => {
    const project = vault.project(PROJECT, [AGENT.model.keySecret, AGENT.database.passwordSecret]);
    const args = { replicas: { min: 1, max: 3 }, model: { ...AGENT.model, keyRefreshMinutes: 1 } };
    const agent = new ConversationalAgent("agent", { ...AGENT, ...args, ...more, project }, options);
    return { serviceUrl: agent.serviceUrl, url: agent.url };
  };

beforeAll(async () => {
  stack = await testStack();
  vault = await testVault(stack.cluster.daemon);
  await vault.put(AGENT.model.keySecret, KEY);
  await vault.put(AGENT.database.passwordSecret, PASSWORD);
});
afterAll(() => stack?.dispose());

const read = (apiVersion: string, kind: string, name: string) =>
  stack.read({ apiVersion, kind, name, namespace });
const list = async (kind: string): Promise<Body[]> =>
  JSON.parse((await stack.cluster.kubectl(["get", kind, "-n", namespace, "-o", "json"])).stdout).items;
const secretOf = async (name: string, key: string) =>
  Buffer.from((await read("v1", "Secret", name)).data[key], "base64").toString();

test("is up when it answers: after its database, and its schema", async () => {
  const made = await stack.up(program());
  expect(Object.values(made).every((op) => op === "create")).toBe(true);
  const route = await read("route.openshift.io/v1", "Route", "agent");
  expect(await stack.outputs()).toEqual({
    serviceUrl: `https://agent.${namespace}.svc:8443`,
    url: `https://${route.status.ingress[0].host}`,
  });
  const [database, deployment] = [
    await read("apps/v1", "StatefulSet", "agent-postgres"),
    await read("apps/v1", "Deployment", "agent"),
  ];
  expect(database.status.readyReplicas).toBe(1);
  expect(deployment.status).toMatchObject({ readyReplicas: 1, updatedReplicas: 1 });
  const [migration] = await list("jobs");
  expect(migration.status.succeeded).toBe(1);
  expect(Date.parse(migration.status.completionTime)).toBeLessThanOrEqual(
    Date.parse(deployment.metadata.creationTimestamp),
  );
  expect(Date.parse(database.metadata.creationTimestamp)).toBeLessThanOrEqual(
    Date.parse(migration.metadata.creationTimestamp),
  );
});

test("its secrets come from the vault, and stand nowhere else", async () => {
  expect(await secretOf("agent-model-key", "api-key")).toBe(KEY);
  expect(await secretOf("agent-postgres-password", "password")).toBe(PASSWORD);
  const everything =
    (await stack.state()) + JSON.stringify(await list("configmaps,deployments,statefulsets,jobs,pods"));
  expect(everything).not.toContain(KEY);
  expect(everything).not.toContain(PASSWORD);
});

test("stays as it is", async () => {
  expect(await stack.preview(program())).toEqual({});
});

test("may by itself ask whose a token is and what they may, and nothing else", async () => {
  const can = async (verb: string, resource: string) => {
    const account = `system:serviceaccount:${namespace}:agent`;
    const { stdout } = await stack.cluster.kubectl(["auth", "can-i", verb, resource, "-A", "--as", account]);
    return stdout;
  };
  expect(await can("create", "tokenreviews.authentication.k8s.io")).toBe("yes");
  expect(await can("create", "subjectaccessreviews.authorization.k8s.io")).toBe("yes");
  for (const [verb, resource] of [
    ["get", "pods"],
    ["list", "secrets"],
    ["create", "inferenceservices.serving.kserve.io"],
    ["list", "tokenreviews.authentication.k8s.io"],
    ["impersonate", "users"],
  ] as const)
    expect(`${verb} ${resource}: ${await can(verb, resource)}`).toBe(`${verb} ${resource}: no`);
});

test("every object is as the server's own definitions have it, none of its fields unknown", async () => {
  const kinds =
    "deployments,statefulsets,jobs,cronjobs,services,routes,networkpolicies,hpa,pdb,servicemonitors,prometheusrules,externalsecrets";
  const objects = (await list(kinds)).filter(({ metadata }) => metadata.ownerReferences === undefined);
  const manifests = objects.map(({ status: _, metadata, ...rest }) => ({
    ...rest,
    metadata: { name: metadata.name, namespace, labels: metadata.labels, annotations: metadata.annotations },
  }));
  expect(manifests.length).toBeGreaterThan(14);
  const { stderr, exitCode } = await stack.cluster.kubectl(
    ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"],
    { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }) },
  );
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
});

test("gets a rotated key without a pod that restarts", async () => {
  const before = (await list("pods")).map(({ metadata }) => metadata.uid).sort();
  await vault.put(AGENT.model.keySecret, "the-model's-second-key");
  // What External Secrets does each minute, done now: it looks again when its object changes.
  const now = ["annotate", "externalsecret", "agent-model-key", "-n", namespace, "--overwrite"];
  await stack.cluster.kubectl([...now, "force-sync=1"]);
  const encoded = Buffer.from("the-model's-second-key").toString("base64");
  const waiting = [
    "wait",
    "secret/agent-model-key",
    "-n",
    namespace,
    `--for=jsonpath={.data.api-key}=${encoded}`,
  ];
  const waited = await stack.cluster.kubectl([...waiting, "--timeout=120s"]);
  expect(waited).toMatchObject({ exitCode: 0 });
  expect((await list("pods")).map(({ metadata }) => metadata.uid).sort()).toEqual(before);
});

test("a new version migrates first, by a Job of its own, and then rolls", async () => {
  const image = AGENT.image.replaceAll("b2", "d4");
  const ops = await stack.up(program({ image }));
  expect(ops).toEqual({ "agent-migrate": "replace", agent: "update", "agent-archive": "update" });
  const jobs = await list("jobs");
  expect(jobs.map(({ spec }) => spec.template.spec.containers[0].image)).toEqual([image]);
  const deployment = await read("apps/v1", "Deployment", "agent");
  expect(deployment.spec.template.spec.containers[0].image).toBe(image);
  expect(deployment.status.updatedReplicas).toBe(1);
  expect(await stack.preview(program({ image }))).toEqual({});
});

test("what load decided stays: a run does not take pods away", async () => {
  await stack.cluster.kubectl(["scale", "deployment/agent", "-n", namespace, "--replicas=3"]);
  const image = AGENT.image.replaceAll("b2", "d4");
  await stack.up(program({ image, archiveAfterDays: 60, auditRetentionDays: 400 }));
  const { spec } = await read("apps/v1", "Deployment", "agent");
  expect(spec.replicas).toBe(3);
  const archive = await read("batch/v1", "CronJob", "agent-archive");
  expect(archive.spec.jobTemplate.spec.template.spec.containers[0].command).toContain("--older-than-days=60");
});

test("a migration that fails leaves the version before it as it is, and the next one can follow", async () => {
  const before = await read("apps/v1", "Deployment", "agent");
  const image = AGENT.image.replaceAll("b2", "e5");
  expect(await stack.refusal(program({ image }, failingMigration))).toMatch(
    /agent-migrate" was successfully created, but [\s\S]*BackoffLimitExceeded/,
  );
  const after = await read("apps/v1", "Deployment", "agent");
  expect(after.metadata.generation).toBe(before.metadata.generation);
  const mended = AGENT.image.replaceAll("b2", "f6");
  expect(await stack.up(program({ image: mended }))).toMatchObject({ agent: "update" });
  const jobs = await list("jobs");
  expect(jobs.map(({ spec }) => spec.template.spec.containers[0].image)).toEqual([mended]);
});

test("leaves nothing, cluster-wide neither", async () => {
  await stack.down();
  const { stdout } = await stack.cluster.kubectl([
    "get",
    "namespaces,clusterroles,clusterrolebindings,persistentvolumes",
    "-o",
    "name",
  ]);
  expect(stdout).not.toMatch(/kiln-dev-agent|kiln:/);
  expect(stdout).not.toContain("persistentvolume/");
});
