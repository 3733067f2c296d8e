import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { serveProviders } from "../../sandbox/providers/server.ts";
import { type TestEngine, testEngine } from "../harness/engine.ts";
import { type EngineRun, runEngine } from "../harness/engine-program.ts";
import { type TestKubernetes, testKubernetes } from "../harness/kubernetes.ts";
import { subscriptionId, tenantId } from "./providers-client.ts";
import { FakeArm, fakeToken } from "./providers-fake-arm.ts";

export let kube: TestKubernetes;
/** The folder that the engine works in. */
export let home: string;

let engine: TestEngine;
let program: string;
let secrets: readonly string[];
let served: Awaited<ReturnType<typeof serveProviders>>;

/**
 * Before all tests of a file, has the Kubernetes provider served before a real API server, and makes the program's stack.
 * @param options.program its folder, beside this file
 * @param options.secrets what nobody may see
 */
export function useKubernetesEngine(options: {
  readonly program: string;
  readonly secrets: readonly string[];
}): void {
  beforeAll(async () => {
    program = path.join(import.meta.dirname, options.program);
    secrets = options.secrets;
    home = await mkdtemp(path.join(tmpdir(), `${options.program}-`));
    [engine, kube] = await Promise.all([testEngine(), testKubernetes()]);
    served = await serveProviders({
      subscriptionId,
      tenantId,
      armTransport: new FakeArm().transport,
      getToken: fakeToken,
      gitHubOwner: "kiln",
      kubeconfig: () => kube.kubeconfig(),
      commandEnv: () => ({}),
      projectDir: home,
    });
    const { exitCode, all } = await pulumi("stack", "init");
    expect(exitCode, all).toBe(0);
  });
  afterAll(async () => {
    await served.close();
    await kube.dispose();
    await rm(home, { recursive: true });
  });
}

export function pulumi(...args: string[]): Promise<EngineRun> {
  const providers = `kubernetes:${served.ports.kubernetes}`;
  return runEngine({ engine, folder: program, home, providers, secrets }, args);
}

/** Where the engine keeps the configuration that it is given. */
export const configFile = () => ["--config-file", path.join(home, "Pulumi.dev.yaml")];
