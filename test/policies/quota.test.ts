import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeStack } from "../../policies/judge.ts";
import { exceeds, quantity, readable } from "../../policies/kubernetes/quantity.ts";
import { type StackInput, UNKNOWN } from "../../policies/model.ts";
import { limitRange, member, model, namespace, project, quota } from "./kubernetes/stack.ts";
import { context, ruleNamed } from "./support.ts";

const said = (rule: string, ...resources: readonly StackInput[]) =>
  judgeStack(ruleNamed(rule), resources, context()).map(({ property, message }) => `${property}: ${message}`);
const both = (...resources: readonly StackInput[]) => said("quota-with-limit-range", ...resources);
const within = (...resources: readonly StackInput[]) => said("inference-within-quota", ...resources);

const DEFAULTS = { default: { cpu: "1", memory: "1Gi" }, defaultRequest: { cpu: "100m", memory: "256Mi" } };

describe("quota-with-limit-range", () => {
  it("lets a project with both pass, and a namespace with neither", () => {
    expect(
      both(project(), quota({ "limits.cpu": 4, "requests.memory": "4Gi" }), limitRange(DEFAULTS)),
    ).toEqual([]);
    expect(both(namespace())).toEqual([]);
  });

  it("stops one without the other, in whatever namespace, and a project without either", () => {
    expect(both(namespace(), quota({ pods: 1 }))).toEqual([expect.stringContaining("refuses every pod")]);
    expect(both(limitRange(DEFAULTS))).toEqual([expect.stringContaining("not how many")]);
    expect(both(project())).toEqual([expect.stringContaining("could fill the cluster")]);
    // Those of another namespace do not count.
    const elsewhere = member("core/v1:LimitRange", "l", {}, { namespace: "b" });
    expect(both(namespace(), namespace("b"), quota({}), elsewhere)).toHaveLength(2);
  });

  it("stops a LimitRange that does not give what the quota counts", () => {
    const found = both(
      quota({ "limits.cpu": 4, cpu: 2, "requests.memory": "1Gi", pods: 9 }),
      limitRange({ max: { memory: "1Gi" } }),
    );
    expect(found).toEqual([
      expect.stringMatching(/hard\["cpu"\].*defaultRequest\.cpu/),
      expect.stringMatching(/hard\["limits\.cpu"\].*default\.cpu/),
    ]);
    // One that bounds pods or claims gives containers nothing.
    expect(both(quota({ "limits.cpu": 4 }), limitRange({ ...DEFAULTS, type: "Pod" }))).toHaveLength(1);
  });

  it("lets what is not known yet pass, by its dependencies in the right namespace", () => {
    expect(both(quota(UNKNOWN), limitRange(DEFAULTS))).toEqual([]);
    expect(both(quota({ "limits.cpu": 4 }), member("core/v1:LimitRange", "l", { spec: UNKNOWN }))).toEqual(
      [],
    );
    const home = project();
    const inside = { namespace: UNKNOWN, on: [home.urn] };
    const made = [
      home,
      member("core/v1:ResourceQuota", "q", {}, inside),
      member("core/v1:LimitRange", "l", {}, inside),
    ];
    expect(both(...made)).toEqual([]);
    expect(both(...made.slice(0, 2))).toHaveLength(1);
    // Whose namespace nobody can tell is nobody's.
    expect(both(member("core/v1:ResourceQuota", "q", {}, { namespace: UNKNOWN }))).toEqual([]);
  });
});

const limits = (cpu: string, memory = "1Gi") => ({ resources: { limits: { cpu, memory } } });

