import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  predictorAutoscaler,
  predictorRoute,
  predictorService,
  scaleOf,
} from "../../../sandbox/kubernetes/controllers/kserve/children.ts";
import { InvalidPredictor, predictorPod } from "../../../sandbox/kubernetes/controllers/kserve/pod.ts";
import { chooseRuntime } from "../../../sandbox/kubernetes/controllers/kserve/runtimes.ts";
import { inferenceServiceStatus } from "../../../sandbox/kubernetes/controllers/kserve/status.ts";
import { modelSource } from "../../../sandbox/kubernetes/controllers/kserve/storage.ts";
import type {
  InferenceService,
  Predictor,
  ServingRuntime,
} from "../../../sandbox/kubernetes/controllers/kserve/types.ts";
import { notebookStatus } from "../../../sandbox/kubernetes/controllers/notebook/children.ts";
import { admission, type Route } from "../../../sandbox/kubernetes/controllers/openshift/admission.ts";
import { securityAnnotations } from "../../../sandbox/kubernetes/controllers/openshift/namespaces.ts";
import { volumeFor, wantsToGrow } from "../../../sandbox/kubernetes/controllers/openshift/volumes.ts";
import type {
  Condition,
  Deployment,
  Secret,
} from "../../../sandbox/kubernetes/controllers/runtime/objects.ts";
import { dueInMs, durationMs } from "../../../sandbox/kubernetes/controllers/secrets/refresh.ts";
import { filledText, targetSecret } from "../../../sandbox/kubernetes/controllers/secrets/template.ts";
import { marks as secretMarks } from "../../../sandbox/kubernetes/controllers/secrets/types.ts";
import { identityOf } from "../../../sandbox/kubernetes/controllers/secrets/vault.ts";

const now = "2026-03-01T12:00:00Z";

function service(predictor: Predictor = {}, annotations = {}, labels = {}): InferenceService {
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: { name: "m", namespace: "ns", uid: "u", generation: 3, annotations, labels },
    spec: { predictor: { model: { modelFormat: { name: "onnx" }, storageUri: "s3://b/m" }, ...predictor } },
  };
}

function runtime(name: string, more: Partial<ServingRuntime["spec"]> = {}): ServingRuntime {
  return {
    apiVersion: "serving.kserve.io/v1alpha1",
    kind: "ServingRuntime",
    metadata: { name, namespace: "ns" },
    spec: {
      containers: [{ name: "kserve-container", image: "server:1", args: ["--name={{.Name}}"] }],
      supportedModelFormats: [{ name: "onnx", version: "1", autoSelect: true }],
      ...more,
    },
  };
}

describe("the choice of a runtime", () => {
  const model = { modelFormat: { name: "onnx" } };
  test("by name: the project's before the cluster's", () => {
    const mine = runtime("r", { labels: { mine: "yes" } });
    expect(chooseRuntime({ ...model, runtime: "r" }, [mine], [runtime("r")])).toEqual({ runtime: mine });
  });
  test.each([
    ["RuntimeNotRecognized", { ...model, runtime: "nope" }, [runtime("r")]],
    ["RuntimeDisabled", { ...model, runtime: "r" }, [runtime("r", { disabled: true })]],
    ["NoSupportingRuntime", { modelFormat: { name: "other" }, runtime: "r" }, [runtime("r")]],
    ["NoSupportingRuntime", { modelFormat: { name: "onnx", version: "2" } }, [runtime("r")]],
    ["NoSupportingRuntime", model, [runtime("r", { protocolVersions: ["v2"] })]],
    ["NoSupportingRuntime", model, [runtime("r", { supportedModelFormats: [{ name: "onnx" }] })]],
  ])("%s", (reason, wanted, runtimes) => {
    expect(chooseRuntime(wanted, runtimes, [])).toMatchObject({ failure: { reason } });
  });
  test("without a name: by priority, then the newer", () => {
    const format = (priority: number) => ({
      supportedModelFormats: [{ name: "onnx", autoSelect: true, priority }],
    });
    const all = [runtime("a", format(1)), runtime("b", format(2)), runtime("c", format(1))];
    expect(chooseRuntime(model, all, [runtime("d", format(9))])).toMatchObject({
      runtime: { metadata: { name: "b" } },
    });
  });
});

