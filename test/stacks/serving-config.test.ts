import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { ConfigError, type EnvironmentKind, loadConfig, parseConfig } from "../../stacks/config.ts";
import { servingProblems } from "../../stacks/serving-checks.ts";
import { QUOTAS } from "../../stacks/serving-parts.ts";
import { servingSchema } from "../../stacks/serving-schema.ts";
import { DIGEST, project, SIZE } from "./serving-samples.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../..");
const UUID = "33333333-aaaa-bbbb-cccc-000000000003";
const base = { repo: "example/kiln", owner: "platform", costCenter: "42", location: "eastus" };

function parse(serving: unknown, more: object = {}, kind: EnvironmentKind = "dev") {
  const environment = { name: kind === "pr" ? "pr-7" : kind, kind };
  const values = { ...base, foundry: { enabled: false }, serving, ...more };
  return parseConfig(environment, { values, fileOf: () => "Pulumi.dev.yaml", problems: [] }, {}).serving;
}

function problems(serving: unknown, more: object = {}): string[] {
  try {
    parse(serving, more);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key} ${message}`);
    throw error;
  }
  return [];
}

describe("kiln:serving", () => {
  it("is switched off where nothing is said, and in every file that is checked in", () => {
    expect(parse({})).toMatchObject({ enabled: false, projects: [] });
    for (const name of ["dev", "staging", "prod", "pr-7"])
      expect(loadConfig(PROJECT_DIR, name, {}).serving.enabled).toBe(false);
  });

  it("stands ready in the files of dev and staging, right as it is", () => {
    for (const name of ["dev", "staging"]) {
      const { serving } = loadConfig(PROJECT_DIR, name, {});
      expect(serving.projects.map((each) => each.name)).toEqual(["fraud", "churn"]);
      expect(serving.agent).toBeDefined();
    }
  });

  it("is, as docs/serving.md shows it, a configuration that is right", () => {
    const page = readFileSync(resolve(PROJECT_DIR, "docs/serving.md"), "utf8");
    const example = /```yaml\n(.*?)```/s.exec(page)?.[1]?.replaceAll("<64 hex digits>", DIGEST) ?? "";
    const { config } = parseYaml(example) as { config: Record<string, object> };
    const { projects, agent, cluster } = parse(config["kiln:serving"], { foundry: {} });
    expect(cluster.context).toBe("team-cluster");
    expect(agent?.replicas).toEqual({ min: 2, max: 6 });
    // Whatever can be said of a project is said there once.
    expect(Object.keys(projects[0] ?? {}).sort()).toEqual(
      [
        ...[
          "access",
          "clusterQueue",
          "connections",
          "containers",
          "description",
          "displayName",
          "models",
          "name",
        ],
        ...["network", "notebooks", "pipelineServer", "quota", "runtimes", "scheduledPipelines"],
      ].sort(),
    );
  });

  it("has defaults by kind of environment, each of which fits together", () => {
    for (const kind of ["pr", "dev", "staging", "prod"] as const) {
      const [first] = parse({ projects: [project("fraud")] }, {}, kind).projects;
      expect(first?.quota).toEqual(QUOTAS[kind]);
      expect(first?.models[0]?.replicas).toMatchObject({ min: kind === "prod" ? 2 : 1 });
      expect(first?.models[0]).toMatchObject({ auth: true, exposed: false, stopped: false });
    }
  });

  it("tells every wrong value at once, by its key as pulumi takes it, with what is allowed", () => {
    const wrong = {
      enabled: "yes",
      clutser: {},
      projects: [
        {
          ...project("Fraud!"),
          quota: { pods: 0, cpu: 1 },
          models: [
            {
              name: "scorer",
              format: { name: "onnx" },
              runtime: "ovms",
              source: { connection: "x" },
              resources: { requests: { cpuCores: "1", memoryGib: 1 } },
              replicas: { min: 0 },
            },
          ],
          connections: [
            { name: "c", type: "ftp" },
            { name: "d", type: "uri", uri: { secret: "a_b" }, path: "x" },
          ],
          notebooks: [{ name: "n", image: "quay.io/x/y:latest", size: SIZE, stoppedSince: "yesterday" }],
        },
      ],
    };
    expect(problems(wrong).map((each) => each.split("; allowed")[0])).toEqual([
      'kiln:serving.enabled is "yes"',
      'kiln:serving.projects[0].name is "Fraud!"',
      "kiln:serving.projects[0].quota.pods is 0",
      expect.stringMatching(/^kiln:serving\.projects\[0\]\.quota\.cpu is not a known key/),
      'kiln:serving.projects[0].connections[0].type is "ftp"',
      'kiln:serving.projects[0].connections[1].uri.secret is "a_b"',
      expect.stringMatching(/^kiln:serving\.projects\[0\]\.connections\[1\]\.path is not a known key/),
      expect.stringMatching(/^kiln:serving\.projects\[0\]\.models\[0\]\.source is /),
      "kiln:serving.projects[0].models[0].replicas.min is 0",
      'kiln:serving.projects[0].models[0].resources.requests.cpuCores is "1"',
      'kiln:serving.projects[0].notebooks[0].image is "quay.io/x/y:latest"',
      'kiln:serving.projects[0].notebooks[0].stoppedSince is "yesterday"',
      expect.stringMatching(/clutser is not a known key \(did you mean kiln:serving\.cluster\?\)/),
    ]);
  });

  it("says why there is no minimum of no pods at all", () => {
    const [model] = project("fraud").models;
    const none = { ...project("fraud"), models: [{ ...model, replicas: { min: 0 } }] };
    expect(problems({ projects: [none] }).join()).toMatch(
      /stopped: true, since Standard mode turns 0 into 1/,
    );
  });
});

describe("what does not fit together", () => {
  const SMALL = { cpuCores: 16, memoryGib: 16 };
  const fraud = project("fraud");
  const [model] = fraud.models;
  const cases: readonly (readonly [what: string, serving: object, said: RegExp, more?: object])[] = [
    [
      "two projects of one name",
      { projects: [fraud, fraud] },
      /projects\[1\]\.name is "fraud", which an earlier one has/,
    ],
    [
      "a model without its runtime",
      { projects: [{ ...fraud, runtimes: [] }] },
      /models\[0\]\.runtime is "ovms"; allowed: one of the project's runtimes, of which there are none/,
    ],
    [
      "a format that the runtime does not serve",
      { projects: [{ ...fraud, models: [{ ...model, format: { name: "vllm" } }] }] },
      /models\[0\]\.format\.name is "vllm"; allowed: what the runtime ovms serves, onnx/,
    ],
    [
      "a connection that is not there",
      { projects: [{ ...fraud, models: [{ ...model, source: { connection: "s3", path: "a" } }] }] },
      /models\[0\]\.source\.connection is "s3"/,
    ],
    [
      "a model whose loader the project refuses",
      {
        projects: [
          { ...fraud, models: [{ ...model, source: { uri: "hf://owner/model" } }], quota: { limits: SMALL } },
        ],
      },
      /models\[0\]\.source is fetched by KServe's loader, to which OpenShift AI allows 24 GiB; the project's quota\.limits\.memoryGib is 16/,
    ],
    [
      "models whose loaders are too much together",
      {
        projects: [
          {
            ...fraud,
            models: ["one", "two", "three"].map((name) => ({
              ...model,
              name,
              source: { uri: "s3://bucket/model" },
              replicas: { min: 1, max: 1 },
            })),
          },
        ],
      },
      /quota\.limits\.memoryGib is 64; the project's models and notebooks together take 72 GiB at the least/,
    ],
    [
      "a model that is let out nowhere, though it is fetched from outside",
      { projects: [{ ...fraud, models: [{ ...model, source: { uri: "hf://owner/model" } }] }] },
      /network\.egress lets no model out, and scorer is fetched from outside/,
    ],
    [
      "a pipeline server that is let out nowhere",
      {
        projects: [
          {
            ...fraud,
            network: { egress: [{ cidr: "203.0.113.0/24", ports: [443], pods: "models" }] },
            pipelineServer: {
              database: { host: "db.example.com", name: "d", username: "u", passwordSecret: "p" },
              connection: "s3",
            },
          },
        ],
      },
      /network\.egress lets no pipeline out; give the addresses and ports of pipelineServer's database, db\.example\.com/,
    ],
    [
      "fewer pods at most than at least",
      { projects: [{ ...fraud, models: [{ ...model, replicas: { min: 3, max: 2 } }] }] },
      /replicas\.min is 3, more than models\[0\]\.replicas\.max, which is 2/,
    ],
    [
      "a container above the project's quota",
      {
        projects: [
          { ...fraud, models: [{ ...model, resources: { requests: { cpuCores: 99, memoryGib: 1 } } }] },
        ],
      },
      /limits\.cpuCores is 99; allowed: at most quota\.limits\.cpuCores/,
    ],
    [
      "GPUs that the quota does not have",
      { projects: [{ ...fraud, models: [{ ...model, resources: { ...SIZE, gpus: 1 } }] }] },
      /gpus is 1 for each of 2 pods; allowed: 0 in all/,
    ],
    [
      "more at the least than the quota has",
      {
        projects: [
          {
            ...fraud,
            quota: { limits: { cpuCores: 8, memoryGib: 64 }, requests: { cpuCores: 0.5, memoryGib: 1 } },
            models: [model, { ...model, name: "two" }],
          },
        ],
      },
      /quota\.requests\.cpuCores is 0\.5; the project's models and notebooks together take 1 cores at the least/,
    ],
    [
      "a canary that nothing divides traffic for",
      {
        projects: [
          { ...fraud, models: [{ ...model, canary: { source: { uri: "oci://quay.io/a/b" }, percent: 10 } }] },
        ],
      },
      /canary needs exposed: true/,
    ],
    [
      "a schedule without a pipeline server",
      {
        projects: [
          {
            ...fraud,
            scheduledPipelines: [
              { name: "n", pipeline: "p", schedule: "@daily", image: `quay.io/a/b@sha256:${DIGEST}` },
            ],
          },
        ],
      },
      /scheduledPipelines need a pipelineServer/,
    ],
    [
      "connections without a vault",
      { projects: [{ ...fraud, connections: [{ name: "c", type: "uri", uri: { secret: "a" } }] }] },
      /kiln:serving\.vault is missing; fraud has connections/,
    ],
    [
      "a vault beside the foundry's",
      { vault: { uri: "https://kv-x.vault.azure.net/", tenantId: UUID, clientId: UUID } },
      /vault does not go with the foundry/,
      { foundry: {} },
    ],
    [
      "an agent without a model",
      {
        agent: {
          image: `quay.io/a/b@sha256:${DIGEST}`,
          database: { image: `quay.io/a/b@sha256:${DIGEST}` },
          network: { apiServer: { cidrs: ["10.0.0.0/16"] } },
        },
      },
      /agent\.model is missing; there is no foundry/,
    ],
  ];

  it.each(cases.map(([what, serving, said, more]) => ({ what, serving, said, more })))("$what", (each) => {
    expect(problems(each.serving, each.more).join("\n")).toMatch(each.said);
  });

  it("names nothing where every model fits, whatever the sizes", () => {
    const amounts = fc.record({
      cpuCores: fc.integer({ min: 1, max: 2000 }).map((milli) => milli / 1000),
      memoryGib: fc.integer({ min: 1, max: 16 }),
    });
    const schema = servingSchema("prod");
    fc.assert(
      fc.property(fc.array(amounts, { maxLength: 4 }), (sizes) => {
        const models = sizes.map((requests, at) => ({
          ...model,
          name: `m${at}`,
          replicas: { min: 1, max: 1 },
          resources: { requests },
        }));
        const parsed = schema.parse({ projects: [{ ...fraud, models }] });
        return (
          servingProblems(parsed, { workload: "kiln", environment: "prod", foundry: false }).length === 0
        );
      }),
    );
  });
});
