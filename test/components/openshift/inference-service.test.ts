import type { Output } from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Connection } from "../../../components/openshift/connection.ts";
import type { InferenceServiceArgs } from "../../../components/openshift/inference-args.ts";
import { inferenceServiceProblems } from "../../../components/openshift/inference-problems.ts";
import {
  externalAddress,
  InferenceService,
  internalAddress,
} from "../../../components/openshift/inference-service.ts";
import {
  deploymentStrategy,
  modelMetadata,
  predictorSpec,
} from "../../../components/openshift/inference-spec.ts";
import { countedLimits } from "../../../components/openshift/model-loader.ts";
import {
  type ModelSource,
  modelSourceProblems,
  modelStorage,
} from "../../../components/openshift/model-source.ts";
import { only, type Recording, recorded } from "../recording.ts";
import { fieldsOf, MODEL, PLACE, RESOURCES } from "./support.ts";

const type = "kubernetes:serving.kserve.io/v1beta1:InferenceService";
const s3: Connection = {
  type: "s3",
  endpoint: "https://s3.example.com",
  bucket: "models",
  accessKeyId: { secret: "id" },
  secretAccessKey: { secret: "key" },
};

async function make(more: Partial<InferenceServiceArgs> = {}) {
  let model: InferenceService | undefined;
  const recording = await recorded(() => {
    model = new InferenceService("scoring", { ...MODEL, ...more });
  });
  if (model === undefined) throw new Error("no model was made");
  return { recording, model };
}

const typesOf = (recording: Recording) =>
  recording.resources.map((each) => each.type.split(":").at(-1)).sort();
const known = <T>(value: Output<T> | undefined) => new Promise<T>((resolve) => value?.apply(resolve));