describe("where a model comes from", () => {
  const secret = (data: Record<string, string>, annotations = {}): Secret => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "c", namespace: "ns", annotations },
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    ),
  });
  const s3 = {
    AWS_ACCESS_KEY_ID: "i",
    AWS_SECRET_ACCESS_KEY: "s",
    AWS_S3_ENDPOINT: "https://s3.example.com",
    AWS_S3_BUCKET: "b",
  };
  const from = (found: Secret | undefined, path = "m") =>
    modelSource(service({ model: { modelFormat: { name: "onnx" }, storage: { key: "c", path } } }), {
      secret: () => found,
      service: () => undefined,
    });
  test("a connection that is in order", () => {
    expect(from(secret(s3))).toEqual({ uri: "s3://b/m", secretName: "c" });
  });
  test.each([
    ["does not exist", undefined],
    ["has no 'AWS_S3_BUCKET'", secret({ ...s3, AWS_S3_BUCKET: "" })],
    ["could not resolve host 's3.invalid'", secret({ ...s3, AWS_S3_ENDPOINT: "https://s3.invalid" })],
    [
      "could not resolve host 'minio.store.svc'",
      secret({ ...s3, AWS_S3_ENDPOINT: "http://minio.store.svc:9000" }),
    ],
    ["access denied", secret(s3, { "sandbox.kiln/fail": "access denied" })],
    ["has no 'AZURE_STORAGE_ACCOUNT'", secret({ AZURE_STORAGE_ACCESS_KEY: "k" })],
  ])("%s", (words, found) => {
    expect(from(found).problem).toContain(words);
  });
  test("an image, and an address with the connection in an annotation, want their Secret too", () => {
    const missing = { secret: () => undefined, service: () => undefined };
    const image = { modelFormat: { name: "onnx" }, storageUri: "oci://r.example/m:1" };
    const pulled = modelSource(service({ model: image, imagePullSecrets: [{ name: "pull" }] }), missing);
    expect(pulled.problem).toContain("'pull' does not exist");
    const blob = "https://a.blob.core.windows.net/c/m";
    const annotated = service(
      { model: { modelFormat: { name: "onnx" }, storageUri: blob } },
      { "serving.kserve.io/storageSecretName": "c" },
    );
    expect(modelSource(annotated, missing)).toMatchObject({
      uri: blob,
      problem: expect.stringContaining("'c'"),
    });
    const keys = { AZURE_STORAGE_ACCOUNT: "a", AZURE_STORAGE_CONTAINER: "c", AZURE_STORAGE_ACCESS_KEY: "k" };
    const found = { ...missing, secret: () => secret(keys) };
    expect(modelSource(annotated, found)).toEqual({ uri: blob, secretName: "c" });
  });
  test("addresses that KServe takes and does not take", () => {
    const facts = { secret: () => undefined, service: () => undefined };
    const of = (storageUri: string) =>
      modelSource(service({ model: { modelFormat: { name: "onnx" }, storageUri } }), facts);
    for (const uri of [
      "s3://b/m",
      "pvc://claim/m",
      "oci://r.example/m:1",
      "https://a.blob.core.windows.net/c/m",
    ]) {
      expect(of(uri)).toEqual({ uri });
    }
    expect(of("ftp://x/y").invalid).toContain("StorageURI not supported");
    expect(of("https://blob.core.windows.net").invalid).toContain("is not supported");
  });
});

describe("the pod of a model", () => {
  test("is the runtime's, with the model's own on top", () => {
    const pod = predictorPod(
      service({
        model: { modelFormat: { name: "onnx" }, args: ["--own"], env: [{ name: "A", value: "2" }] },
      }),
      runtime("r", {
        containers: [
          {
            name: "kserve-container",
            image: "s:1",
            args: ["--name={{.Name}}"],
            env: [{ name: "A", value: "1" }],
          },
        ],
      }),
      { uri: "pvc://claim/folder" },
    );
    expect(pod.containers[0]).toMatchObject({
      args: ["--name=m", "--own"],
      env: [{ name: "A", value: "2" }],
    });
    expect(pod.initContainers).toBeUndefined();
    expect(pod.containers[0]?.volumeMounts).toEqual([
      { name: "kserve-pvc-source", mountPath: "/mnt/models", readOnly: true, subPath: "folder" },
    ]);
    expect(pod.volumes).toContainEqual({
      name: "kserve-pvc-source",
      persistentVolumeClaim: { claimName: "claim" },
    });
  });
  test("fetches a model by a container that counts for a lot, and an image without one", () => {
    const fetched = predictorPod(service(), runtime("r"), { uri: "s3://b/m" });
    expect(fetched.initContainers).toMatchObject([
      { name: "storage-initializer", resources: { limits: { cpu: "1", memory: "24Gi" } } },
    ]);
  });
  test("a model in an image runs beside its server", () => {
    const pod = predictorPod(service(), runtime("r"), { uri: "oci://registry.example/m:1" });
    expect(pod.containers.map(({ name }) => name)).toEqual(["kserve-container", "modelcar"]);
    expect(pod.shareProcessNamespace).toBe(true);
  });
  test("needs a container that serves, and templates that can be filled", () => {
    expect(() => predictorPod(service(), runtime("r", { containers: [{ name: "x" }] }), {})).toThrow(
      InvalidPredictor,
    );
    const odd = runtime("r", { containers: [{ name: "kserve-container", args: ["{{ .Odd }}"] }] });
    expect(() => predictorPod(service(), odd, {})).toThrow(/failed to replace placeholders/);
  });
});

