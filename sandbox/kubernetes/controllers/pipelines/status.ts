import type { Condition, Deployment, KubeObject, Secret } from "../runtime/objects.ts";
import { isTrue } from "../runtime/objects.ts";
import { deploymentNames, usesExternalDatabase, usesExternalStorage } from "./children.ts";
import type { PipelineServer, PipelineServerStatus } from "./types.ts";

/** What can be looked up about a pipeline server. */
export interface PipelineFacts {
  deployment(name: string): Deployment | undefined;
  secret(name: string): Secret | undefined;
  service(namespace: string, name: string): KubeObject | undefined;
  readonly routeHost?: string | undefined;
  /** What the API server said when a child was to be made. */
  readonly refused?: string | undefined;
}

/** Why the database, or the storage, cannot be used; undefined when it can. */
export interface Prerequisites {
  readonly database: string | undefined;
  readonly storage: string | undefined;
}

/** Pairs of a Secret and its key that must be there. */
type SecretKey = readonly [secret: string, key: string];

/**
 * Whether a server's database and storage can be used, from what can be looked up: their Secrets are there with the keys that
 * are named, and their hosts could resolve. Nothing is connected to. Pure.
 */
export function prerequisites(server: PipelineServer, facts: PipelineFacts): Prerequisites {
  const { database, objectStorage } = server.spec;
  const external = database?.externalDB;
  const storage = objectStorage.externalStorage;
  const credentials = storage?.s3CredentialsSecret;
  const names = deploymentNames(server);
  const own = (name: string): string | undefined =>
    isTrue(facts.deployment(name)?.status?.conditions, "Available")
      ? undefined
      : `${name} is not available yet`;
  return {
    database: usesExternalDatabase(server.spec)
      ? (missingKey(
          external === undefined ? [] : [[external.passwordSecret.name, external.passwordSecret.key]],
          facts,
        ) ?? unreachable(external?.host, server, facts, database?.disableHealthCheck))
      : database?.mariaDB?.deploy === false
        ? "neither an external database nor one to be deployed is specified"
        : own(names.mariaDB),
    storage: usesExternalStorage(server.spec)
      ? (missingKey(
          credentials === undefined
            ? []
            : [
                [credentials.secretName, credentials.accessKey],
                [credentials.secretName, credentials.secretKey],
              ],
          facts,
        ) ?? unreachable(storage?.host, server, facts, objectStorage.disableHealthCheck))
      : objectStorage.minio?.deploy === true
        ? own(names.minio)
        : "neither an external object storage nor one to be deployed is specified",
  };
}

function missingKey(wanted: readonly SecretKey[], { secret }: PipelineFacts): string | undefined {
  for (const [name, key] of wanted) {
    const found = secret(name);
    if (found === undefined) return `secrets "${name}" not found`;
    const fault = found.metadata.annotations?.["sandbox.kiln/fail"];
    if (fault !== undefined) return fault;
    if ((found.data?.[key] ?? "") === "") return `secret "${name}" has no key "${key}"`;
  }
  return undefined;
}

function unreachable(
  host: string | undefined,
  server: PipelineServer,
  facts: PipelineFacts,
  unchecked: boolean | undefined,
): string | undefined {
  if (unchecked === true || host === undefined) return undefined;
  const lookup = `dial tcp: lookup ${host}: no such host`;
  if (/(?:^|\.)invalid$/.test(host)) return lookup;
  const [, name = "", namespace = server.metadata.namespace ?? ""] =
    /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/.exec(host) ?? [];
  return name !== "" && facts.service(namespace, name) === undefined ? lookup : undefined;
}

type Step = Required<Pick<Condition, "status" | "reason" | "message">>;

/**
 * The conditions that the pipelines operator writes. Source: opendatahub-io/data-science-pipelines-operator,
 * controllers/dspipeline_controller.go (evaluateCondition), controllers/dspastatus. Pure.
 * @param now ISO 8601
 */
