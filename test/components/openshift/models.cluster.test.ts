import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataScienceProject } from "../../../components/openshift/data-science-project.ts";
import type { InferenceServiceArgs } from "../../../components/openshift/inference-args.ts";
import { InferenceService } from "../../../components/openshift/inference-service.ts";
import { ServingRuntime } from "../../../components/openshift/serving-runtime.ts";
import { type TestStack, testStack } from "./cluster.ts";
import { MODEL, PROJECT, RESOURCES, RUNTIME } from "./support.ts";

/*
 * Runtimes and models on the real API server, with controllers that do what KServe does: their whole life.
 */

const { namespace } = PROJECT;
const quota = {
  ...PROJECT.quota,
  requests: { cpuCores: 4, memoryGib: 16 },
  limits: { cpuCores: 8, memoryGib: 32 },
};
type More = Partial<Omit<InferenceServiceArgs, "project" | "runtime">>;

const program =
  (more: More = {}, runtime: Partial<typeof RUNTIME> = {}) =>
  async () => {
    const project = new DataScienceProject("fraud", {
      ...PROJECT,
      quota,
      members: { view: { users: ["viewer"] } },
    });
    const served = new ServingRuntime("onnx", { ...RUNTIME, ...runtime, project });
    const model = new InferenceService("scoring", {
      ...MODEL,
      patienceSeconds: 300,
      ...more,
      project,
      runtime: served,
    });
    return {
      inside: model.internalUrl,
      ...(model.externalUrl === undefined ? {} : { outside: model.externalUrl }),
    };
  };
const isvc = (name = "scoring") => ({
  apiVersion: "serving.kserve.io/v1beta1",
  kind: "InferenceService",
  name,
  namespace,
});
const deployment = (name = "scoring-predictor") => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  name,
  namespace,
});
const conditionOf = (object: { status: { conditions: { type: string; status: string }[] } }, type: string) =>
  object.status.conditions.find((each) => each.type === type)?.status;

let stack: TestStack;

beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack?.dispose());

describe("a model that cannot be", () => {
  test("is refused before it is sent where that can be known", async () => {
    expect(await stack.refusal(program({ replicas: { min: 0 } }))).toMatch(
      /silently makes 1 \(kserve#3514\)/,
    );
    const resources = { ...RESOURCES, limits: { cpuCores: 9, memoryGib: 4 } };
    expect(await stack.refusal(program({ resources }))).toMatch(
      /resources\.limits\.cpuCores is 9 and must not exceed the project's containers\.max\.cpuCores, which is 8/,
    );
    expect(await stack.read(isvc())).toBeUndefined();
  });

  test("fails with the reason when it cannot be fetched", async () => {
    const source = { uri: "https://models.invalid/one" };
    const said = await stack.refusal(program({ source, patienceSeconds: 10 }));
    expect(said).toMatch(
      /::scoring" was successfully created, but .* failed to fully initialize or become live/,
    );
    const { lastFailureInfo } = (await stack.read(isvc())).status.modelStatus;
    expect(lastFailureInfo.message).toMatch(/could not resolve host 'models\.invalid'/);
  });

  test("fails with the reason when others have used the quota up", async () => {
    const container = {
      name: "main",
      image: "registry.example.com/app:1",
      resources: { requests: { cpu: "2", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } },
    };
    const metadata = { name: "hungry", namespace };
    const hungry = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [container] } };
    expect(await stack.tryCreate(hungry)).toBe("created");
    const said = await stack.refusal(program({ replicas: { min: 4 }, patienceSeconds: 10 }));
    const gone = await stack.cluster.kubectl(["delete", "pod", "hungry", "-n", namespace]);
    expect(gone).toMatchObject({ exitCode: 0 });
    expect(said).toMatch(/forbidden: exceeded quota: quota, requested: .*requests\.cpu/);
  });

  test("is healed by the next up", async () => {
    expect(await stack.up(program())).toEqual({ scoring: "update" });
    expect(conditionOf(await stack.read(isvc()), "Ready")).toBe("True");
  });
});

