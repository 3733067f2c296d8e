import { afterAll, beforeAll, expect } from "vitest";
import { serveProviders } from "../../sandbox/providers/server.ts";
import type { ValueMap } from "../../sandbox/providers/values.ts";
import { type TestKubernetes, testKubernetes } from "../harness/kubernetes.ts";
import { ProviderClient, subscriptionId, tenantId } from "./providers-client.ts";
import { FakeArm, fakeToken } from "./providers-fake-arm.ts";

/* What the tests of the provider against a real API server with its controllers have in common. */

export const types = {
  namespace: "kubernetes:core/v1:Namespace",
  configMap: "kubernetes:core/v1:ConfigMap",
  secret: "kubernetes:core/v1:Secret",
  quota: "kubernetes:core/v1:ResourceQuota",
  service: "kubernetes:core/v1:Service",
  deployment: "kubernetes:apps/v1:Deployment",
  statefulSet: "kubernetes:apps/v1:StatefulSet",
  daemonSet: "kubernetes:apps/v1:DaemonSet",
  pod: "kubernetes:core/v1:Pod",
  job: "kubernetes:batch/v1:Job",
  definition: "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
  widget: "kubernetes:probe.kiln/v1:Widget",
} as const;

/** The API server. */
export let kube: TestKubernetes;
/** The providers, with that API server. */
let served: Awaited<ReturnType<typeof serveProviders>>;
const clients: ProviderClient[] = [];
/** The provider, as the owner. */
export let it: ProviderClient;

export async function serve(kubeconfig: () => string | undefined): Promise<typeof served> {
  return serveProviders({
    subscriptionId,
    tenantId,
    armTransport: new FakeArm().transport,
    getToken: fakeToken,
    gitHubOwner: "kiln",
    kubeconfig,
    commandEnv: () => ({}),
    projectDir: process.cwd(),
  });
}

export async function connect(config: Record<string, string> = {}, to = served): Promise<ProviderClient> {
  const client = new ProviderClient(to.ports.kubernetes, "kubernetes");
  clients.push(client);
  await client.configure(config);
  return client;
}

/** Starts all of it for the tests of a file, and ends it after them. */
export function useProvider(): void {
  beforeAll(async () => {
    kube = await testKubernetes();
    served = await serve(() => kube.kubeconfig());
    it = await connect();
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await served.close();
    await kube.dispose();
  });
}

let count = 0;
/** A namespace of a test's own. */
export async function namespace(): Promise<string> {
  const name = `probe-${++count}`;
  const made = await it.create(types.namespace, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  return made.id;
}

export const configMap = (
  name: string,
  at: string,
  data: ValueMap,
  annotations: ValueMap = {},
): ValueMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: at, annotations },
  data,
});

export const template = (app: string, image = "registry.kiln/app:1"): ValueMap => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "main", image }] },
});
export const workload = (
  kind: string,
  name: string,
  at: string,
  spec: ValueMap,
  annotations: ValueMap = {},
): ValueMap => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name, namespace: at, annotations },
  spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec },
});

export const widget = (
  name: string,
  at: string,
  annotations: ValueMap,
  spec: ValueMap = { size: 1 },
): ValueMap => ({
  apiVersion: "probe.kiln/v1",
  kind: "Widget",
  metadata: { name, namespace: at, annotations },
  spec,
});

export const definition: ValueMap = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.probe.kiln" },
  spec: {
    group: "probe.kiln",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: {
                  size: { type: "integer", maximum: 9 },
                  any: { x_kubernetes_int_or_string: true },
                },
              },
              status: { type: "object", x_kubernetes_preserve_unknown_fields: true },
            },
          },
        },
      },
    ],
  },
};

export async function live(path: string): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await kube.kubectl([
    "get",
    ...path.split(" "),
    "-o",
    "json",
    "--show-managed-fields",
  ]);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Record<string, unknown>;
}

export async function kubectl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await kube.kubectl(args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

/** A slow machine must not turn a condition into a failure. */
export const soon = { timeout: 60_000 };

/** Waits until a widget was made, ready or not. */
export const there = (at: string, name: string) =>
  expect.poll(async () => (await kube.kubectl(["-n", at, "get", "widget", name])).exitCode, soon).toBe(0);

/** Kills the API server; the sandbox starts it again. */
export async function killServer(): Promise<void> {
  await expect.poll(async () => (await kube.pids())["kube-apiserver"], soon).toBeGreaterThan(0);
  const { "kube-apiserver": pid = Number.NaN } = await kube.pids();
  process.kill(pid, "SIGKILL");
  await expect.poll(async () => (await kube.pids())["kube-apiserver"], soon).not.toBe(pid);
}
