import { z } from "zod";
import type { EnvironmentKind } from "./environment.ts";
import { amount, flag, list, section, text, whole, wrong } from "./schema-parts.ts";
import {
  address,
  cidrs,
  compute,
  image,
  label,
  map,
  people,
  port,
  quotaSchema,
  replicas,
  secretName,
  shown,
  size,
  uuid,
  words,
} from "./serving-parts.ts";

/** How many models, and how many pods of each, there are where the configuration says nothing. */
const REPLICAS: Readonly<Record<EnvironmentKind, { readonly min: number; readonly max: number }>> = {
  pr: { min: 1, max: 1 },
  dev: { min: 1, max: 2 },
  staging: { min: 1, max: 3 },
  prod: { min: 2, max: 6 },
};

const inVault = (what: string) => map({ secret: secretName(what) });
const named = {
  name: label("the connection's name", 40),
  displayName: shown("what the dashboard shows").exactOptional(),
};
const connection = z.discriminatedUnion(
  "type",
  [
    z.strictObject({
      ...named,
      type: z.literal("s3"),
      endpoint: address(),
      bucket: text(
        "a bucket's name, 3 to 63 of a-z, 0-9, hyphen, dot",
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        63,
      ),
      region: text("a region as the storage names it", /^[\w-]+$/, 60).default("us-east-1"),
      accessKeyId: inVault("the access key's id"),
      secretAccessKey: inVault("the access key"),
    }),
    z.strictObject({
      ...named,
      type: z.literal("azure-blob"),
      account: text("a storage account, 3 to 24 of a-z and 0-9", /^[a-z0-9]{3,24}$/, 24),
      container: text("a container of it, 3 to 63 of a-z, 0-9, hyphen", /^[a-z0-9](?:-?[a-z0-9]){2,62}$/, 63),
      accessKey: inVault("the account's key"),
    }),
    z.strictObject({ ...named, type: z.literal("uri"), uri: inVault("the address") }),
    z.strictObject({
      ...named,
      type: z.literal("oci"),
      registry: text("the host of a registry", /^[a-z0-9][a-z0-9.-]*(?::\d+)?$/, 253),
      dockerConfig: inVault("the docker configuration"),
    }),
  ],
  {
    error: (issue) => {
      const input: unknown = issue.input;
      if (typeof input !== "object" || input === null || Array.isArray(input))
        return wrong(input, "a map of keys and values");
      return wrong((input as { type?: unknown }).type, "one of s3, azure-blob, uri, oci");
    },
  },
);

const format = map({
  name: text("a model format, like onnx", /^[\w.-]+$/, 63),
  version: text('a version in quotes, like "1"', /^[\w.-]+$/, 40).exactOptional(),
});

const runtime = map({
  name: label("the runtime's name", 50),
  displayName: shown("what the dashboard shows").exactOptional(),
  image: image(),
  formats: list(format, "model formats").min(1, { error: "is empty; a runtime serves at least one format" }),
  command: words().exactOptional(),
  args: words().default([]),
  env: z
    .record(z.string(), z.string({ error: (issue) => wrong(issue.input, "text; numbers in quotes") }), {
      error: section,
    })
    .default({}),
  port: whole(1024, 65_535, "a TCP port").default(8080),
  resources: size(),
  sharedMemoryGib: amount(0.063, 1024, "GiB").exactOptional(),
});

const source = () =>
  z.union(
    [
      map({
        connection: label("a data connection of the project", 40),
        path: text("a path in the bucket without a leading slash", /^[^/\s]\S*$/, 1024),
      }),
      map({ uri: text("an address like oci://… or hf://…", /^[a-z0-9]+:\/\/\S+$/, 1024) }),
    ],
    { error: (issue) => wrong(issue.input, "a map of connection and path, or of uri alone") },
  );

function model(kind: EnvironmentKind) {
  return map({
    name: label("the model's name", 53),
    displayName: shown("what the dashboard shows").exactOptional(),
    format,
    runtime: label("a runtime of the project", 50),
    source: source(),
    replicas: replicas(REPLICAS[kind]),
    resources: size(),
    args: words().default([]),
    exposed: flag().default(false),
    auth: flag().default(true),
    callers: people(),
    canary: map({
      source: source(),
      percent: whole(1, 99, "percent"),
      replicas: whole(1, 100, "replicas").default(1),
    }).exactOptional(),
    stopped: flag().default(false),
    patienceSeconds: whole(10, 7200, "seconds").default(600),
  });
}

const notebook = map({
  name: label("the notebook's name", 52),
  displayName: shown("what the dashboard shows").exactOptional(),
  image: image(),
  size: size(),
  storageGib: whole(1, 100_000, "GiB").default(20),
  sharedMemoryGib: amount(0.001, 1000, "GiB").exactOptional(),
  connections: list(label("a data connection of the project", 40), "data connections").default([]),
  stoppedSince: text(
    "a time in UTC, like 2026-03-01T12:00:00Z",
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/,
    20,
  ).exactOptional(),
});

