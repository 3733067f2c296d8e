import { describe, expect, it } from "vitest";
import { Notebook, type NotebookArgs, notebookProblems } from "../../../components/openshift/notebook.ts";
import { notebookAnnotations, notebookPod } from "../../../components/openshift/notebook-pod.ts";
import { only, recorded, TAGS } from "../recording.ts";
import { fieldsOf, IMAGE, PLACE, RESOURCES } from "./support.ts";

const TYPE = "kubernetes:kubeflow.org/v1:Notebook";
const NOTEBOOK: NotebookArgs = {
  project: PLACE,
  notebookName: "explore",
  tags: TAGS,
  image: IMAGE,
  size: RESOURCES,
  storage: { sizeGib: 20 },
};
const s3 = {
  type: "s3",
  endpoint: "https://s3.example.com",
  bucket: "data",
  accessKeyId: { secret: "id" },
  secretAccessKey: { secret: "key" },
} as const;

describe("Notebook", () => {
  it("is a claim and a notebook that comes after it", async () => {
    const recording = await recorded(() => {
      const notebook = new Notebook("explore", NOTEBOOK);
      expect(notebook).toMatchObject({ notebookName: "explore", claimName: "explore" });
    });
    expect(recording.resources.map((each) => each.type.split(":").at(-1)).sort()).toEqual([
      "Notebook",
      "Notebook",
      "PersistentVolumeClaim",
    ]);
    expect(only(recording, "kubernetes:core/v1:PersistentVolumeClaim").inputs).toMatchObject({
      metadata: {
        name: "explore",
        namespace: "kiln-dev-fraud",
        labels: { env: "dev", "opendatahub.io/dashboard": "true" },
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } },
    });
    const notebook = only(recording, TYPE);
    expect(notebook.dependsOn.some((urn) => urn.endsWith("::explore-home"))).toBe(true);
    expect(notebook.inputs).toMatchObject({
      metadata: {
        labels: { app: "explore", "opendatahub.io/dashboard": "true", costCenter: "42" },
        annotations: {
          "notebooks.opendatahub.io/inject-auth": "true",
          "openshift.io/display-name": "explore",
          "pulumi.com/waitFor": "jsonpath={.status.readyReplicas}=1",
        },
      },
      spec: { template: { spec: { containers: [{ name: "explore", image: IMAGE }] } } },
    });
    expect(JSON.stringify(notebook.inputs)).not.toContain("kubeflow-resource-stopped");
  });

  it("waits in the project's queue where there is one", async () => {
    const recording = await recorded(() => new Notebook("explore", { ...NOTEBOOK, queue: "project" }));
    expect(only(recording, TYPE).inputs).toMatchObject({
      metadata: { labels: { "kueue.x-k8s.io/queue-name": "project" } },
    });
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong = { ...NOTEBOOK, notebookName: "Explore", image: "jupyter:latest" };
    const recording = await recorded(() =>
      expect(() => new Notebook("explore", wrong)).toThrow(/Notebook: notebookName .*; image .*digest/),
    );
    expect(recording.resources).toEqual([]);
  });
});

describe("a stopped notebook", () => {
  const run = { state: "stopped", since: "2026-03-01T12:00:00Z" } as const;

  it("says since when, the same in every run, and is waited for until it has stopped", () => {
    const annotations = notebookAnnotations({ ...NOTEBOOK, run });
    expect(annotations).toMatchObject({
      "kubeflow-resource-stopped": "2026-03-01T12:00:00Z",
      "pulumi.com/waitFor": "jsonpath={.status.readyReplicas}=0",
    });
    expect(notebookAnnotations({ ...NOTEBOOK, run })).toEqual(annotations);
  });

  it("takes nothing of the quota", () => {
    const quota = { ...PLACE.quota, requests: { cpuCores: 0.5, memoryGib: 1 } };
    const project = { ...PLACE, quota };
    expect(fieldsOf(notebookProblems({ ...NOTEBOOK, project }))).toEqual([
      "size.requests.cpuCores",
      "size.requests.memoryGib",
    ]);
    expect(notebookProblems({ ...NOTEBOOK, project, run })).toEqual([]);
  });

  it.each(["2026-03-01", "2026-02-30T12:00:00Z", "2026-03-01T12:00:00+01:00", "yesterday"])(
    "is refused with %s",
    (since) => {
      const problems = notebookProblems({ ...NOTEBOOK, run: { state: "stopped", since } });
      expect(fieldsOf(problems)).toEqual(["run.since"]);
    },
  );
});

