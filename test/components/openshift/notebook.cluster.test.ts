import { afterAll, beforeAll, expect, test } from "vitest";
import { DataScienceProject } from "../../../components/openshift/data-science-project.ts";
import { Notebook, type NotebookArgs } from "../../../components/openshift/notebook.ts";
import { TAGS } from "../recording.ts";
import { type TestStack, testStack } from "./cluster.ts";
import { IMAGE, PROJECT, RESOURCES } from "./support.ts";

/*
 * A notebook on the real API server, by the real engine: its whole life, with its home and what it does to the quota.
 */

const namespace = PROJECT.namespace;
const program =
  (more: Partial<NotebookArgs> = {}) =>
  async () => {
    const project = new DataScienceProject("fraud", PROJECT);
    new Notebook("explore", {
      project,
      notebookName: "explore",
      tags: TAGS,
      image: IMAGE,
      size: RESOURCES,
      storage: { sizeGib: 20 },
      ...more,
    });
  };

let stack: TestStack;

beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack?.dispose());

const notebook = (name = "explore") =>
  stack.read({ apiVersion: "kubeflow.org/v1", kind: "Notebook", name, namespace });
const pods = async () => (await stack.cluster.kubectl(["get", "pods", "-n", namespace, "-o", "name"])).stdout;
const claim = () =>
  stack.read({ apiVersion: "v1", kind: "PersistentVolumeClaim", name: "explore", namespace });

test("is up when its pod is ready, with its home bound", async () => {
  const made = await stack.up(program());
  expect(made).toMatchObject({ explore: "create", "explore-home": "create" });
  expect((await notebook()).status).toMatchObject({ readyReplicas: 1, containerState: { running: {} } });
  expect(await pods()).toBe("pod/explore-0");
  expect((await claim()).status).toMatchObject({ phase: "Bound", capacity: { storage: "20Gi" } });
  const pod = await stack.read({ apiVersion: "v1", kind: "Pod", name: "explore-0", namespace });
  expect(pod.spec.volumes).toContainEqual({ name: "shm", emptyDir: { medium: "Memory", sizeLimit: "1Gi" } });
  expect(pod.spec.containers[0]).toMatchObject({ name: "explore", image: IMAGE });
});

test("stays as it is", async () => {
  expect(await stack.preview(program())).toEqual({});
});

test("gets more of everything in place, its home too", async () => {
  const larger = program({
    size: { ...RESOURCES, limits: { cpuCores: 3, memoryGib: 6 } },
    storage: { sizeGib: 40 },
    sharedMemoryGib: 2,
  });
  expect(await stack.up(larger)).toEqual({ explore: "update", "explore-home": "update" });
  expect((await claim()).spec.resources.requests.storage).toBe("40Gi");
  expect(await stack.preview(larger)).toEqual({});
});

test("is refused a smaller home by the server, and a stop without a time before anything is touched", async () => {
  expect(await stack.refusal(program())).toMatch(/can not be less than/);
  const wrong = program({ run: { state: "stopped", since: "now" } });
  expect(await stack.refusal(wrong)).toMatch(/Notebook: run\.since is "now"; a time in UTC/);
});

const stopped = program({
  storage: { sizeGib: 40 },
  run: { state: "stopped", since: "2026-03-01T12:00:00Z" },
});

test("is stopped: its pod goes, its home stays, and every further run says the same", async () => {
  expect(await stack.up(stopped)).toMatchObject({ explore: "update" });
  expect(await pods()).toBe("");
  expect((await notebook()).status.readyReplicas).toBe(0);
  expect((await claim()).status.phase).toBe("Bound");
  expect(await stack.preview(stopped)).toEqual({});
});

test("is started again", async () => {
  expect(await stack.up(program({ storage: { sizeGib: 40 } }))).toEqual({ explore: "update" });
  expect((await notebook()).metadata.annotations).not.toHaveProperty("kubeflow-resource-stopped");
  expect(await pods()).toBe("pod/explore-0");
});

test("by another name is another, with a home of its own", async () => {
  const other = program({ notebookName: "report", storage: { sizeGib: 40 } });
  expect(await stack.up(other)).toEqual({ explore: "replace", "explore-home": "replace" });
  expect(await notebook()).toBeUndefined();
  expect((await notebook("report")).status.readyReplicas).toBe(1);
});

test("goes with its home", async () => {
  const alone = async () => {
    new DataScienceProject("fraud", PROJECT);
  };
  expect(await stack.up(alone)).toEqual({ explore: "delete", "explore-home": "delete" });
  expect(await notebook("report")).toBeUndefined();
  const { stdout } = await stack.cluster.kubectl(["get", "pvc", "-n", namespace, "-o", "name"]);
  expect(stdout).toBe("");
});

test("leaves nothing", async () => {
  await stack.down();
  const { stdout } = await stack.cluster.kubectl(["get", "namespace", namespace, "--ignore-not-found"]);
  expect(stdout).toBe("");
});
