import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cronJobName,
  cronJobSpec,
  filesName,
  submissionFiles,
  submitterPolicy,
} from "../../../components/openshift/schedule-spec.ts";
import {
  ScheduledPipeline,
  type ScheduledPipelineArgs,
  scheduledPipelineProblems,
} from "../../../components/openshift/scheduled-pipeline.ts";
import { only, recorded, TAGS } from "../recording.ts";
import { fieldsOf, IMAGE, PLACE } from "./support.ts";

const SCHEDULE: ScheduledPipelineArgs = {
  project: PLACE,
  scheduleName: "nightly",
  tags: TAGS,
  server: { name: "dspa", apiUrl: "https://ds-pipeline-dspa.kiln-dev-fraud.svc.cluster.local:8443" },
  pipeline: { name: "training", version: "v3" },
  parameters: { epochs: 3, source: "reviews" },
  schedule: "30 2 * * *",
  timeZone: "Europe/Berlin",
  image: IMAGE,
};

describe("ScheduledPipeline", () => {
  it("is a CronJob with a role for one server, files that never change, and walls", async () => {
    const recording = await recorded(() => {
      expect(new ScheduledPipeline("nightly", SCHEDULE).cronJobName).toMatch(/^nightly-[0-9a-f]{8}$/);
    });
    expect(recording.resources.map((each) => each.type.split(":").at(-1)).sort()).toEqual([
      "ConfigMap",
      "CronJob",
      "NetworkPolicy",
      "Role",
      "RoleBinding",
      "ScheduledPipeline",
      "ServiceAccount",
    ]);
    expect(only(recording, "kubernetes:rbac.authorization.k8s.io/v1:Role").inputs.rules).toEqual([
      {
        apiGroups: ["datasciencepipelinesapplications.opendatahub.io"],
        resources: ["datasciencepipelinesapplications/api"],
        resourceNames: ["dspa"],
        verbs: ["get", "create"],
      },
      {
        apiGroups: ["route.openshift.io"],
        resources: ["routes"],
        resourceNames: ["ds-pipeline-dspa"],
        verbs: ["get"],
      },
    ]);
    expect(only(recording, "kubernetes:core/v1:ConfigMap").inputs).toMatchObject({
      immutable: true,
      metadata: { name: filesName(SCHEDULE) },
    });
    const { inputs, dependsOn } = only(recording, "kubernetes:batch/v1:CronJob");
    expect(inputs).toMatchObject({
      metadata: { name: cronJobName(SCHEDULE), namespace: "kiln-dev-fraud", labels: { env: "dev" } },
      spec: { schedule: "30 2 * * *", timeZone: "Europe/Berlin", suspend: false },
    });
    // It does not fire before it may do what it is for, and is walled in.
    const waits = dependsOn.map((urn) => urn.split("$").at(-1));
    expect(waits).toContain("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding::nightly");
    expect(waits).toContain("kubernetes:networking.k8s.io/v1:NetworkPolicy::nightly");
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong = { ...SCHEDULE, schedule: "0 0 31 2 *", image: "node:24" };
    const recording = await recorded(() =>
      expect(() => new ScheduledPipeline("s", wrong)).toThrow(/schedule .*never comes.*; image /),
    );
    expect(recording.resources).toEqual([]);
  });
});

describe("the definition of a schedule", () => {
  const another: Partial<ScheduledPipelineArgs>[] = [
    { schedule: "30 3 * * *" },
    { timeZone: "Etc/UTC" },
    { pipeline: { name: "training" } },
    { pipeline: { name: "training", version: "v4" } },
    { parameters: { epochs: 4, source: "reviews" } },
    { experiment: "nightly" },
    { server: { ...SCHEDULE.server, apiUrl: "https://other:8443" } },
  ];
  const same: Partial<ScheduledPipelineArgs>[] = [
    { parameters: { source: "reviews", epochs: 3 } },
    { enabled: false },
    { concurrency: "Replace" },
    { history: { succeeded: 1, failed: 1 } },
    { catchUp: { seconds: 3600 } },
    { image: IMAGE.replaceAll("a", "b") },
    { tags: { ...TAGS, owner: "someone-else" } },
  ];

  it.each(another)("makes another CronJob with %j", (more) => {
    expect(cronJobName({ ...SCHEDULE, ...more })).not.toBe(cronJobName(SCHEDULE));
  });

  it.each(same)("stays the same with %j", (more) => {
    expect(cronJobName({ ...SCHEDULE, ...more })).toBe(cronJobName(SCHEDULE));
  });

  it("gives names that a CronJob may have, whatever the parameters", () => {
    const parameters = fc.dictionary(
      fc.string({ minLength: 1 }),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/), parameters, (scheduleName, values) => {
        const args = { ...SCHEDULE, scheduleName, parameters: values };
        expect(scheduledPipelineProblems(args)).toEqual([]);
        // The controller adds eleven characters for the time.
        expect(cronJobName(args).length).toBeLessThanOrEqual(52);
        expect(filesName(args).length).toBeLessThanOrEqual(63);
      }),
    );
  });
});

