/** Serving: data science projects, models, notebooks and pipelines on OpenShift AI, and the agent's own runtime. */
import { Provider } from "@pulumi/kubernetes/provider.js";
import { all, type Output, type Resource } from "@pulumi/pulumi";
import { GeneratedSecret } from "../components/azure/generated-secret.ts";
import { ConversationalAgent } from "../components/openshift/conversational-agent.ts";
import { DataConnection } from "../components/openshift/data-connection.ts";
import type { DataScienceProject } from "../components/openshift/data-science-project.ts";
import { InferenceService } from "../components/openshift/inference-service.ts";
import type { ModelSource } from "../components/openshift/model-source.ts";
import { Notebook } from "../components/openshift/notebook.ts";
import { PipelineServer } from "../components/openshift/pipeline-server.ts";
import { ScheduledPipeline } from "../components/openshift/scheduled-pipeline.ts";
import { ServingRuntime } from "../components/openshift/serving-runtime.ts";
import { projectNamespace } from "../components/shared/kubernetes.ts";
import { secretNameFor } from "../components/shared/names.ts";
import { makeTags } from "../components/shared/tags.ts";
import type { KilnConfig } from "./config.ts";
import { managedAsOne } from "./field-manager.ts";
import { type Foundry, onceMade } from "./foundry.ts";
import { needsVault } from "./serving-checks.ts";
import type {
  AgentConfig,
  ProjectConfig,
  ServedModelConfig,
  SizeConfig,
  SourceConfig,
} from "./serving-config.ts";
import { makeProject, required, type Site, secretsOf, servingNetwork } from "./serving-project.ts";
import { limitsOf } from "./serving-sizes.ts";

/** What serving tells whoever uses it. A type alias, so that it is a plain dictionary to the Automation API. */
export type ServingOutputs = {
  /** Namespaces by project. */
  readonly namespaces: Output<Record<string, string>>;
  /** Addresses of models, by `<project>/<model>`. */
  readonly modelUrls: Output<Record<string, string>>;
  /** Address of the agent for people, that of its Route; where there is an agent. */
  readonly agentUrl?: Output<string>;
};

/** Builds serving of one environment. Projects do not wait for one another. */
export function serving(config: KilnConfig, foundry: Foundry | undefined): ServingOutputs {
  const { cluster, projects } = config.serving;
  const tags = makeTags({ ...config, env: config.environment.name });
  const provider = new Provider("cluster", {
    // By itself the provider takes another kubeconfig for another cluster, by a guess, and has everything be replaced: a colleague's
    // would cost every volume. Whether things are where they should be Kiln asks the cluster.
    clusterIdentifier: projectNamespace(config.workload, tags.env, "cluster"),
    ...(cluster.context === undefined ? {} : { context: cluster.context }),
  });
  const inCluster = { provider, transformations: [managedAsOne(tags.env)] };
  const site: Site = { config, tags, inCluster, foundry };
  const built = projects.map((project) => buildProject(site, project));
  const agent = config.serving.agent === undefined ? undefined : buildAgent(site, config.serving.agent);
  const made = [...built.flatMap((each) => each.made), ...(agent?.made ?? [])];
  const namespaces = Object.fromEntries(built.map(({ name, namespace }) => [name, namespace]));
  const urls = Object.fromEntries(built.flatMap(({ modelUrls }) => modelUrls));
  return {
    namespaces: onceMade({ ...namespaces, ...agent?.namespaces }, made),
    modelUrls: onceMade(all(urls), made),
    ...(agent === undefined ? {} : { agentUrl: onceMade(agent.url, made) }),
  };
}

/** What came of one project. */
interface Built {
  readonly name: string;
  readonly namespace: string;
  readonly modelUrls: readonly [string, Output<string>][];
  /** What is done when the project is whole. */
  readonly made: readonly Resource[];
}

function buildProject(site: Site, config: ProjectConfig): Built {
  const { tags, inCluster: options } = site;
  // No name of Kubernetes has a dot in it, so that no two things get one name.
  const named = (part: string) => `${config.name}.${part}`;
  const project = makeProject(site, {
    ...config,
    network: servingNetwork(config),
    secrets: secretsOf(config),
    identity: needsVault(config),
    after: [],
  });
  const connections = new Map(
    config.connections.map(({ name, displayName, ...connection }) => [
      name,
      new DataConnection(
        named(name),
        { project, connectionName: name, tags, connection, ...shownAs(displayName) },
        options,
      ),
    ]),
  );
  const connectionOf = (name: string): DataConnection => required(connections.get(name), name);
  const runtimes = new Map(
    config.runtimes.map(({ name, displayName, resources, ...runtime }) => [
      name,
      new ServingRuntime(
        named(name),
        {
          ...runtime,
          project,
          runtimeName: name,
          tags,
          resources: sizeOf(resources),
          ...shownAs(displayName),
        },
        options,
      ),
    ]),
  );
  const models = config.models.map((model) => ({
    key: `${config.name}/${model.name}`,
    model: new InferenceService(
      named(model.name),
      {
        ...modelArgs(model, connectionOf),
        project,
        tags,
        runtime: required(runtimes.get(model.runtime), model.runtime),
        ...(project.queue === undefined ? {} : { queue: project.queue }),
      },
      options,
    ),
  }));
  const notebooks = config.notebooks.map(
    ({ name, displayName, image, size, storageGib, sharedMemoryGib, stoppedSince, connections: uses }) =>
      new Notebook(
        named(name),
        {
          project,
          notebookName: name,
          tags,
          image,
          size: sizeOf(size),
          storage: { sizeGib: storageGib },
          ...(sharedMemoryGib === undefined ? {} : { sharedMemoryGib }),
          connections: uses.map(connectionOf),
          after: uses.map((each) => connectionOf(each).synced),
          ...(project.queue === undefined ? {} : { queue: project.queue }),
          run: stoppedSince === undefined ? { state: "running" } : { state: "stopped", since: stoppedSince },
          ...shownAs(displayName),
        },
        options,
      ),
  );
  const pipelines = buildPipelines(site, config, project, connectionOf);
  return {
    name: config.name,
    namespace: project.namespace,
    modelUrls: models.map(({ key, model }) => [
      key,
      all([model.externalUrl, model.internalUrl]).apply(([outside, inside]) => outside ?? inside),
    ]),
    made: [
      project,
      ...project.ready,
      ...[...connections.values()].map(({ synced }) => synced),
      ...models.flatMap(({ model }) => model.models),
      ...notebooks.map(({ notebook }) => notebook),
      ...pipelines,
    ],
  };
}