test("in Standard mode the least is one, whatever is asked for; an autoscaler only where it can decide", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 9 }),
      (minReplicas, maxReplicas) => {
        const made = service({ minReplicas, maxReplicas });
        const { min, max, by } = scaleOf(made);
        expect(min).toBe(Math.max(1, minReplicas));
        expect(max).toBeGreaterThanOrEqual(min);
        expect(by === "autoscaler").toBe(max > min);
        expect(predictorAutoscaler(made) !== undefined).toBe(max > min);
      },
    ),
  );
  const none = service({ minReplicas: 0 }, { "serving.kserve.io/autoscalerClass": "none" });
  expect(scaleOf(none)).toEqual({ min: 0, max: 0, by: "count" });
});

test("a Route leads to the proxy where callers are asked who they are", () => {
  const exposed = { "networking.kserve.io/visibility": "exposed" };
  const auth = service({}, { "security.opendatahub.io/enable-auth": "true" }, exposed);
  const pod = predictorPod(auth, runtime("r"), {});
  expect(predictorRoute(auth, predictorService(auth, pod))).toMatchObject({
    spec: { port: { targetPort: "https" }, tls: { termination: "reencrypt" } },
  });
  expect(predictorRoute(service(), predictorService(service(), pod))).toBeUndefined();
});

test("a Service has no address of its own, and behind it the proxy in place of the server where tokens are asked for", () => {
  const pod = predictorPod(service(), runtime("r"), {});
  const { spec } = predictorService(service(), pod);
  expect(spec).toMatchObject({ clusterIP: "None", ports: [{ port: 80, targetPort: 8080 }] });
  const guarded = service({}, { "security.opendatahub.io/enable-auth": "true" });
  expect(predictorService(guarded, pod).spec.ports).toEqual([
    { name: "https", port: 8443, targetPort: "https", protocol: "TCP" },
  ]);
  // One that has an address keeps it: it cannot be changed.
  const before = { ...predictorService(service(), pod), spec: { clusterIP: "10.0.0.7" } };
  expect(predictorService(service(), pod, before).spec.clusterIP).toBe("10.0.0.7");
});