describe("a model", () => {
  test("is served by pods that the project's bounds let in", async () => {
    const model = await stack.read(isvc());
    expect(conditionOf(model, "Ready")).toBe("True");
    expect(model.spec.predictor.model).toMatchObject({ runtime: "onnx", storageUri: MODEL.source.uri });
    const running = await stack.read(deployment());
    expect(running.status.readyReplicas).toBe(1);
    expect(running.spec.template.spec.containers[0]).toMatchObject({
      image: RUNTIME.image,
      resources: { requests: { cpu: "1", memory: "2Gi" }, limits: { cpu: "2", memory: "4Gi" } },
      securityContext: { runAsNonRoot: true },
    });
    expect(await stack.outputs()).toEqual({ inside: model.status.address.url });
  });

  test("stays as it is", async () => {
    expect(await stack.preview(program())).toEqual({});
  });

  test("changes in place, and is waited for until the change is served", async () => {
    const changed = program({ replicas: { min: 2 }, rollout: "recreate" });
    expect(await stack.up(changed)).toEqual({ scoring: "update" });
    const { spec, status } = await stack.read(deployment());
    expect([status.readyReplicas, spec.strategy]).toEqual([2, { type: "Recreate" }]);
  });

  test("scales by an autoscaler where it is asked to, and by none where it is not", async () => {
    const autoscaler = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      name: "scoring-predictor",
      namespace,
    };
    expect(await stack.read(autoscaler)).toBeUndefined();
    const scaling = { metric: "cpu", targetPercent: 60 } as const;
    await stack.up(program({ replicas: { min: 1, max: 3, scaling } }));
    expect((await stack.read(autoscaler)).spec).toMatchObject({
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [{ resource: { name: "cpu", target: { averageUtilization: 60 } } }],
    });
    // What of it no pod notices, KServe's generation, which is the Deployment's, has to come up with all the same.
    const wider = program({ replicas: { min: 1, max: 4, scaling } });
    expect(await stack.up(wider)).toEqual({ scoring: "update" });
    expect((await stack.read(autoscaler)).spec.maxReplicas).toBe(4);
  });

  test("stands still and starts again", async () => {
    expect(await stack.up(program({ stopped: true }))).toEqual({ scoring: "replace" });
    expect(conditionOf(await stack.read(isvc()), "Stopped")).toBe("True");
    expect(await stack.outputs()).toEqual({ inside: "" });
    expect(await stack.up(program())).toEqual({ scoring: "replace" });
    expect(conditionOf(await stack.read(isvc()), "Ready")).toBe("True");
  });

  test("is exposed by a route, with tokens asked for, to callers that are named", async () => {
    const access = { exposed: true, auth: { callers: { users: ["viewer"] }, account: true } } as const;
    expect(await stack.up(program({ access }))).toEqual({ scoring: "update", "scoring-callers": "create" });
    const { outside, inside } = await stack.outputs();
    expect(outside).toMatch(/^https:\/\/scoring-kiln-dev-fraud\./);
    expect(inside).toMatch(/^https:\/\/scoring-predictor\.kiln-dev-fraud\.svc\.cluster\.local/);
    const may = async (who: string, name: string) => {
      const { stdout } = await stack.cluster.kubectl([
        ...["auth", "can-i", "get", `inferenceservices.serving.kserve.io/${name}`],
        ...["-n", namespace, "--as", who],
      ]);
      return stdout.trim();
    };
    const account = `system:serviceaccount:${namespace}:scoring-callers`;
    expect([await may(account, "scoring"), await may(account, "other")]).toEqual(["yes", "no"]);
    expect(await may("stranger", "scoring")).toBe("no");
  });

  test("shares its traffic with a second version by one route's weights", async () => {
    const access = { exposed: true, auth: "none" } as const;
    const canary = { source: { uri: "oci://registry.example.com/models/scoring-2" }, percent: 20 };
    const made = await stack.up(program({ access, canary }));
    expect(made).toMatchObject({ "scoring-canary": "create", "scoring-route": "create" });
    const route = { apiVersion: "route.openshift.io/v1", kind: "Route", name: "scoring.canary", namespace };
    expect(await stack.read({ ...route, name: "scoring" })).toBeUndefined();
    expect((await stack.read(route)).spec).toMatchObject({
      to: { name: "scoring-predictor", weight: 80 },
      alternateBackends: [{ name: "scoring-canary-predictor", weight: 20 }],
    });
    expect((await stack.read(isvc("scoring-canary"))).spec.predictor.model.storageUri).toBe(
      canary.source.uri,
    );
    expect((await stack.outputs()).outside).toMatch(/^https:\/\/scoring-kiln-dev-fraud\./);
    const more = await stack.up(program({ access, canary: { ...canary, percent: 50 } }));
    expect(more).toEqual({ "scoring-route": "update" });
    const promoted = await stack.up(program({ access, source: canary.source }));
    expect(promoted).toEqual({ scoring: "update", "scoring-canary": "delete", "scoring-route": "delete" });
  });
});

test("a runtime changes in place, and by another name is another", async () => {
  const env = { LOG_LEVEL: "debug" };
  expect(await stack.up(program({}, { env }))).toMatchObject({ onnx: "update" });
  const renamed = await stack.up(program({}, { env, runtimeName: "onnx-two" }));
  expect(renamed).toEqual({ onnx: "replace", scoring: "update" });
  const runtime = { apiVersion: "serving.kserve.io/v1alpha1", kind: "ServingRuntime", namespace };
  expect(await stack.read({ ...runtime, name: "onnx" })).toBeUndefined();
  expect((await stack.read({ ...runtime, name: "onnx-two" })).spec.containers[0].env).toEqual([
    { name: "LOG_LEVEL", value: "debug" },
  ]);
});

test("goes with its project, and nothing hangs", async () => {
  await stack.down();
  const left = await stack.cluster.kubectl([
    "get",
    "isvc,servingruntimes,deployments,pods",
    "-A",
    "-o",
    "name",
  ]);
  expect(left.stdout).toBe("");
  expect(await stack.read({ apiVersion: "v1", kind: "Namespace", name: namespace })).toBeUndefined();
});
