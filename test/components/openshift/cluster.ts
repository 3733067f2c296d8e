import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ApiException, type KubernetesObject } from "@kubernetes/client-node";
import {
  type EngineEvent,
  LocalWorkspace,
  PulumiCommand,
  type PulumiFn,
} from "@pulumi/pulumi/automation/index.js";
import { engineSaid } from "../../../scripts/lib/engine-output.ts";
import { testEngine } from "../../harness/engine.ts";
import { type ClusterUser, type TestKubernetes, testKubernetes } from "../../harness/kubernetes.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects are looked into as the server gives them
export type Body = any;

/** What an object is called. */
export interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A cluster of the sandbox, and one stack that the real engine brings up on it, program by program. */
export interface TestStack {
  readonly cluster: TestKubernetes;
  /** Brings the stack up; gives what was done, by the resource's name, without what stayed. */
  up(program: PulumiFn): Promise<Record<string, string>>;
  /** What an up would do, likewise. */
  preview(program: PulumiFn): Promise<Record<string, string>>;
  /** Why an up fails. */
  refusal(program: PulumiFn): Promise<string>;
  down(): Promise<void>;
  outputs(): Promise<Record<string, unknown>>;
  /** The state as it is stored. */
  state(): Promise<string>;
  /** Reads an object; undefined when there is none. */
  read(object: Named): Promise<Body | undefined>;
  /** Creates an object as a user: `created`, or the status and the message with which the server refuses. */
  tryCreate(object: KubernetesObject & Body, as?: ClusterUser): Promise<string>;
  dispose(): Promise<void>;
}

/** Starts a cluster, with an empty stack on it. */
export async function testStack(): Promise<TestStack> {
  const [engine, cluster] = await Promise.all([testEngine(), testKubernetes()]);
  const home = mkdtempSync(path.join(tmpdir(), "kiln-components-"));
  const ports = (await cluster.daemon.client.control("POST", "/providers", {
    clientId: cluster.daemon.clientId(),
    projectDir: home,
  })) as Record<string, number>;
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "dev", projectName: "components", program: async () => {} },
    {
      workDir: home,
      pulumiCommand: await PulumiCommand.get({ root: path.dirname(path.dirname(engine.pulumi)) }).catch(() =>
        PulumiCommand.get(),
      ),
      envVars: {
        ...cluster.daemon.environment(),
        PATH: [path.dirname(engine.pulumi), engine.binDir, process.env.PATH].join(path.delimiter),
        PULUMI_HOME: path.join(home, "pulumi"),
        PULUMI_BACKEND_URL: `file://${home}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_DEBUG_PROVIDERS: `azure-native:${ports.azureNative},kubernetes:${ports.kubernetes}`,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
      projectSettings: { name: "components", runtime: "nodejs", backend: { url: `file://${home}` } },
    },
  );
  const objects = cluster.objects();
  return {
    cluster,
    up: (program) => done((onEvent) => stack.up({ program, onEvent })),
    preview: (program) => done((onEvent) => stack.preview({ program, onEvent })),
    refusal: async (program) => {
      const failed = await stack.up({ program }).then(
        () => undefined,
        (error: Error) => error,
      );
      if (failed === undefined) throw new Error("the up was not refused");
      return (engineSaid(failed.message) ?? [failed.message]).join("\n");
    },
    down: async () => {
      await stack.destroy();
    },
    outputs: async () =>
      Object.fromEntries(Object.entries(await stack.outputs()).map(([name, { value }]) => [name, value])),
    state: async () => JSON.stringify(await stack.exportStack()),
    read: async ({ apiVersion, kind, name, namespace = "default" }) => {
      try {
        return await objects.read({ apiVersion, kind, metadata: { name, namespace } });
      } catch (error) {
        if (error instanceof ApiException && error.code === 404) return undefined;
        throw error;
      }
    },
    tryCreate: async (object, as) => {
      try {
        await cluster.objects(as).create(object);
        return "created";
      } catch (error) {
        if (!(error instanceof ApiException)) throw error;
        return `${error.code} ${(JSON.parse(String(error.body)) as { message: string }).message}`;
      }
    },
    dispose: async () => {
      await cluster.dispose();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Runs a command of the engine, and gathers what it did to each resource. */
async function done(run: (onEvent: (event: EngineEvent) => void) => Promise<unknown>) {
  const ops: Record<string, string> = {};
  await run(({ resourcePreEvent }) => {
    const { op, urn = "", type = "" } = resourcePreEvent?.metadata ?? {};
    const steps = ["create", "update", "replace", "delete"];
    if (op !== undefined && steps.includes(op) && !type.startsWith("pulumi:")) {
      ops[urn.split("::").at(-1) ?? ""] = op;
    }
  });
  return ops;
}
