import { afterAll, beforeAll, expect, test } from "vitest";
import { createObject, newFieldManager, updateObject } from "../../sandbox/providers/kubernetes/apply.ts";
import type { KubeClient, KubeRequest } from "../../sandbox/providers/kubernetes/client.ts";
import { Clusters, type OpenCluster } from "../../sandbox/providers/kubernetes/clusters.ts";
import type { KubeObject } from "../../sandbox/providers/kubernetes/json.ts";
import { type TestKubernetes, testKubernetes } from "../harness/kubernetes.ts";

/*
 * Fields are taken over from someone who goes on writing them while that is done, on the real API server.
 */

let kube: TestKubernetes;
let clusters: Clusters;
let cluster: OpenCluster;
const { signal } = new AbortController();

beforeAll(async () => {
  kube = await testKubernetes();
  clusters = new Clusters(() => kube.kubeconfig());
  cluster = await clusters.of({});
});
afterAll(async () => {
  clusters?.close();
  await kube?.dispose();
});

const kind = { group: "", version: "v1", kind: "ConfigMap" };
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;
const configMap = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default" },
  data,
});

/** The cluster, but that something happens before each request that is like this, a number of times. */
function disturbed(
  times: number,
  like: (request: KubeRequest) => boolean,
  meanwhile: () => Promise<unknown>,
) {
  let left = times;
  const send = async (request: KubeRequest) => {
    if (left > 0 && like(request)) {
      left--;
      await meanwhile();
    }
    return cluster.client.send(request);
  };
  return { ...cluster, client: { send } as unknown as KubeClient };
}

async function write(manager: string, name: string, value: string): Promise<void> {
  await cluster.client.send({
    method: "PATCH",
    path: path(name),
    query: { fieldManager: manager },
    body: { data: { a: value } },
    contentType: "application/merge-patch+json",
    signal,
  });
}

const isTakeover = ({ contentType }: KubeRequest) => contentType === "application/json-patch+json";
const isApply = ({ contentType }: KubeRequest) => contentType === "application/apply-patch+yaml";

async function made(name: string) {
  const fieldManager = newFieldManager();
  const common = { kind, fieldManager, force: false, preview: false, signal };
  await createObject(cluster, { ...common, object: configMap(name, { a: "1" }) }, true);
  return { ...common, object: configMap(name, { a: "2" }) };
}

test.each([
  ["between the look and the takeover", isTakeover],
  ["between the takeover and the change", isApply],
])("kubectl that writes %s, again and again, is only a delay", async (_, like) => {
  const name = `written-${like.name.toLowerCase()}`;
  const change = await made(name);
  await write("kubectl-patch", name, "theirs");
  let count = 0;
  const busy = disturbed(3, like, () => write("kubectl-patch", name, `theirs ${++count}`));
  expect((await updateObject(busy, change)).object.data).toEqual({ a: "2" });
  expect(count).toBe(3);
});

test("another manager that writes meanwhile is a conflict, once it is there", async () => {
  const change = await made("theirs");
  await write("kubectl-patch", "theirs", "by hand");
  const busy = disturbed(1, isApply, () => write("operator", "theirs", "theirs"));
  await expect(updateObject(busy, change)).rejects.toThrow(/conflict with "operator"[\s\S]*\.data\.a/);
});
