import { AppsV1Api, CoreV1Api, PatchStrategy, Watch } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestKubernetes, testKubernetes } from "../../harness/kubernetes.ts";

let cluster: TestKubernetes;

beforeAll(async () => {
  cluster = await testKubernetes();
  await cluster.kubectl(["create", "namespace", "work"]);
});
afterAll(() => cluster?.dispose());

/** Watches objects until one of them is as wanted. */
async function seen(path: string, wanted: (object: Body) => boolean): Promise<Body> {
  const done = Promise.withResolvers<Body>();
  const request = await new Watch(cluster.config()).watch(
    path,
    {},
    (_phase, object) => {
      if (wanted(object)) done.resolve(object);
    },
    (error) => done.reject(error ?? new Error("the watch ended")),
  );
  try {
    return await done.promise;
  } finally {
    request.abort();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: objects are looked into as they come off the wire
type Body = any;

const deployment = (name: string, replicas: number, requests?: Record<string, string>) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "work" },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: "main",
            image: "registry.example/app:1",
            ...(requests === undefined ? {} : { resources: { requests, limits: requests } }),
          },
        ],
      },
    },
  },
});

describe("the nodes", () => {
  test("are ready, big enough for a thousand models, and one has accelerators", async () => {
    const path = "/api/v1/nodes";
    const ready = (node: Body) =>
      node.status?.conditions?.some((each: Body) => each.type === "Ready" && each.status === "True") === true;
    for (const name of ["worker-0", "worker-1", "gpu-0"]) {
      const node = await seen(path, (object) => object.metadata?.name === name && ready(object));
      expect(node.status.allocatable).toMatchObject({ cpu: "256", memory: "1Ti", pods: "2k" });
      expect(node.status.allocatable["nvidia.com/gpu"]).toBe(name === "gpu-0" ? "4" : undefined);
    }
  });

  test("run what is scheduled to them, until they are full", async () => {
    await cluster.objects().create(deployment("fits", 3, { cpu: "100m" }));
    await seen("/apis/apps/v1/namespaces/work/deployments", (object) => object.status?.readyReplicas === 3);
    await cluster.objects().create(deployment("too-big", 1, { "nvidia.com/gpu": "8" }));
    const pod = await seen("/api/v1/namespaces/work/pods", (object) =>
      object.status?.conditions?.some((each: Body) => each.reason === "Unschedulable"),
    );
    expect(pod.metadata.labels.app).toBe("too-big");
    expect(JSON.stringify(pod.status.conditions)).toContain("Insufficient nvidia.com/gpu");
  });
});

describe("a quota", () => {
  test("refuses what goes beyond it, and what does not say how much it needs", async () => {
    const core = cluster.config().makeApiClient(CoreV1Api);
    await core.createNamespace({ body: { metadata: { name: "small" } } });
    await core.createNamespacedResourceQuota({
      namespace: "small",
      body: { metadata: { name: "quota" }, spec: { hard: { "requests.cpu": "1", pods: "2" } } },
    });
    await seen("/api/v1/namespaces/small/resourcequotas", (quota) => quota.status?.used?.pods === "0");
    const pod = (name: string, cpu?: string) => ({
      metadata: { name },
      spec: {
        containers: [
          {
            name: "main",
            image: "registry.example/app:1",
            ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }),
          },
        ],
      },
    });
    const create = async (name: string, cpu?: string): Promise<string> => {
      const made = core.createNamespacedPod({ namespace: "small", body: pod(name, cpu) });
      return made.then(
        () => "created",
        (error: { code: number; body: string }) =>
          `${error.code} ${(JSON.parse(error.body) as Body).message}`,
      );
    };
    expect(await create("silent")).toMatch(/^403 .*must specify requests.cpu/);
    // The default service account comes a moment after its namespace.
    await seen("/api/v1/namespaces/small/serviceaccounts", (account) => account.metadata?.name === "default");
    expect(await create("first", "600m")).toBe("created");
    expect(await create("second", "600m")).toMatch(
      /^403 .*exceeded quota: quota, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1/,
    );
    await core.createNamespacedLimitRange({
      namespace: "small",
      body: {
        metadata: { name: "limits" },
        spec: { limits: [{ type: "Container", defaultRequest: { cpu: "100m" } }] },
      },
    });
    await seen("/api/v1/namespaces/small/limitranges", (range) => range.metadata?.name === "limits");
    expect(await create("silent")).toBe("created");
    expect(await create("third", "100m")).toMatch(/^403 .*exceeded quota: quota, requested: pods=1/);
  });
});