describe("the status of a model", () => {
  const deployment = (...conditions: Condition[]): Deployment => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "m-predictor", namespace: "ns", generation: 1 },
    spec: { selector: { matchLabels: {} }, template: { spec: { containers: [] } } },
    status: { observedGeneration: 1, conditions },
  });
  const find = (status: ReturnType<typeof inferenceServiceStatus>, type: string) =>
    status.conditions?.find((each) => each.type === type);
  test("unknown at first, then what the Deployment says; a failure of replicas before all", () => {
    expect(find(inferenceServiceStatus(service(), { pods: [] }, now), "Ready")?.status).toBe("Unknown");
    const up = { type: "Available", status: "True" } as const;
    const ready = inferenceServiceStatus(service(), { pods: [], deployment: deployment(up) }, now);
    expect(find(ready, "Ready")?.status).toBe("True");
    // The Deployment's, not the third, which is the model's own.
    expect(ready.observedGeneration).toBe(1);
    const quota = {
      type: "ReplicaFailure",
      status: "True",
      reason: "FailedCreate",
      message: "exceeded quota",
    } as const;
    const full = inferenceServiceStatus(service(), { pods: [], deployment: deployment(up, quota) }, now);
    expect(find(full, "Ready")).toMatchObject({
      status: "False",
      reason: "FailedCreate",
      message: "exceeded quota",
    });
  });
  test("a new version is waited for though the one before serves, and fails when it is given up", () => {
    const step = (...conditions: Condition[]) =>
      find(
        inferenceServiceStatus(service(), { pods: [], deployment: deployment(...conditions) }, now),
        "Ready",
      );
    const up = { type: "Available", status: "True" } as const;
    const rollout = (status: "True" | "False", reason: string): Condition => ({
      type: "Progressing",
      status,
      reason,
      message: "words",
    });
    expect(step(up, rollout("True", "ReplicaSetUpdated"))).toMatchObject({
      status: "Unknown",
      reason: "ReplicaSetUpdated",
    });
    expect(step(up, rollout("True", "NewReplicaSetAvailable"))?.status).toBe("True");
    expect(step(up, rollout("False", "ProgressDeadlineExceeded"))).toMatchObject({
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: "words",
    });
  });
  test("of a Service without an address its server's usual port is said, and a route's host from outside", () => {
    const up = deployment({ type: "Available", status: "True" });
    const inside = "http://m-predictor.ns.svc.cluster.local";
    expect(
      inferenceServiceStatus(service(), { pods: [], deployment: up, headless: true }, now),
    ).toMatchObject({
      url: inside,
      address: { url: `${inside}:8080` },
    });
    const guarded = service({}, { "security.opendatahub.io/enable-auth": "true" });
    const secured = "https://m-predictor.ns.svc.cluster.local:8443";
    expect(inferenceServiceStatus(guarded, { pods: [], deployment: up, headless: true }, now)).toMatchObject({
      url: secured,
      address: { url: secured },
    });
    const exposed = service({}, {}, { "networking.kserve.io/visibility": "exposed" });
    const routed = { pods: [], deployment: up, headless: true, routeHost: "m-ns.apps" };
    const status = inferenceServiceStatus(exposed, routed, now);
    expect(status).toMatchObject({ url: "https://m-ns.apps", address: { url: `${inside}:8080` } });
    // Before a router has looked at its route it waits; one that is refused leaves what was.
    const waits = { ...routed, routeHost: undefined };
    expect(find(inferenceServiceStatus({ ...exposed, status }, waits, now), "Ready")?.status).toBe("Unknown");
    const refused = inferenceServiceStatus({ ...exposed, status }, { ...waits, routeRefused: true }, now);
    expect(find(refused, "Ready")?.status).toBe("True");
    expect(refused.url).toBe(status.url);
    expect(
      find(inferenceServiceStatus(exposed, { ...waits, routeRefused: true }, now), "Ready")?.status,
    ).toBe("Unknown");
  });
  test("conditions keep the time of their last change", () => {
    const first = inferenceServiceStatus(service(), { pods: [] }, now);
    const later = inferenceServiceStatus(
      { ...service(), status: first },
      { pods: [] },
      "2027-01-01T00:00:00Z",
    );
    expect(later).toEqual(first);
  });
  test("stopped", () => {
    const stopped = service({}, { "serving.kserve.io/stop": "true" });
    const status = inferenceServiceStatus(stopped, { pods: [] }, now);
    expect(find(status, "Stopped")?.status).toBe("True");
    expect(find(status, "Ready")).toMatchObject({ status: "False", reason: "Stopped" });
    expect(status.url).toBeUndefined();
  });
});

test("a host belongs to the oldest, and there each path to one", () => {
  const route = (name: string, namespace: string, created: string, path?: string): Route => ({
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: { name, namespace, uid: `${namespace}/${name}`, creationTimestamp: created },
    spec: { host: "h", to: { kind: "Service", name: "s" }, ...(path === undefined ? {} : { path }) },
  });
  const all = [
    route("a", "n1", "2026-01-01T00:00:00Z"),
    route("b", "n2", "2026-01-02T00:00:00Z", "/x"),
    route("c", "n1", "2026-01-03T00:00:00Z", "/y"),
    route("d", "n1", "2026-01-04T00:00:00Z"),
  ];
  const verdicts = all.map((each) => admission(each, all, now).conditions?.[0]?.status);
  expect(verdicts).toEqual(["True", "False", "True", "False"]);
});