function buildPipelines(
  { tags, inCluster }: Site,
  { name, pipelineServer, scheduledPipelines }: ProjectConfig,
  project: DataScienceProject,
  connectionOf: (name: string) => DataConnection,
): Resource[] {
  if (pipelineServer === undefined) return [];
  const { connection, database } = pipelineServer;
  const storage = connectionOf(connection);
  const server = new PipelineServer(
    `${name}.pipelines`,
    { project, tags, database, storage: { connection: storage }, after: [storage.synced] },
    inCluster,
  );
  const scheduled = scheduledPipelines.map(
    ({ name: schedule, pipeline, version, ...rest }) =>
      new ScheduledPipeline(
        `${name}.${schedule}`,
        {
          ...rest,
          project,
          tags,
          scheduleName: schedule,
          server: { name: server.serverName, apiUrl: server.apiUrl },
          pipeline: { name: pipeline, ...(version === undefined ? {} : { version }) },
          after: [server.server],
        },
        inCluster,
      ),
  );
  return [server.server, ...scheduled];
}

/** The agent in a project of its own: policies add up, so it shares none. */
function buildAgent(site: Site, agent: AgentConfig) {
  const { tags, inCluster, foundry } = site;
  const { database, network, keyRefreshMinutes } = agent;
  // The foundry's vault is ours: a password is made there. Into the vault of others it is for them to put one.
  const password =
    foundry === undefined
      ? undefined
      : new GeneratedSecret("agent-database-password", {
          vault: { uri: foundry.vault.vaultUri, createdAt: foundry.vault.createdAt },
          secretName: database.passwordSecret,
          tags,
          after: [foundry.grant],
        });
  const model = modelOf(site, agent);
  const project = makeProject(site, {
    name: agent.name,
    displayName: "Conversational agent",
    quota: agent.quota,
    // The agent's parts have walls of their own between them.
    network: { apiServer: "closed", amongThemselves: false },
    secrets: [model.keySecret, database.passwordSecret],
    identity: true,
    after: foundry === undefined || password === undefined ? [] : [foundry.custody.sync, password.made],
  });
  const runtime = new ConversationalAgent(
    `${agent.name}.runtime`,
    {
      project,
      tags,
      image: agent.image,
      ...(agent.schemaRevision === undefined ? {} : { schemaRevision: agent.schemaRevision }),
      replicas: agent.replicas,
      model: { ...model, keyRefreshMinutes },
      database: {
        image: database.image,
        passwordSecret: database.passwordSecret,
        sizeGib: database.storageGib,
      },
      ...(agent.host === undefined ? {} : { host: agent.host }),
      network: {
        apiServer: network.apiServer,
        ...(network.modelCidrs === undefined ? {} : { model: { cidrs: network.modelCidrs } }),
      },
      archiveAfterDays: agent.archiveAfterDays,
      auditRetentionDays: agent.auditRetentionDays,
    },
    inCluster,
  );
  return {
    namespaces: { [agent.name]: project.namespace },
    url: runtime.url,
    made: [...project.ready, runtime.deployment],
  };
}

/** The foundry's model, or the one that the configuration names. */
function modelOf({ config, foundry }: Site, agent: AgentConfig) {
  if (foundry === undefined) return required(agent.model, "kiln:serving.agent.model");
  const { openaiEndpoint, deploymentName } = foundry.outputs;
  return {
    endpoint: openaiEndpoint,
    deployment: deploymentName,
    keySecret: secretNameFor(config.environment.name),
  };
}

function modelArgs(model: ServedModelConfig, connectionOf: (name: string) => DataConnection) {
  const { name, displayName, format, args, stopped, patienceSeconds, replicas, exposed, callers, canary } =
    model;
  const auth = model.auth ? { callers } : ("none" as const);
  return {
    modelName: name,
    format,
    args,
    stopped,
    patienceSeconds,
    replicas,
    source: sourceOf(model.source, connectionOf),
    resources: sizeOf(model.resources),
    access: exposed ? ({ exposed, auth } as const) : { auth },
    ...(canary === undefined ? {} : { canary: { ...canary, source: sourceOf(canary.source, connectionOf) } }),
    ...shownAs(displayName),
  };
}

function sourceOf(source: SourceConfig, connectionOf: (name: string) => DataConnection): ModelSource {
  return "uri" in source ? source : { connection: connectionOf(source.connection), path: source.path };
}

function sizeOf(size: SizeConfig) {
  return { requests: size.requests, limits: limitsOf(size), gpus: size.gpus };
}

function shownAs(displayName: string | undefined): { displayName?: string } {
  return displayName === undefined ? {} : { displayName };
}