const pipelineServer = map({
  database: map({
    host: text("a host name", /^[a-z0-9][a-z0-9.-]*$/i, 253),
    port: port().default(3306),
    name: text("a database's name", /^[\w-]+$/, 64),
    username: text("a user of the database", /^[\w.@-]+$/, 80),
    passwordSecret: secretName("the database's password"),
  }),
  connection: label("a data connection of the project", 40),
});

const scheduledPipeline = map({
  name: label("the schedule's name", 40),
  pipeline: shown("a pipeline's name"),
  version: shown("a version of the pipeline").exactOptional(),
  schedule: text("five fields, or @hourly, @daily, @weekly, @monthly", /^(?:@\w+|\S+(?: \S+){4})$/, 100),
  timeZone: text("a time zone by its IANA name", /^[A-Za-z_]+(?:\/[\w+-]+)*$/, 60).default("Etc/UTC"),
  enabled: flag().default(true),
  parameters: z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean()], {
        error: (issue) => wrong(issue.input, "text, a number, true or false"),
      }),
      { error: section },
    )
    .default({}),
  image: image(),
});

const network = () =>
  map({
    egress: list(
      map({
        cidr: text("a range of IPv4 addresses like 203.0.113.0/24", /^\d+(?:\.\d+){3}\/\d+$/, 18),
        except: cidrs("ranges that stay closed").exactOptional(),
        ports: list(port(), "TCP ports"),
        pods: z
          .enum(["all", "models"], { error: (issue) => wrong(issue.input, "one of all, models") })
          .default("all"),
      }),
      "what pods may reach",
    ).default([]),
    monitoringNamespaces: list(label("a namespace", 63), "namespaces").exactOptional(),
    platformNamespaces: list(label("a namespace", 63), "namespaces").exactOptional(),
    apiServer: map({ cidrs: cidrs("ranges of addresses"), port: port().default(6443) }).exactOptional(),
  }).prefault({});

function project(kind: EnvironmentKind) {
  return map({
    name: label("the project's name", 30),
    displayName: shown("what the dashboard shows").exactOptional(),
    description: shown("what the project is for", 1024).exactOptional(),
    quota: quotaSchema(kind),
    containers: map({
      defaultRequests: compute().exactOptional(),
      defaultLimits: compute().exactOptional(),
      max: compute().exactOptional(),
    }).exactOptional(),
    access: map({ admin: people(), edit: people(), view: people() }).prefault({}),
    network: network(),
    clusterQueue: label("a ClusterQueue of Kueue", 63).exactOptional(),
    connections: list(connection, "data connections").default([]),
    runtimes: list(runtime, "serving runtimes").default([]),
    models: list(model(kind), "models").default([]),
    notebooks: list(notebook, "notebooks").default([]),
    pipelineServer: pipelineServer.exactOptional(),
    scheduledPipelines: list(scheduledPipeline, "scheduled pipelines").default([]),
  });
}

function agent(kind: EnvironmentKind) {
  return map({
    name: label("the name of the agent's project", 30).default("agent"),
    image: image(),
    schemaRevision: text("a revision of the database's schema", /^[\w.-]+$/, 63).exactOptional(),
    replicas: replicas(kind === "pr" ? { min: 1, max: 2 } : { min: 2, max: 6 }),
    host: text("a host name", /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 253).exactOptional(),
    database: map({
      image: image(),
      storageGib: whole(1, 100_000, "GiB").default(20),
      passwordSecret: secretName("the database's password").default("agent-database-password"),
    }),
    network: map({
      apiServer: map({ cidrs: cidrs("ranges of addresses"), port: port().default(6443) }),
      modelCidrs: cidrs("ranges of addresses").exactOptional(),
    }),
    model: map({
      endpoint: address(),
      deployment: shown("a model deployment's name", 64),
      keySecret: secretName("the model's key"),
    }).exactOptional(),
    keyRefreshMinutes: whole(1, 1440, "minutes").default(5),
    archiveAfterDays: whole(1, 3650, "days").default(30),
    auditRetentionDays: whole(30, 3650, "days").default(365),
    // With its database and its jobs it needs more than a project of a pull request gets.
    quota: quotaSchema(kind === "pr" ? "dev" : kind),
  });
}

/** The schema of `kiln:serving`, with the defaults of the given kind of environment. Pure. */
export function servingSchema(kind: EnvironmentKind) {
  return map({
    enabled: flag().default(false),
    cluster: map({
      context: text("a context of the kubeconfig", /^\S+$/, 253).exactOptional(),
      serviceAccountIssuer: address().exactOptional(),
    }).prefault({}),
    vault: map({
      uri: text(
        "a vault's address, https://<vault>.vault.azure.net/",
        /^https:\/\/[a-z0-9-]{3,24}\.vault\.azure\.net\/?$/i,
        60,
      ),
      tenantId: uuid("the tenant"),
      clientId: uuid("the client id of the identity that reads it"),
    }).exactOptional(),
    projects: list(project(kind), "data science projects").default([]),
    agent: agent(kind).exactOptional(),
  });
}
