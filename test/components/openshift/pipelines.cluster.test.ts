import { afterAll, beforeAll, expect, test } from "vitest";
import { DataConnection } from "../../../components/openshift/data-connection.ts";
import { PipelineServer, type PipelineServerArgs } from "../../../components/openshift/pipeline-server.ts";
import {
  ScheduledPipeline,
  type ScheduledPipelineArgs,
} from "../../../components/openshift/scheduled-pipeline.ts";
import { TAGS } from "../recording.ts";
import { type Body, type TestStack, testStack } from "./cluster.ts";
import { IMAGE, PROJECT } from "./support.ts";
import { type TestVault, testVault } from "./vault.ts";

/*
 * A pipeline server and a schedule on the real API server, by the real engine: their whole life, with real CronJobs.
 */

const { namespace } = PROJECT;
const SECRETS = { s3Id: "an-s3-id", s3Key: "an-s3-key", database: "a-database's-password" };

let stack: TestStack;
let vault: TestVault;

interface More {
  readonly server?: Partial<PipelineServerArgs>;
  readonly schedule?: Partial<ScheduledPipelineArgs>;
}

const program =
  ({ server: serverMore = {}, schedule = {} }: More = {}) =>
  async () => {
    const project = vault.project(PROJECT, ["s3-id", "s3-key", "pipelines-database"]);
    const connection = new DataConnection("artifacts", {
      project,
      connectionName: "artifacts",
      tags: TAGS,
      connection: {
        type: "s3",
        endpoint: "https://s3.example.com",
        bucket: "artifacts",
        accessKeyId: { secret: "s3-id" },
        secretAccessKey: { secret: "s3-key" },
      },
    });
    const server = new PipelineServer("pipelines", {
      project,
      tags: TAGS,
      database: { host: "mysql.example.com", passwordSecret: "pipelines-database" },
      storage: { connection },
      patienceSeconds: 120,
      after: [connection.synced],
      ...serverMore,
    });
    const nightly = new ScheduledPipeline("nightly", {
      project,
      scheduleName: "nightly",
      tags: TAGS,
      server: { name: server.serverName, apiUrl: server.apiUrl },
      pipeline: { name: "training" },
      // Each minute, so that one can see it happen.
      schedule: "* * * * *",
      image: IMAGE,
      after: [server.server],
      ...schedule,
    });
    return { cronJob: nightly.cronJobName, api: server.apiUrl };
  };

beforeAll(async () => {
  stack = await testStack();
  vault = await testVault(stack.cluster.daemon);
  await vault.put("s3-id", SECRETS.s3Id);
  await vault.put("s3-key", SECRETS.s3Key);
  await vault.put("pipelines-database", SECRETS.database);
});
afterAll(() => stack?.dispose());

const list = async (kind: string): Promise<Body[]> =>
  JSON.parse((await stack.cluster.kubectl(["get", kind, "-n", namespace, "-o", "json"])).stdout).items;
const server = (name = "dspa") =>
  stack.read({
    apiVersion: "datasciencepipelinesapplications.opendatahub.io/v1",
    kind: "DataSciencePipelinesApplication",
    name,
    namespace,
  });
const readyOf = (object: Body) =>
  object.status.conditions.find(({ type }: { type: string }) => type === "Ready")?.status;
let cronJob: string;

test("are up when the server answers, with what is outside and nothing of its own", async () => {
  const made = await stack.up(program());
  expect(Object.values(made).every((op) => op === "create")).toBe(true);
  expect(readyOf(await server())).toBe("True");
  const names = (await list("deployments")).map(({ metadata }) => metadata.name);
  expect(names).toContain("ds-pipeline-dspa");
  expect(names.filter((name) => /mariadb|minio/.test(name))).toEqual([]);
  const claims = await list("persistentvolumeclaims");
  expect(claims).toEqual([]);
  cronJob = String((await stack.outputs()).cronJob);
  const [found] = await list("cronjobs");
  expect(found.metadata.name).toBe(cronJob);
  expect(found.spec).toMatchObject({ schedule: "* * * * *", timeZone: "Etc/UTC", suspend: false });
});

test("have their secrets from the vault, and in no state", async () => {
  const password = await stack.read({ apiVersion: "v1", kind: "Secret", name: "dspa-database", namespace });
  expect(Buffer.from(password.data.password, "base64").toString()).toBe(SECRETS.database);
  const state = await stack.state();
  for (const secret of Object.values(SECRETS)) expect(state).not.toContain(secret);
});

test("stay as they are", async () => {
  expect(await stack.preview(program())).toEqual({});
});