test("no two namespaces have the same user ids", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 50 }), (names) => {
      const taken = new Set<string>();
      for (const name of names) {
        const given = securityAnnotations({ apiVersion: "v1", kind: "Namespace", metadata: { name } }, taken);
        const range = given["openshift.io/sa.scc.uid-range"] ?? "";
        expect(taken.has(range)).toBe(false);
        taken.add(range);
      }
      expect(taken.size).toBe(names.length);
    }),
  );
});

test("a volume waits for its first consumer where its class says so, and never shrinks", () => {
  const claim = (annotations: Record<string, string> = {}, capacity?: string) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c", namespace: "ns", uid: "u", annotations },
    spec: { storageClassName: "s", resources: { requests: { storage: "10Gi" } } },
    status:
      capacity === undefined ? { phase: "Pending" } : { phase: "Bound", capacity: { storage: capacity } },
  });
  const waiting = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "s" },
    provisioner: "p",
    volumeBindingMode: "WaitForFirstConsumer",
  };
  expect(volumeFor(claim(), waiting)).toBeUndefined();
  expect(
    volumeFor(claim({ "volume.kubernetes.io/selected-node": "n" }), waiting)?.spec.capacity.storage,
  ).toBe("10Gi");
  expect(volumeFor(claim(), { ...waiting, volumeBindingMode: "Immediate" })).toBeDefined();
  expect(wantsToGrow(claim({}, "5Gi"))).toBe("10Gi");
  expect(wantsToGrow(claim({}, "20Gi"))).toBeUndefined();
});

test("of a container that is not called like its notebook the status says nothing", () => {
  const notebook = {
    apiVersion: "kubeflow.org/v1",
    kind: "Notebook",
    metadata: { name: "nb", namespace: "ns" },
    spec: { template: { spec: { containers: [{ name: "other" }] } } },
  };
  const pod = (name: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "nb-0", namespace: "ns" },
    spec: { containers: [{ name }] },
    status: { containerStatuses: [{ name, state: { running: { startedAt: now } } }] },
  });
  expect(notebookStatus(notebook, undefined, pod("other")).containerState).toEqual({});
  expect(notebookStatus(notebook, undefined, pod("nb")).containerState).toEqual({
    running: { startedAt: now },
  });
});

describe("an external secret", () => {
  const external = (target: object = {}) => ({
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name: "e", namespace: "ns", uid: "u", generation: 1 },
    spec: { refreshInterval: "1h", target },
  });
  test("fills what it knows of templates, and says what it does not", () => {
    expect(filledText('a={{ .a }} b={{ index . "b-b" | b64enc }}', { a: "1", "b-b": "2" })).toBe(
      "a=1 b=Mg==",
    );
    expect(() => filledText("{{ range .x }}", { x: "1" })).toThrow(/the sandbox fills/);
    expect(() => filledText("{{ .missing }}", {})).toThrow(/wants 'missing'/);
  });
  test("is read by the identity that store and service account name together, the tenant once", () => {
    const provider = { authType: "WorkloadIdentity", vaultUrl: "v", serviceAccountRef: { name: "reader" } };
    const account = (annotations: Record<string, string>) => ({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "reader", namespace: "ns", annotations },
    });
    const client = { [secretMarks.clientId]: "c" };
    const both = { ...client, [secretMarks.tenantId]: "t" };
    expect(identityOf({ ...provider, tenantId: "t" }, account(client), secretMarks)).toEqual({
      tenantId: "t",
      clientId: "c",
    });
    expect(identityOf(provider, account(both), secretMarks).tenantId).toBe("t");
    expect(() => identityOf({ ...provider, tenantId: "t" }, account(both), secretMarks)).toThrow(
      /multiple tenantID found/,
    );
    expect(() => identityOf(provider, account(client), secretMarks)).toThrow(/names the tenant/);
  });
  test("a template replaces the data unless it merges", () => {
    const data = (mergePolicy?: "Merge") =>
      Object.keys(
        targetSecret(external({ template: { ...(mergePolicy && { mergePolicy }), data: { t: "x" } } }), {
          v: "1",
        }).data ?? {},
      );
    expect(data()).toEqual(["t"]);
    expect(data("Merge")).toEqual(["v", "t"]);
  });
  test("is due at once when new, then after its interval, and at once when its Secret was changed", () => {
    expect(dueInMs(external(), undefined, 0)).toBe(0);
    expect(durationMs("1h30m0s")).toBe(5_400_000);
    expect(durationMs("one hour")).toBeNaN();
  });
});
