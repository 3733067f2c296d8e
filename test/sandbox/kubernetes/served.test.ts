import { ApisApi, CustomObjectsApi } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { definitionFiles } from "../../../sandbox/kubernetes/files.ts";
import { controlPlane } from "../../harness/control-plane.ts";
import { type TestKubernetes, testKubernetes } from "../../harness/kubernetes.ts";

let cluster: TestKubernetes;

beforeAll(async () => {
  cluster = await testKubernetes();
});
afterAll(() => cluster?.dispose());

/** Lists every custom kind whole, all at once, by a client that tries nothing twice. */
async function listAll(): Promise<string[]> {
  const config = cluster.config();
  const custom = config.makeApiClient(CustomObjectsApi);
  const { groups } = await config.makeApiClient(ApisApi).getAPIVersions();
  const kinds = await Promise.all(
    groups
      .filter(({ name }) => name.includes(".") && !name.endsWith(".k8s.io"))
      .flatMap(({ versions }) => versions)
      .map(async ({ groupVersion }) => {
        const [group = "", version = ""] = groupVersion.split("/");
        const { resources } = await custom.getAPIResources({ group, version });
        return resources
          .filter(({ name }) => !name.includes("/"))
          .map(({ name }) => ({ group, version, plural: name }));
      }),
  );
  return Promise.all(
    kinds.flat().map(async (kind) => {
      const { items } = await custom.listClusterCustomObject(kind);
      expect(items).toBeInstanceOf(Array);
      return `${kind.plural}.${kind.group}`;
    }),
  );
}

test("once it is said to run, every custom kind can be listed, on a new cluster and one that was there", async () => {
  const definitions = definitionFiles(await controlPlane());
  expect(new Set(await listAll()).size).toBe(definitions.length);
  await cluster.daemon.client.stopKubernetes();
  await cluster.start();
  expect(new Set(await listAll()).size).toBe(definitions.length);
});

test("so it is when the API server has been killed, and is waited for", async () => {
  const { "kube-apiserver": pid = 0 } = await cluster.pids();
  process.kill(pid, "SIGKILL");
  await expect.poll(async () => (await cluster.pids())["kube-apiserver"]).not.toBe(pid);
  await cluster.start();
  await listAll();
});