export function pipelineServerStatus(
  server: PipelineServer,
  problems: Prerequisites,
  facts: PipelineFacts,
  now: string,
): PipelineServerStatus {
  const names = deploymentNames(server);
  const { spec } = server;
  const blocked = problems.database !== undefined || problems.storage !== undefined;
  const unknown: Step = { status: "Unknown", reason: "Unknown", message: "" };
  const component = (name: string, wanted = true): Step => {
    if (!wanted) return notApplicable("");
    if (facts.refused !== undefined) return failing(facts.refused);
    return blocked ? unknown : componentStep(name, facts.deployment(name));
  };
  const steps: Record<string, Step> = {
    DatabaseAvailable: available(
      "DatabaseAvailable",
      "Database connectivity successfully verified",
      problems.database,
    ),
    ObjectStoreAvailable: available(
      "ObjectStoreAvailable",
      "Object Store connectivity successfully verified",
      problems.storage,
    ),
    APIServerReady: component(names.apiServer),
    PersistenceAgentReady: component(names.persistenceAgent, spec.persistenceAgent?.deploy !== false),
    ScheduledWorkflowReady: component(names.scheduledWorkflow, spec.scheduledWorkflow?.deploy !== false),
    WorkflowControllerReady: component(names.workflowController, spec.workflowController?.deploy !== false),
    MLMDProxyReady: component(names.mlmdProxy, spec.mlmd?.deploy === true),
    WebhookReady: blocked
      ? unknown
      : notApplicable("Webhook deployment not applicable for pipeline storage other than 'kubernetes'"),
    ManagedPipelineValid: blocked
      ? unknown
      : notApplicable("Managed pipelines not configured or no explicit pipeline list"),
  };
  const unhappy = Object.values(steps).filter(
    ({ status, reason }) => status !== "True" && reason !== "NotApplicable",
  );
  const ready: Step = {
    status: unhappy.length === 0 ? "True" : "False",
    reason: "MinimumReplicasAvailable",
    message:
      unhappy.length === 0
        ? "All components are ready."
        : unhappy
            .map(({ message }) => message)
            .filter((each) => each !== "")
            .join(" \n"),
  };
  const before = server.status?.conditions ?? [];
  const conditions = Object.entries({ ...steps, Ready: ready }).map(([type, step]) => {
    const known = before.find((each) => each.type === type);
    return {
      type,
      ...step,
      observedGeneration: server.metadata.generation ?? 0,
      lastTransitionTime: known?.status === step.status ? (known.lastTransitionTime ?? now) : now,
    };
  });
  const { name, namespace } = server.metadata;
  return {
    components: blocked
      ? {}
      : {
          apiServer: {
            url: `https://ds-pipeline-${name}.${namespace}.svc.cluster.local:8443`,
            ...(facts.routeHost === undefined ? {} : { externalUrl: `https://${facts.routeHost}` }),
          },
        },
    conditions,
  };
}

function available(type: string, message: string, problem: string | undefined): Step {
  return problem === undefined ? { status: "True", reason: type, message } : failing(problem);
}

function failing(message: string): Step {
  return { status: "False", reason: "FailingToDeploy", message };
}

function notApplicable(message: string): Step {
  return { status: "False", reason: "NotApplicable", message };
}

function componentStep(name: string, deployment: Deployment | undefined): Step {
  if (deployment === undefined) {
    return {
      status: "False",
      reason: "ComponentDeploymentNotFound",
      message: `Deployment for component "${name}" is missing - pre-requisite component may not yet be available.`,
    };
  }
  const conditions = deployment.status?.conditions ?? [];
  if (isTrue(conditions, "Available")) {
    return {
      status: "True",
      reason: "MinimumReplicasAvailable",
      message: `Component [${name}] is minimally available.`,
    };
  }
  const progressing = conditions.find(({ type }) => type === "Progressing");
  if (progressing?.status === "False") {
    return failing(
      `Component [${name}] has failed to progress. Reason: [${progressing.reason}]. Message: [${progressing.message}]`,
    );
  }
  const failed = conditions.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (failed !== undefined) {
    return failing(
      `Component's replica [${name}] has failed to create. Reason: [${failed.reason}]. Message: [${failed.message}]`,
    );
  }
  return { status: "False", reason: "Deploying", message: `Component [${name}] is deploying.` };
}
