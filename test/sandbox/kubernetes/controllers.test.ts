import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type TestKubernetes, testKubernetes } from "../../harness/kubernetes.ts";

/** The operators' process on the real control plane: what people see of models, notebooks and pipeline servers. */
let cluster: TestKubernetes;

beforeAll(async () => {
  cluster = await testKubernetes();
  await kubectl("create", "namespace", "p1");
  await apply(runtime("ovms", "onnx"));
});
afterAll(() => cluster?.dispose());

async function kubectl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args);
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

async function apply(...objects: object[]): Promise<void> {
  const input = objects.map((each) => stringify(each)).join("---\n");
  const { exitCode, stderr } = await cluster.kubectl(["apply", "-f", "-"], { input });
  if (exitCode !== 0) throw new Error(stderr);
}

/** Waits until a field has a value; `kubectl wait` watches, it does not poll. */
async function until(object: string, path: string, value: string, namespace = "p1"): Promise<void> {
  const field = value === "" ? path : `${path}=${value}`;
  try {
    await kubectl("wait", object, "-n", namespace, `--for=jsonpath=${field}`, "--timeout=120s");
  } catch (error) {
    const now = await cluster.kubectl(["get", object, "-n", namespace, "-o", "yaml"]);
    const pods = await cluster.kubectl(["get", "pods,events", "-n", namespace]);
    throw new Error(`${error}\n${now.stdout}\n${pods.stdout}`);
  }
}

const ready = (object: string, value = "True") =>
  until(object, `{.status.conditions[?(@.type=="Ready")].status}`, value);

// biome-ignore lint/suspicious/noExplicitAny: objects are looked into as they come off the wire
async function read(object: string, namespace = "p1"): Promise<any> {
  return JSON.parse(await kubectl("get", object, "-n", namespace, "-o", "json"));
}

function runtime(name: string, format: string, namespace = "p1") {
  return {
    apiVersion: "serving.kserve.io/v1alpha1",
    kind: "ServingRuntime",
    metadata: { name, namespace },
    spec: {
      supportedModelFormats: [{ name: format, version: "1", autoSelect: true }],
      containers: [
        {
          name: "kserve-container",
          image: "registry.example/server:1",
          args: ["--model_name={{.Name}}"],
          ports: [{ name: "http", containerPort: 8888, protocol: "TCP" }],
        },
      ],
    },
  };
}

function model(
  name: string,
  predictor: object = {},
  metadata: { labels?: object; annotations?: object } = {},
  namespace = "p1",
) {
  const { model: own, ...rest } = predictor as { model?: object };
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: { name, namespace, ...metadata },
    spec: {
      predictor: {
        model: { modelFormat: { name: "onnx" }, storageUri: "s3://bucket/model", ...own },
        ...rest,
      },
    },
  };
}