describe("inference-within-quota", () => {
  it("adds up all models of a namespace with all their replicas, and names those that need most", () => {
    const models = [
      model("small", { model: limits("1") }),
      model("large", { minReplicas: 1, maxReplicas: 3, model: limits("2") }),
    ];
    expect(within(quota({ "limits.cpu": "7", "requests.cpu": "7", pods: 4 }), ...models)).toEqual([]);
    expect(within(quota({ "limits.cpu": "6.5", "limits.memory": "8Gi" }), ...models)).toEqual([
      'spec.hard["limits.cpu"]: quota (kubernetes:core/v1:ResourceQuota), spec.hard["limits.cpu"]: is 6.5, and the models with all their replicas need 7 (large 6, small 1).',
    ]);
    expect(within(quota({ pods: 3 }), ...models)).toEqual([
      expect.stringContaining("need 4 (large 3, small 1)"),
    ]);
    // Another namespace has a quota of its own.
    expect(
      within(
        quota({ "limits.cpu": "1" }),
        member(
          "serving.kserve.io/v1beta1:InferenceService",
          "m",
          { spec: { predictor: { model: limits("9") } } },
          { namespace: "b" },
        ),
      ),
    ).toEqual([]);
  });

  it("counts transformer and explainer, sidecars, and of init containers the largest", () => {
    const predictor = {
      model: limits("1"),
      containers: [{ name: "proxy", ...limits("500m") }],
      initContainers: [{ name: "fetch", ...limits("1200m") }],
    };
    const spec = { predictor, transformer: { maxReplicas: 2, containers: [{ name: "t", ...limits("2") }] } };
    const made = member("serving.kserve.io/v1beta1:InferenceService", "m", { spec });
    expect(within(quota({ "limits.cpu": "5.5" }), made)).toEqual([]);
    expect(within(quota({ "limits.cpu": "5.4" }), made)).toHaveLength(1);
    const fetches = model("m", { ...predictor, initContainers: [{ name: "fetch", ...limits("4") }] });
    expect(within(quota({ "limits.cpu": "4" }), fetches)).toEqual([]);
    expect(within(quota({ "limits.cpu": "3.9" }), fetches)).toHaveLength(1);
    const beside = model("m", {
      model: limits("1"),
      initContainers: [{ name: "s", restartPolicy: "Always", ...limits("1") }],
    });
    expect(within(quota({ "limits.cpu": "1.9" }), beside)).toHaveLength(1);
  });

  it("takes what a model leaves out from its runtime, and then from the defaults", () => {
    const runtime = (kind: string, more = {}) =>
      member(`serving.kserve.io/v1alpha1:${kind}`, "vllm", {
        spec: { containers: [{ name: "kserve-container", ...limits("4"), ...more }] },
      });
    const silent = model("m", { model: { runtime: "vllm" } });
    for (const kind of ["ServingRuntime", "ClusterServingRuntime"])
      expect(within(quota({ "limits.cpu": "3" }), runtime(kind), silent)).toEqual([
        expect.stringContaining("need 4"),
      ]);
    const bare = runtime("ServingRuntime", { resources: undefined });
    expect(within(quota({ "limits.cpu": "3" }), limitRange({ default: { cpu: "5" } }), bare, silent)).toEqual(
      [expect.stringContaining("need 5")],
    );
    // What the model says itself counts, and the runtime's others beside it.
    const own = model("m", { model: { runtime: "vllm", ...limits("1") } });
    expect(within(quota({ "limits.cpu": "1" }), runtime("ServingRuntime"), own)).toEqual([]);
    expect(within(silent)).toEqual([
      expect.stringMatching(/^spec\.predictor\.model\.resources: .*not of this stack/),
    ]);
  });

  it("does not count a model that is stopped, nor a quota that is for other pods", () => {
    const stopped = model(
      "m",
      { model: limits("9") },
      { metadata: { annotations: { "serving.kserve.io/stop": "true" } } },
    );
    expect(within(quota({ "limits.cpu": "1" }), stopped)).toEqual([]);
    const running = model("m", { model: limits("9") });
    for (const more of [{ scopes: ["Terminating"] }, { scopeSelector: { matchExpressions: [] } }])
      expect(within(quota({ "limits.cpu": "1" }, more), running)).toEqual([]);
    expect(within(quota({ "limits.cpu": "1" }, { scopes: ["NotTerminating"] }), running)).toHaveLength(1);
  });

  it("counts GPUs by what is requested, replicas as KServe reads them, and what is known beside what is not", () => {
    const gpus = model("m", { maxReplicas: 2, model: { resources: { limits: { "nvidia.com/gpu": 1 } } } });
    expect(within(quota({ "requests.nvidia.com/gpu": 1 }), gpus)).toEqual([
      expect.stringContaining("need 2"),
    ]);
    expect(
      within(
        quota({ "limits.cpu": "2" }),
        model("m", { minReplicas: 3, maxReplicas: 1, model: limits("1") }),
      ),
    ).toEqual([expect.stringContaining("need 3")]);
    expect(
      within(quota({ "limits.cpu": "1" }), model("m", { maxReplicas: UNKNOWN, model: limits("2") })),
    ).toHaveLength(1);
    expect(
      within(quota({ "limits.cpu": UNKNOWN, "limits.memory": "1Mi" }), model("m", { model: limits("2") })),
    ).toHaveLength(1);
    expect(within(quota({ "limits.cpu": "1" }), model("m", { model: { resources: UNKNOWN } }))).toEqual([]);
  });

  it("survives any shape, and is the same in any order", () => {
    const rules = ["quota-with-limit-range", "inference-within-quota", "network-reach"];
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, two) => {
        const odd = [
          member("core/v1:ResourceQuota", "q", { spec: one }),
          quota(two),
          member("core/v1:LimitRange", "l", { spec: { limits: one } }),
          model("m", { model: one, containers: two }),
          member("serving.kserve.io/v1beta1:InferenceService", "n", { spec: one }),
          member("serving.kserve.io/v1alpha1:ServingRuntime", "r", { spec: two }),
          member("core/v1:Pod", "p", { spec: one }, { namespace: two }),
          member("networking.k8s.io/v1:NetworkPolicy", "p", { spec: two }),
        ];
        for (const rule of rules) {
          const found = judgeStack(ruleNamed(rule), odd, context()).map(({ message }) => message);
          expect(found.join()).not.toContain("could not be judged");
          const turned = judgeStack(ruleNamed(rule), [...odd].reverse(), context()).map(
            ({ message }) => message,
          );
          expect(turned.sort()).toEqual(found.sort());
        }
      }),
    );
  });
});

describe("quantities", () => {
  it("are read as Kubernetes writes them", () => {
    const read = Object.entries({
      "500m": 0.5,
      "2": 2,
      "1.5": 1.5,
      "1Ki": 1024,
      "1k": 1000,
      "1e3": 1000,
      "1E": 1e18,
      "0.5Gi": 2 ** 29,
      "+1": 1,
      "-1": -1,
      "100n": 1e-7,
    });
    for (const [text, amount] of read) expect(quantity(text), text).toBeCloseTo(amount, 12);
    for (const bad of [
      "",
      "lots",
      "1 Gi",
      "1gi",
      "0x10",
      "1e",
      "Infinity",
      "1KiB",
      null,
      true,
      [],
      {},
      UNKNOWN,
      Number.NaN,
    ])
      expect(quantity(bad as string), String(bad)).toBeUndefined();
  });

  it("are compared without the dust of their sums", () => {
    expect(exceeds(0.1 + 0.2, 0.3)).toBe(false);
    expect(exceeds(0.301, 0.3)).toBe(true);
    expect(readable(1.5 * 1024 ** 3, "limits.memory")).toBe("1.5Gi");
    expect(readable(0.25, "limits.cpu")).toBe("0.25");
    expect(readable(3, "requests.storage")).toBe("3");
  });
});