describe("InferenceService", () => {
  it("is one object, in Standard mode, without an autoscaler that has nothing to scale", async () => {
    const { recording, model } = await make();
    expect(typesOf(recording)).toEqual(["InferenceService", "InferenceService"]);
    const { inputs } = only(recording, type);
    expect(inputs).toMatchObject({
      metadata: {
        name: "scoring",
        namespace: "kiln-dev-fraud",
        labels: { "opendatahub.io/dashboard": "true", env: "dev" },
        annotations: {
          "serving.kserve.io/deploymentMode": "Standard",
          "serving.kserve.io/autoscalerClass": "none",
          "pulumi.com/waitFor": "condition=Ready",
        },
      },
      spec: {
        predictor: {
          minReplicas: 1,
          maxReplicas: 1,
          automountServiceAccountToken: false,
          model: {
            modelFormat: { name: "onnx", version: "1" },
            runtime: "onnx",
            storageUri: "oci://registry.example.com/models/scoring",
            resources: { requests: { cpu: "1", memory: "2Gi" }, limits: { cpu: "2", memory: "4Gi" } },
          },
        },
      },
    });
    expect(inputs).not.toHaveProperty("status");
    expect(JSON.stringify(inputs)).not.toMatch(/canary|exposed|enable-auth|\/stop|scaleMetric/);
    expect(await known(model.internalUrl)).toBe("http://model.inside");
    expect(model.externalUrl).toBeUndefined();
  });

  it("scales by what the server's autoscaler knows", () => {
    const replicas = { min: 1, max: 3, scaling: { metric: "memory", targetPercent: 70 } } as const;
    expect(predictorSpec({ ...MODEL, replicas })).toMatchObject({
      minReplicas: 1,
      maxReplicas: 3,
      scaleMetric: "memory",
      scaleTarget: 70,
    });
    expect(predictorSpec({ ...MODEL, replicas: { min: 1, max: 2 } })).toMatchObject({
      scaleMetric: "cpu",
      scaleTarget: 80,
    });
    expect(modelMetadata({ ...MODEL, replicas }, "scoring").annotations).toMatchObject({
      "serving.kserve.io/autoscalerClass": "hpa",
    });
  });

  it("takes a GPU with the node's leave, and a rollout that needs no second one", () => {
    expect(
      predictorSpec({ ...MODEL, resources: { ...RESOURCES, gpus: 1 }, rollout: "recreate" }),
    ).toMatchObject({
      tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
      deploymentStrategy: { type: "Recreate" },
    });
  });

  it("waits until it has stopped when it is to stand still", () => {
    expect(modelMetadata({ ...MODEL, stopped: true }, "scoring").annotations).toMatchObject({
      "serving.kserve.io/stop": "true",
      "pulumi.com/waitFor": "condition=Stopped",
    });
  });

  it("asks for tokens, and makes nothing for it where nobody else is named", async () => {
    const { recording } = await make({ access: { auth: {} } });
    expect(typesOf(recording)).toEqual(["InferenceService", "InferenceService"]);
    expect(only(recording, type).inputs).toMatchObject({
      metadata: { annotations: { "security.opendatahub.io/enable-auth": "true" } },
      spec: { predictor: { automountServiceAccountToken: true } },
    });
  });

  it("lets callers see this model by name, and no token lasts", async () => {
    const callers = { groups: ["tellers"], serviceAccounts: [{ name: "app", namespace: "shop" }] };
    const { recording, model } = await make({ access: { auth: { callers, account: true } } });
    expect(model.callersAccount).toBe("scoring-callers");
    expect(only(recording, "kubernetes:rbac.authorization.k8s.io/v1:Role").inputs).toMatchObject({
      rules: [
        {
          apiGroups: ["serving.kserve.io"],
          resources: ["inferenceservices"],
          resourceNames: ["scoring"],
          verbs: ["get"],
        },
      ],
    });
    expect(only(recording, "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding").inputs).toMatchObject({
      roleRef: { kind: "Role", name: "scoring-callers" },
      subjects: [
        { kind: "ServiceAccount", name: "scoring-callers", namespace: "kiln-dev-fraud" },
        { kind: "Group", name: "tellers" },
        { kind: "ServiceAccount", name: "app", namespace: "shop" },
      ],
    });
    expect(only(recording, "kubernetes:core/v1:ServiceAccount").inputs).not.toHaveProperty("secrets");
    expect(typesOf(recording)).not.toContain("Secret");
  });

  it("is reachable from outside by the platform's route", async () => {
    const { recording, model } = await make({ access: { exposed: true, auth: {} } });
    expect(only(recording, type).inputs).toMatchObject({
      metadata: { labels: { "networking.kserve.io/visibility": "exposed" } },
    });
    expect(await known(model.externalUrl)).toBe("https://model.apps.example.com");
  });

  it("divides traffic by a route over two services, never by the field that Standard mode ignores", async () => {
    const canary = { source: { uri: "oci://registry.example.com/models/scoring-2" }, percent: 10 };
    const { recording, model } = await make({ access: { exposed: true, auth: "none" }, canary });
    expect(only(recording, type, "scoring-canary").inputs).toMatchObject({
      metadata: { name: "scoring-canary" },
      spec: { predictor: { minReplicas: 1, model: { storageUri: canary.source.uri } } },
    });
    expect(only(recording, "kubernetes:route.openshift.io/v1:Route").inputs).toMatchObject({
      // KServe's companion takes a Route of a model's name for its own.
      metadata: { name: "scoring.canary" },
      spec: {
        subdomain: "scoring-kiln-dev-fraud",
        to: { kind: "Service", name: "scoring-predictor", weight: 90 },
        alternateBackends: [{ kind: "Service", name: "scoring-canary-predictor", weight: 10 }],
        port: { targetPort: 8080 },
        tls: { termination: "edge", insecureEdgeTerminationPolicy: "Redirect" },
      },
    });
    expect(JSON.stringify(recording.resources)).not.toMatch(/canaryTrafficPercent|"exposed"/);
    expect(await known(model.externalUrl)).toBe("https://both.apps.example.com");
  });
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe("a change of a model", () => {
  it("changes its Deployment, too, by what no pod notices", () => {
    const strategies = [{}, { replicas: { min: 1, max: 2 } }, { replicas: { min: 1, max: 3 } }].map(
      (more) => {
        const { deploymentStrategy: strategy } = predictorSpec({ ...MODEL, ...more });
        expect(strategy).toEqual(predictorSpec({ ...MODEL, ...more }).deploymentStrategy);
        return JSON.stringify(strategy);
      },
    );
    expect(new Set(strategies).size).toBe(3);
    fc.assert(
      fc.property(fc.object(), (spec) => {
        const { rollingUpdate } = deploymentStrategy("rolling", spec);
        expect(parseInt(rollingUpdate?.maxSurge ?? "", 10)).toBeOneOf(range(25, 49));
        expect(parseInt(rollingUpdate?.maxUnavailable ?? "", 10)).toBeOneOf(range(0, 24));
      }),
    );
    expect(deploymentStrategy("recreate", {})).toEqual({ type: "Recreate" });
  });
});

describe("addresses of models", () => {
  const inside = "http://m-predictor.ns.svc.cluster.local";

  it("lead to the server's own port where the platform says another's", () => {
    expect(internalAddress(`${inside}:8080`, 9000)).toBe(`${inside}:9000`);
    expect(internalAddress(`${inside}:8080`)).toBe(`${inside}:8080`);
    expect(internalAddress(inside, 9000)).toBe(inside);
    const guarded = "https://m-predictor.ns.svc.cluster.local:8443";
    expect(internalAddress(guarded, 9000)).toBe(guarded);
    expect(internalAddress(undefined, 9000)).toBe("");
  });

  it("from outside are none until the platform says one", () => {
    expect(externalAddress("https://m-ns.apps.example.com")).toBe("https://m-ns.apps.example.com");
    for (const not of [inside, "https://m-predictor.ns.svc.cluster.local:8443", "", undefined]) {
      expect(externalAddress(not)).toBe("");
    }
  });
});

describe("sources of models", () => {
  const from = (connection: Connection): ModelSource => ({
    connection: { connectionName: "store", connection },
    path: "fraud/1",
  });

  it("are told to KServe by what leads to them", () => {
    expect(modelStorage(from(s3)).model).toEqual({ storage: { key: "store", path: "fraud/1" } });
    const blob = from({
      type: "azure-blob",
      account: "stmodels",
      container: "one",
      accessKey: { secret: "k" },
    });
    expect(modelStorage(blob)).toEqual({
      model: { storageUri: "https://stmodels.blob.core.windows.net/one/fraud/1" },
      annotations: { "serving.kserve.io/storageSecretName": "store" },
      predictor: {},
    });
    expect(modelStorage(from({ type: "oci", registry: "quay.io", dockerConfig: { secret: "d" } }))).toEqual({
      model: { storageUri: "oci://quay.io/fraud/1" },
      annotations: {},
      predictor: { imagePullSecrets: [{ name: "store" }] },
    });
  });

  it("are refused where they lead nowhere or hold a credential", () => {
    const bad: ModelSource[] = [
      { uri: "file:///etc" },
      { uri: "oci://" },
      { uri: "https://user:pass@example.com/m" },
      { uri: "https://st.blob.core.windows.net/m?sig=abc" },
      { ...from(s3), path: "/abs" } as ModelSource,
      { ...from(s3), path: "a/../b" } as ModelSource,
      from({ type: "uri", uri: { secret: "u" } }),
    ];
    expect(bad.map((source) => fieldsOf(modelSourceProblems("source", source)).join())).toEqual([
      "source.uri",
      "source.uri",
      "source.uri",
      "source.uri",
      "source.path",
      "source.path",
      "source.connection",
    ]);
    for (const uri of ["oci://a/b", "pvc://claim/x", "hf://owner/model", "s3://b/x", "https://e.com/m"]) {
      expect(modelSourceProblems("source", { uri }), uri).toEqual([]);
    }
  });
});

describe("what is wrong with a model", () => {
  const problemsOf = (more: Partial<InferenceServiceArgs>) => inferenceServiceProblems({ ...MODEL, ...more });

  it("is nothing with a right one", () => {
    expect(problemsOf({})).toEqual([]);
  });

  it("is said of zero replicas with the reason and the way out", () => {
    const [problem] = problemsOf({ replicas: { min: 0 } });
    expect(problem?.field).toBe("replicas.min");
    expect(problem?.message).toMatch(
      /silently makes 1 \(kserve#3514\).*stopped \(serving\.kserve\.io\/stop\)/,
    );
  });

  it("names both fields where copies cannot fit the project", () => {
    expect(
      problemsOf({ replicas: { min: 1, max: 9 } }).map(({ field, message }) => `${field} ${message}`),
    ).toEqual([
      "resources.requests.cpuCores is 1, for replicas.max 9 in all 9, and exceeds the project's quota.requests.cpuCores, 8",
      "resources.limits.cpuCores is 2, for replicas.max 9 in all 18, and exceeds the project's quota.limits.cpuCores, 16",
    ]);
    expect(fieldsOf(problemsOf({ resources: { ...RESOURCES, gpus: 2 } }))).toEqual(["resources.gpus"]);
  });

  it("counts what fetches a model, by the limits that the platform gives it, as long as the pod is there", () => {
    const fetched = { uri: "s3://bucket/model" } as const;
    const said = (more: Partial<InferenceServiceArgs>) =>
      problemsOf(more).map(({ field, message }) => `${field} ${message}`);
    expect(said({ source: fetched, replicas: { min: 1, max: 2 } })).toEqual([]);
    expect(said({ source: fetched, replicas: { min: 1, max: 3 } })).toEqual([
      "source is fetched by KServe's loader, which counts as 24 GiB of limits in each pod, for replicas.max 3 in all 72, and exceeds the project's quota.limits.memoryGib, 64; an image (oci://) and a volume (pvc://) need no loader",
    ]);
    expect(said({ source: fetched, replicas: { min: 1, max: 3 }, stopped: true })).toEqual([]);
    expect(said({ source: { uri: "pvc://claim/model" }, replicas: { min: 1, max: 3 } })).toEqual([]);
    const access = { exposed: true, auth: "none" } as const;
    const canary = { source: fetched, percent: 10, replicas: 3 };
    expect(fieldsOf(problemsOf({ access, canary }))).toEqual(["canary.source"]);
    const bounds = { cpuCores: 2, memoryGib: 16 };
    const containers = { defaultRequests: bounds, defaultLimits: bounds, max: bounds };
    expect(said({ source: fetched, project: { ...PLACE, containers } })).toEqual([
      "source is fetched by KServe's loader, to which OpenShift AI allows 24 GiB; the project's containers.max.memoryGib is 16, so that its pods would be refused; an image (oci://) and a volume (pvc://) need no loader",
    ]);
    expect(countedLimits({ cpuCores: 2, memoryGib: 4 }, fetched)).toEqual({ cpuCores: 2, memoryGib: 24 });
    expect(countedLimits(RESOURCES.limits, MODEL.source)).toEqual(RESOURCES.limits);
  });

  it("counts a canary's copies with the others", () => {
    const canary = { source: MODEL.source, percent: 50, replicas: 2 };
    const replicas = { min: 7 };
    expect(fieldsOf(problemsOf({ access: { exposed: true, auth: "none" }, canary, replicas }))).toEqual([
      "resources.requests.cpuCores",
      "resources.limits.cpuCores",
    ]);
  });

  it("is said of a canary that nothing would divide traffic for", () => {
    const canary = { source: MODEL.source, percent: 100 };
    const problems = problemsOf({ canary, stopped: true });
    expect(fieldsOf(problems)).toEqual(["canary.percent", "canary", "canary"]);
    expect(problems[1]?.message).toMatch(/ignores canaryTrafficPercent \(kserve#5335\)/);
  });

  it("is said of what the runtime does not serve", () => {
    expect(problemsOf({ format: { name: "vLLM" } })).toEqual([
      { field: "format", message: "is vLLM; runtime onnx has formats onnx 1" },
    ]);
    expect(problemsOf({ format: { name: "onnx" } })).toEqual([]);
    expect(fieldsOf(problemsOf({ format: { name: "onnx", version: "2" } }))).toEqual(["format"]);
  });

  it("is said of an open door that nobody meant", () => {
    const access = { exposed: true } as unknown as NonNullable<InferenceServiceArgs["access"]>;
    expect(fieldsOf(problemsOf({ access }))).toEqual(["access.auth"]);
  });

  it("is said of names too long for a Service or a host", () => {
    expect(fieldsOf(problemsOf({ modelName: "a".repeat(54) }))).toEqual(["modelName"]);
    const access = { exposed: true, auth: "none" } as const;
    expect(fieldsOf(problemsOf({ modelName: "a".repeat(49), access }))).toEqual(["modelName"]);
    expect(problemsOf({ modelName: "a".repeat(48), access })).toEqual([]);
  });

  it("is said all at once, before anything is registered", async () => {
    const wrong: InferenceServiceArgs = {
      ...MODEL,
      modelName: "Scoring",
      replicas: { min: 3, max: 2 },
      env: { "a-b": "" },
      access: { auth: { callers: { users: [""] } } },
      timeoutSeconds: 0,
      patienceSeconds: 5,
    };
    const recording = await recorded(() =>
      expect(() => new InferenceService("scoring", wrong)).toThrow(
        /modelName .*; replicas\.max is 2 and below replicas\.min, which is 3; env\.a-b .*callers\.users\[0\] .*timeoutSeconds .*patienceSeconds /,
      ),
    );
    expect(recording.resources).toEqual([]);
  });
});