describe("a model", () => {
  test("comes up with its Deployment, Service and Route, and goes with them", async () => {
    await apply(
      model("up", { minReplicas: 0 }, { labels: { "networking.kserve.io/visibility": "exposed" } }),
    );
    await ready("inferenceservice/up");
    const { status } = await read("inferenceservice/up");
    expect(status).toMatchObject({
      url: "https://up-p1.apps.kiln.sandbox",
      address: { url: "http://up-predictor.p1.svc.cluster.local:8080" },
      deploymentMode: "Standard",
      observedGeneration: 1,
      modelStatus: { transitionStatus: "UpToDate", states: { activeModelState: "Loaded" } },
    });
    const deployment = await read("deployment/up-predictor");
    // Zero is silently one: kserve#3514.
    expect(deployment.spec.replicas).toBe(1);
    expect(deployment.metadata.ownerReferences).toMatchObject([{ kind: "InferenceService", name: "up" }]);
    expect(deployment.spec.template.spec.containers[0].args).toEqual(["--model_name=up"]);
    expect(deployment.spec.template.spec.initContainers[0]).toMatchObject({
      name: "storage-initializer",
      args: ["s3://bucket/model", "/mnt/models"],
    });
    await kubectl("delete", "inferenceservice/up", "-n", "p1");
    for (const child of ["deployment/up-predictor", "service/up-predictor", "route/up"]) {
      await kubectl("wait", child, "-n", "p1", "--for=delete", "--timeout=60s");
    }
  });

  test("that is not exposed leaves no Route of its name, whoever made it", async () => {
    const route = (name: string) => ({
      apiVersion: "route.openshift.io/v1",
      kind: "Route",
      metadata: { name, namespace: "p1" },
      spec: { to: { kind: "Service", name: "within-predictor" } },
    });
    await apply(route("within"), route("within.canary"), model("within"));
    await ready("inferenceservice/within");
    await kubectl("wait", "route/within", "-n", "p1", "--for=delete", "--timeout=60s");
    await read("route/within.canary");
  });

  test("without its runtime says so, and comes up when there is one", async () => {
    await apply(model("waits", { model: { runtime: "later", modelFormat: { name: "later" } } }));
    await until(
      "inferenceservice/waits",
      "{.status.modelStatus.lastFailureInfo.reason}",
      "RuntimeNotRecognized",
    );
    expect((await read("inferenceservice/waits")).status.modelStatus).toMatchObject({
      transitionStatus: "InvalidSpec",
      states: { targetModelState: "FailedToLoad" },
      lastFailureInfo: { message: "Waiting for runtime to become available" },
    });
    await apply(runtime("later", "later"));
    await ready("inferenceservice/waits");
    expect((await read("inferenceservice/waits")).status.modelStatus.lastFailureInfo).toBeUndefined();
  });

  test("whose data connection is missing fails to load in its init container, until it is there", async () => {
    const storage = { storageUri: undefined, storage: { key: "bucket", path: "models/m" } };
    await apply(model("fetches", { model: storage }));
    await until("inferenceservice/fetches", "{.status.modelStatus.transitionStatus}", "BlockedByFailedLoad");
    const { status } = await read("inferenceservice/fetches");
    expect(status.modelStatus.lastFailureInfo).toMatchObject({
      reason: "ModelLoadFailed",
      message:
        "failed to pull the model from 'models/m': the data connection's secret 'bucket' does not exist",
      exitCode: 1,
    });
    const keys = {
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_S3_ENDPOINT: "https://s3.example.com",
      AWS_S3_BUCKET: "b",
    };
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "bucket", namespace: "p1" },
      stringData: keys,
    });
    await ready("inferenceservice/fetches");
    const { spec } = (await read("deployment/fetches-predictor")).spec.template;
    expect(spec.initContainers[0].args[0]).toBe("s3://b/models/m");
  });

  test("that exceeds the quota shows what the API server said", async () => {
    await kubectl("create", "namespace", "full");
    await kubectl("create", "quota", "small", "-n", "full", "--hard=pods=0");
    await apply(runtime("ovms", "onnx", "full"), model("big", {}, {}, "full"));
    const path = `{.status.conditions[?(@.type=="PredictorReady")].reason}`;
    await until("inferenceservice/big", path, "FailedCreate", "full");
    const { conditions } = (await read("inferenceservice/big", "full")).status;
    const failed = conditions.find(({ type }: { type: string }) => type === "Ready");
    expect(failed.status).toBe("False");
    expect(failed.message).toContain("exceeded quota: small");
    await kubectl("delete", "quota", "small", "-n", "full");
    await until("inferenceservice/big", `{.status.conditions[?(@.type=="Ready")].status}`, "True", "full");
  });

  test("is stopped, started again and scaled", async () => {
    await apply(model("elastic", { minReplicas: 1, maxReplicas: 3 }));
    await ready("inferenceservice/elastic");
    expect((await read("hpa/elastic-predictor")).spec).toMatchObject({ minReplicas: 1, maxReplicas: 3 });
    await kubectl("annotate", "inferenceservice/elastic", "-n", "p1", "serving.kserve.io/stop=true");
    await until("inferenceservice/elastic", `{.status.conditions[?(@.type=="Stopped")].status}`, "True");
    await kubectl("wait", "deployment/elastic-predictor", "-n", "p1", "--for=delete", "--timeout=60s");
    await kubectl("annotate", "inferenceservice/elastic", "-n", "p1", "serving.kserve.io/stop-");
    await ready("inferenceservice/elastic");
    await apply(model("elastic", { minReplicas: 2, maxReplicas: 2 }));
    await until("deployment/elastic-predictor", "{.status.readyReplicas}", "2");
    await kubectl("wait", "hpa/elastic-predictor", "-n", "p1", "--for=delete", "--timeout=60s");
  });

  test("with token authentication has the proxy, its rights and a certificate that the cluster vouches for", async () => {
    const annotations = { "security.opendatahub.io/enable-auth": "true" };
    await apply(model("guarded", {}, { annotations }));
    await ready("inferenceservice/guarded");
    expect((await read("inferenceservice/guarded")).status.url).toBe(
      "https://guarded-predictor.p1.svc.cluster.local:8443",
    );
    const { containers } = (await read("deployment/guarded-predictor")).spec.template.spec;
    expect(containers.map(({ name }: { name: string }) => name)).toEqual([
      "kserve-container",
      "kube-rbac-proxy",
    ]);
    const binding = await read("clusterrolebinding/p1-default-auth-delegator");
    expect(binding.subjects).toEqual([{ kind: "ServiceAccount", name: "default", namespace: "p1" }]);
    await until("secret/guarded-predictor-serving-cert", "{.type}", "kubernetes.io/tls");
    const secret = await read("secret/guarded-predictor-serving-cert");
    const bundle = await read("configmap/openshift-service-ca.crt");
    const certificate = new X509Certificate(Buffer.from(secret.data["tls.crt"], "base64"));
    const authority = new X509Certificate(bundle.data["service-ca.crt"]);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkHost("guarded-predictor.p1.svc")).toBe("guarded-predictor.p1.svc");
    await kubectl("delete", "inferenceservice/guarded", "-n", "p1");
    await kubectl("wait", "clusterrolebinding/p1-default-auth-delegator", "--for=delete", "--timeout=60s");
  });

  test("that is marked to fail does, and those beside it do not", async () => {
    await apply(
      model("broken", {}, { annotations: { "sandbox.kiln/fail": "out of memory" } }),
      model("sound", { model: { storageUri: "ftp://nowhere/x" } }),
      model("fine"),
    );
    await until("inferenceservice/broken", "{.status.modelStatus.lastFailureInfo.message}", "out of memory");
    await until(
      "inferenceservice/sound",
      "{.status.modelStatus.lastFailureInfo.reason}",
      "InvalidPredictorSpec",
    );
    await ready("inferenceservice/fine");
  });
});