describe("cronJobSpec", () => {
  it("leaves out what is still under way and is a minute late at most, unless told otherwise", () => {
    expect(cronJobSpec(SCHEDULE)).toMatchObject({
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 60,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    const more = { enabled: false, catchUp: { seconds: 7200 }, history: { succeeded: 0, failed: 5 } };
    expect(cronJobSpec({ ...SCHEDULE, ...more, concurrency: "Allow" })).toMatchObject({
      suspend: true,
      concurrencyPolicy: "Allow",
      startingDeadlineSeconds: 7200,
      successfulJobsHistoryLimit: 0,
      failedJobsHistoryLimit: 5,
    });
  });

  it("submits by a token that is the pod's own, under a name that one time has once", () => {
    const { spec } = cronJobSpec(SCHEDULE).jobTemplate.spec.template;
    expect(spec).toMatchObject({ serviceAccountName: "nightly", automountServiceAccountToken: false });
    const [container] = spec.containers;
    expect(container?.env.find(({ name }) => name === "RUN_NAME")).toEqual({
      name: "RUN_NAME",
      valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } },
    });
    expect(container?.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container?.resources).toEqual({
      requests: { cpu: "50m", memory: "64Mi" },
      limits: { cpu: "500m", memory: "256Mi" },
    });
  });

  it("hands the request over as it is", () => {
    expect(JSON.parse(submissionFiles(SCHEDULE)["request.json"] ?? "")).toEqual({
      schedule: "nightly",
      pipeline: { name: "training", version: "v3" },
      experiment: "Default",
      parameters: { epochs: 3, source: "reviews" },
      concurrency: "Forbid",
    });
  });
});

it("the pods that submit reach names and their server, and nobody reaches them", () => {
  const { ingress, egress, policyTypes } = submitterPolicy(SCHEDULE);
  expect(policyTypes).toEqual(["Ingress", "Egress"]);
  expect(ingress).toEqual([]);
  expect(egress.map(({ to }) => to)).toEqual([
    [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "openshift-dns" } },
        podSelector: { matchLabels: { "dns.operator.openshift.io/daemonset-dns": "default" } },
      },
    ],
    [{ podSelector: { matchLabels: { app: "ds-pipeline-dspa" } } }],
  ]);
});

describe("scheduledPipelineProblems", () => {
  it.each([
    ["scheduleName", { scheduleName: "x".repeat(41) }],
    ["server.name", { server: { ...SCHEDULE.server, name: "" } }],
    ["server.apiUrl", { server: { name: "dspa", apiUrl: "http://plain:8888" } }],
    ["pipeline.name", { pipeline: { name: " " } }],
    ["pipeline.version", { pipeline: { name: "p", version: "" } }],
    ["experiment", { experiment: "" }],
    ["schedule", { schedule: "every night" }],
    ["timeZone", { timeZone: "CEST!" }],
    ["catchUp.seconds", { catchUp: { seconds: 5 } }],
    ["history.succeeded", { history: { succeeded: -1, failed: 0 } }],
    ["history.failed", { history: { succeeded: 0, failed: 21 } }],
    ["parameters.rate", { parameters: { rate: Number.NaN } }],
    ["image", { image: "node:24" }],
  ])("says what is wrong with %s", (field, more) => {
    expect(fieldsOf(scheduledPipelineProblems({ ...SCHEDULE, ...more }))).toEqual([field]);
  });
});