it("a notebook that may be stopped when idle is not waited for where one says so", () => {
  const annotations = notebookAnnotations({ ...NOTEBOOK, run: { state: "running", wait: false } });
  expect(annotations).not.toHaveProperty(["pulumi.com/waitFor"]);
  expect(annotations).not.toHaveProperty(["kubeflow-resource-stopped"]);
});

describe("notebookPod", () => {
  const pod = (more: Partial<NotebookArgs> = {}) => notebookPod({ ...NOTEBOOK, ...more });

  it("has its home and shared memory, a quarter of its memory unless told otherwise", () => {
    const volumes = (shm: string) => [
      { name: "explore", persistentVolumeClaim: { claimName: "explore" } },
      { name: "shm", emptyDir: { medium: "Memory", sizeLimit: shm } },
    ];
    expect(pod().volumes).toEqual(volumes("1Gi"));
    expect(pod({ sharedMemoryGib: 2.5 }).volumes).toEqual(volumes("2560Mi"));
    expect(pod().containers[0]?.volumeMounts).toEqual([
      { name: "explore", mountPath: "/opt/app-root/src/" },
      { name: "shm", mountPath: "/dev/shm" },
    ]);
  });

  it("answers below its own path, where the probes look", () => {
    const [container] = pod().containers;
    const flags = container?.env.find(({ name }) => name === "NOTEBOOK_ARGS")?.value;
    expect(flags).toContain("--ServerApp.base_url=/notebook/kiln-dev-fraud/explore");
    for (const probe of [container?.readinessProbe, container?.livenessProbe])
      expect(probe?.httpGet.path).toBe("/notebook/kiln-dev-fraud/explore/api");
  });

  it("runs as nobody in particular and gains nothing", () => {
    expect(pod().securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(pod().containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      privileged: false,
    });
  });

  it("gets the keys of connections by reference, and GPUs as both request and limit", () => {
    const connections = [{ connectionName: "lake", connection: s3 }];
    const [container] = pod({ connections, size: { ...RESOURCES, gpus: 1 } }).containers;
    expect(container).toMatchObject({ envFrom: [{ secretRef: { name: "lake" } }] });
    expect(container?.resources).toEqual({
      requests: { cpu: "1", memory: "2Gi", "nvidia.com/gpu": "1" },
      limits: { cpu: "2", memory: "4Gi", "nvidia.com/gpu": "1" },
    });
    expect(pod().containers[0]).not.toHaveProperty("envFrom");
  });

  it("lets a caller add variables, not change those it lives by", () => {
    const environment = { MODE: "fast", NOTEBOOK_ARGS: "--ServerApp.allow_root=True" };
    const env = pod({ environment }).containers[0]?.env ?? [];
    expect(env).toContainEqual({ name: "MODE", value: "fast" });
    expect(env.find(({ name }) => name === "NOTEBOOK_ARGS")?.value).not.toContain("allow_root");
  });
});

describe("notebookProblems", () => {
  it.each([
    ["notebookName", { notebookName: "n".repeat(53) }],
    ["image", { image: "quay.io/org/jupyter:2025.1" }],
    ["imageSelection", { imageSelection: "no tag" }],
    ["storage.sizeGib", { storage: { sizeGib: 0.5 } }],
    ["sharedMemoryGib", { sharedMemoryGib: 0 }],
    ["sharedMemoryGib", { sharedMemoryGib: 5 }],
    ["environment", { environment: { "not-a-name": "x" } }],
    ["connections[0]", { connections: [{ connectionName: "Upper", connection: s3 }] }],
    ["tags.owner", { tags: { ...TAGS, owner: "" } }],
    ["size.gpus", { size: { ...RESOURCES, gpus: 17 } }],
    ["size.requests.cpuCores", { size: { ...RESOURCES, requests: { cpuCores: 3, memoryGib: 2 } } }],
  ])("says what is wrong with %s", (field, more) => {
    expect(fieldsOf(notebookProblems({ ...NOTEBOOK, ...more }))).toContain(field);
  });

  it("has nothing against a whole one", () => {
    const more: Partial<NotebookArgs> = { imageSelection: "jupyter-datascience:2025.1", login: "oauth" };
    expect(notebookProblems({ ...NOTEBOOK, ...more })).toEqual([]);
    expect(notebookAnnotations({ ...NOTEBOOK, ...more })).toMatchObject({
      "notebooks.opendatahub.io/inject-oauth": "true",
      "notebooks.opendatahub.io/last-image-selection": "jupyter-datascience:2025.1",
    });
  });
});