test("a notebook runs, stops and starts; its home is a volume that grows", async () => {
  const claim = (storage: string) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "nb", namespace: "p1" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  });
  await apply(claim("10Gi"), {
    apiVersion: "kubeflow.org/v1",
    kind: "Notebook",
    metadata: {
      name: "nb",
      namespace: "p1",
      annotations: { "notebooks.opendatahub.io/inject-auth": "true" },
    },
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: "nb",
              image: "registry.example/notebook:1",
              volumeMounts: [{ name: "home", mountPath: "/opt/app-root/src" }],
            },
          ],
          volumes: [{ name: "home", persistentVolumeClaim: { claimName: "nb" } }],
        },
      },
    },
  });
  await until("notebook/nb", "{.status.readyReplicas}", "1");
  await until("notebook/nb", "{.status.containerState.running.startedAt}", "");
  await until("pvc/nb", "{.status.phase}", "Bound");
  await until("route/nb", "{.status.ingress[0].host}", "nb-p1.apps.kiln.sandbox");
  await apply(claim("20Gi"));
  await until("pvc/nb", "{.status.capacity.storage}", "20Gi");
  await kubectl("annotate", "notebook/nb", "-n", "p1", "kubeflow-resource-stopped=2026-03-01T12:00:00Z");
  await until("notebook/nb", "{.status.readyReplicas}", "0");
  expect((await read("statefulset/nb")).spec.replicas).toBe(0);
  await kubectl("annotate", "notebook/nb", "-n", "p1", "kubeflow-resource-stopped-");
  await until("notebook/nb", "{.status.readyReplicas}", "1");
});