test("the schedule's account may use this server's API, and nothing else", async () => {
  const account = `system:serviceaccount:${namespace}:nightly`;
  const can = async (verb: string, resource: string, ...flags: string[]) =>
    (
      await stack.cluster.kubectl([
        "auth",
        "can-i",
        verb,
        resource,
        "-n",
        namespace,
        "--as",
        account,
        ...flags,
      ])
    ).stdout;
  const type = "datasciencepipelinesapplications.datasciencepipelinesapplications.opendatahub.io";
  expect(await can("create", `${type}/dspa`, "--subresource=api")).toBe("yes");
  expect(await can("create", `${type}/other`, "--subresource=api")).toBe("no");
  expect(await can("get", `${type}/dspa`)).toBe("no");
  for (const resource of ["pods", "secrets", "jobs.batch"]) expect(await can("create", resource)).toBe("no");
});

test("the schedule fires: its Job's name is the run's, which tells schedule, definition and time", async () => {
  const fired = await stack.cluster.kubectl([
    "wait",
    `cronjob/${cronJob}`,
    "-n",
    namespace,
    "--for=jsonpath={.status.lastSuccessfulTime}",
    "--timeout=150s",
  ]);
  expect(fired).toMatchObject({ exitCode: 0 });
  const [job] = await list("jobs");
  expect(job.metadata.name).toMatch(new RegExp(`^${cronJob}-\\d+$`));
  expect(job.metadata.name).toMatch(/^nightly-[0-9a-f]{8}-\d+$/);
  const [pod] = (await list("pods")).filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind === "Job");
  expect(pod.metadata.labels["batch.kubernetes.io/job-name"]).toMatch(/^nightly-[0-9a-f]{8}-\d+$/);
});

test("switching it off changes it in place; another time or pipeline makes it anew", async () => {
  const off = { enabled: false };
  expect(await stack.up(program({ schedule: off }))).toEqual({ nightly: "update" });
  expect((await list("cronjobs")).map(({ metadata, spec }) => [metadata.name, spec.suspend])).toEqual([
    [cronJob, true],
  ]);

  expect(await stack.up(program({ schedule: { ...off, schedule: "30 2 * * *" } }))).toEqual({
    nightly: "replace",
  });
  const [later, ...rest] = await list("cronjobs");
  expect(rest).toEqual([]);
  expect(later.metadata.name).toMatch(/^nightly-[0-9a-f]{8}$/);
  expect(later.metadata.name).not.toBe(cronJob);
  expect(later.status.lastScheduleTime).toBeUndefined();
  expect(await list("jobs")).toEqual([]);

  const parameters = { epochs: 3 };
  await stack.up(program({ schedule: { schedule: "30 2 * * *", parameters } }));
  const [last] = await list("cronjobs");
  const files = last.spec.jobTemplate.spec.template.spec.volumes.find(
    ({ name }: { name: string }) => name === "files",
  );
  const map = await stack.read({
    apiVersion: "v1",
    kind: "ConfigMap",
    name: files.configMap.name,
    namespace,
  });
  expect(JSON.parse(map.data["request.json"])).toMatchObject({ parameters });
});

test("the server changes in place, and is ready again", async () => {
  const more = { server: { caching: false }, schedule: { schedule: "30 2 * * *" } };
  expect(await stack.up(program(more))).toMatchObject({ pipelines: "update" });
  const changed = await server();
  expect(changed.spec.apiServer.cacheEnabled).toBe(false);
  expect(readyOf(changed)).toBe("True");
  expect(await stack.preview(program(more))).toEqual({});
});

test("are refused: by their own rules before anything is touched, by the server's definition else", async () => {
  const never = await stack.refusal(program({ schedule: { schedule: "0 0 31 2 *" } }));
  expect(never).toMatch(/ScheduledPipeline: schedule is "0 0 31 2 \*": it never comes/);
  const nowhere = await stack.refusal(program({ server: { pipelineStore: "nowhere" as "database" } }));
  expect(nowhere).toMatch(/spec\.apiServer\.pipelineStore: Unsupported value: "nowhere"/);
});

test("a server by another name is another, and its schedule goes with it", async () => {
  const ops = await stack.up(program({ server: { serverName: "team" } }));
  expect(ops).toMatchObject({ pipelines: "replace", "pipelines-database": "replace", nightly: "replace" });
  expect(await server()).toBeUndefined();
  expect(readyOf(await server("team"))).toBe("True");
});

test("leave nothing", async () => {
  await stack.down();
  const { stdout } = await stack.cluster.kubectl(["get", "namespace", namespace, "--ignore-not-found"]);
  expect(stdout).toBe("");
});