describe("definitions", () => {
  const kinds = {
    "serving.kserve.io": ["inferenceservices", "servingruntimes", "clusterservingruntimes"],
    "route.openshift.io": ["routes"],
    "external-secrets.io": ["secretstores", "clustersecretstores", "externalsecrets"],
    "monitoring.coreos.com": ["servicemonitors", "prometheusrules"],
    "kueue.x-k8s.io": ["localqueues", "clusterqueues", "resourceflavors"],
    "kubeflow.org": ["notebooks"],
    "datasciencepipelinesapplications.opendatahub.io": ["datasciencepipelinesapplications"],
  };

  test("are all established, the hand-written ones marked as such", async () => {
    const { stdout } = await cluster.kubectl(["get", "crds", "-o", "json"]);
    const definitions = (JSON.parse(stdout) as { items: Body[] }).items;
    const found = definitions.map(({ metadata }) => metadata.name);
    for (const [group, plurals] of Object.entries(kinds))
      for (const plural of plurals) expect(found).toContain(`${plural}.${group}`);
    for (const { metadata, status } of definitions) {
      const conditions = Object.fromEntries(status.conditions.map((each: Body) => [each.type, each.status]));
      expect([metadata.name, conditions]).toEqual([
        metadata.name,
        { NamesAccepted: "True", Established: "True" },
      ]);
    }
    const byHand = definitions.filter(({ metadata }) => metadata.annotations?.["kiln.sandbox/hand-written"]);
    expect(byHand.map(({ metadata }) => metadata.name).sort()).toEqual([
      "datasciencepipelinesapplications.datasciencepipelinesapplications.opendatahub.io",
      "notebooks.kubeflow.org",
    ]);
  });

  const notebook = (spec: object) => ({
    apiVersion: "kubeflow.org/v1",
    kind: "Notebook",
    metadata: { name: "book", namespace: "work", labels: { "opendatahub.io/notebook-image": "true" } },
    spec,
  });
  const pipelines = (spec: object) => ({
    apiVersion: "datasciencepipelinesapplications.opendatahub.io/v1",
    kind: "DataSciencePipelinesApplication",
    metadata: { name: "dspa", namespace: "work" },
    spec,
  });
  const container = {
    name: "book",
    image: "registry.example/book@sha256:0",
    volumeMounts: [{ name: "shm", mountPath: "/dev/shm" }],
  };
  const credentials = {
    secretName: "s3",
    accessKey: "AWS_ACCESS_KEY_ID",
    secretKey: "AWS_SECRET_ACCESS_KEY",
  };
  const externalStorage = {
    host: "s3.example",
    bucket: "runs",
    scheme: "https",
    s3CredentialsSecret: credentials,
  };

  test.each([
    [
      "a notebook without a container",
      notebook({ template: { spec: { containers: [] } } }),
      "spec.template.spec.containers",
    ],
    ["a notebook without a template", notebook({}), "spec.template: Required value"],
    [
      "a notebook's container without an image",
      notebook({ template: { spec: { containers: [{ name: "book" }] } } }),
      "image: Required value",
    ],
    ["a pipeline server without storage", pipelines({}), "spec.objectStorage: Required value"],
    [
      "a pipeline server with storage that has no bucket",
      pipelines({ objectStorage: { externalStorage: { ...externalStorage, bucket: undefined } } }),
      "bucket: Required value",
    ],
    [
      "a pipeline server whose database has no password",
      pipelines({
        objectStorage: { externalStorage },
        database: { externalDB: { host: "db", port: "3306", username: "u", pipelineDBName: "p" } },
      }),
      "passwordSecret: Required value",
    ],
    [
      "a pipeline server that keeps pipelines in no such place",
      pipelines({ objectStorage: { externalStorage }, apiServer: { pipelineStore: "disk" } }),
      "Unsupported value",
    ],
  ])("refuse %s", async (_what, object, message) => {
    const { exitCode, stderr } = await cluster.kubectl(["create", "-f", "-"], {
      input: JSON.stringify(object),
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });

  test("take a notebook as it is written, fields of a pod that they do not know included", async () => {
    const spec = {
      template: {
        spec: {
          containers: [container],
          volumes: [{ name: "shm", emptyDir: { medium: "Memory", sizeLimit: "2Gi" } }],
          topologySpreadConstraints: [
            { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" },
          ],
        },
      },
    };
    const made: Body = await cluster.objects().create(notebook(spec));
    expect(made.spec).toEqual(spec);
    // Two writers, each of an item of its own in a list with keys.
    const more = notebook({ template: { spec: { containers: [{ ...container, name: "proxy" }] } } });
    const both: Body = await cluster
      .objects()
      .patch(more, undefined, undefined, "another", false, PatchStrategy.ServerSideApply);
    expect(both.spec.template.spec.containers.map(({ name }: Body) => name)).toEqual(["book", "proxy"]);
  });

  test("fill in what the pipelines operator fills in, and have a status of their own", async () => {
    const made: Body = await cluster.objects().create(pipelines({ objectStorage: { externalStorage } }));
    expect(made.spec).toMatchObject({
      dspVersion: "v2",
      podToPodTLS: true,
      apiServer: { deploy: true, cacheEnabled: true, pipelineStore: "database" },
      database: {
        disableHealthCheck: false,
        mariaDB: { deploy: true, pvcSize: "10Gi", username: "mlpipeline" },
      },
      scheduledWorkflow: { cronScheduleTimezone: "UTC" },
    });
    const status = { components: { apiServer: { externalUrl: "https://ds-pipeline.example" } } };
    await cluster
      .objects()
      .patch(
        { ...pipelines({}), status } as Body,
        undefined,
        undefined,
        "t",
        undefined,
        PatchStrategy.MergePatch,
      );
    const { stdout } = await cluster.kubectl([
      "get",
      "dspa",
      "dspa",
      "-n",
      "work",
      "-o",
      "jsonpath={.status.components.apiServer.externalUrl}",
    ]);
    // A write of the object leaves its status alone.
    expect(stdout).not.toContain("ds-pipeline.example");
  });
});

test("a rollout of a deployment ends, and a namespace goes with all that is in it", async () => {
  await cluster.kubectl(["create", "namespace", "brief"]);
  const apps = cluster.config().makeApiClient(AppsV1Api);
  const body = deployment("web", 2);
  await apps.createNamespacedDeployment({ namespace: "brief", body: { ...body, metadata: { name: "web" } } });
  const rollout = await cluster.kubectl([
    "rollout",
    "status",
    "deployment/web",
    "-n",
    "brief",
    "--timeout=120s",
  ]);
  expect(rollout.stdout).toContain("successfully rolled out");
  const gone = await cluster.kubectl(["delete", "namespace", "brief", "--timeout=120s"]);
  expect(gone).toMatchObject({ exitCode: 0 });
  expect((await cluster.kubectl(["get", "namespace", "brief"])).stderr).toContain("NotFound");
});