test("a pipeline server waits for its Secrets, and then for its parts", async () => {
  await apply({
    apiVersion: "datasciencepipelinesapplications.opendatahub.io/v1",
    kind: "DataSciencePipelinesApplication",
    metadata: { name: "dspa", namespace: "p1" },
    spec: {
      database: {
        externalDB: {
          host: "db.example.com",
          port: "3306",
          username: "u",
          pipelineDBName: "d",
          passwordSecret: { name: "db", key: "password" },
        },
      },
      objectStorage: {
        externalStorage: {
          host: "s3.example.com",
          scheme: "https",
          bucket: "b",
          s3CredentialsSecret: { secretName: "db", accessKey: "access", secretKey: "secret" },
        },
      },
    },
  });
  await ready("dspa/dspa", "False");
  const condition = `{.status.conditions[?(@.type=="DatabaseAvailable")].message}`;
  await until("dspa/dspa", condition, `secrets "db" not found`);
  await kubectl(
    ...["create", "secret", "generic", "db", "-n", "p1"],
    ...["password", "access", "secret"].map((key) => `--from-literal=${key}=x`),
  );
  await ready("dspa/dspa");
  await until(
    "dspa/dspa",
    "{.status.components.apiServer.externalUrl}",
    "https://ds-pipeline-dspa-p1.apps.kiln.sandbox",
  );
  await until("secret/ds-pipelines-proxy-tls-dspa", "{.type}", "kubernetes.io/tls");
});

test("the older of two Routes has the host, until it is gone", async () => {
  await kubectl("create", "namespace", "p2");
  const route = (name: string, namespace: string) => ({
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: { name, namespace },
    spec: { host: "shared.apps.kiln.sandbox", to: { kind: "Service", name: "x" } },
  });
  const admitted = `{.status.ingress[0].conditions[?(@.type=="Admitted")].status}`;
  await apply(route("first", "p1"));
  await until("route/first", admitted, "True");
  await apply(route("second", "p2"));
  await until("route/second", admitted, "False", "p2");
  expect((await read("route/second", "p2")).status.ingress[0].conditions[0].reason).toBe(
    "HostAlreadyClaimed",
  );
  await kubectl("delete", "route/first", "-n", "p1");
  await until("route/second", admitted, "True", "p2");
});

test("namespaces have user ids of their own", async () => {
  const range = "{.metadata.annotations.openshift\\.io/sa\\.scc\\.uid-range}";
  for (const name of ["p1", "full"]) await until(`namespace/${name}`, range, "", name);
  const ranges = await kubectl("get", "namespaces", "-o", `jsonpath={range .items[*]}${range}{"\\n"}{end}`);
  const all = ranges.split("\n").filter((each) => each !== "");
  expect(new Set(all).size).toBe(all.length);
});

test("the API server killed in the middle, the controllers go on when it is back", async () => {
  const { "kube-apiserver": api, controllers } = await cluster.pids();
  await apply(model("before"));
  process.kill(api ?? 0, "SIGKILL");
  await expect
    .poll(async () => (await cluster.kubectl(["get", "--raw", "/readyz"])).stdout, {
      timeout: 120_000,
    })
    .toBe("ok");
  await apply(model("after"));
  await ready("inferenceservice/before");
  await ready("inferenceservice/after");
  expect((await cluster.pids()).controllers).toBe(controllers);
});
