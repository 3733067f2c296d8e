import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { KeyRollout } from "../../../components/openshift/agent/args.ts";
import {
  agentConfiguration,
  postgresConfiguration,
} from "../../../components/openshift/agent/configuration.ts";
import { postgresStatefulSet } from "../../../components/openshift/agent/database.ts";
import { agentRoute, agentService, routeAnnotations } from "../../../components/openshift/agent/exposure.ts";
import { archivalCronJob, migrationJob } from "../../../components/openshift/agent/jobs.ts";
import { agentNames } from "../../../components/openshift/agent/settings.ts";
import {
  agentAnnotations,
  agentAutoscaler,
  agentDeployment,
  agentDisruptionBudget,
} from "../../../components/openshift/agent/workload.ts";
import { AGENT, AGENT_IMAGE, settingsOf } from "./agent-support.ts";

const MODEL = { endpoint: "https://oai-kiln-dev.openai.azure.com/", deployment: "gpt-5-1" };
const rollout = (keyRollout: KeyRollout) => settingsOf({ model: { ...AGENT.model, keyRollout } });
const pod = (settings = settingsOf()) => agentDeployment(settings, "0a1b2c3d").template;
const container = (settings = settingsOf()) => {
  const [only] = pod(settings).spec.containers;
  if (only === undefined) throw new Error("no container");
  return only;
};

describe("every container of the agent", () => {
  const settings = settingsOf();
  const pods = {
    agent: agentDeployment(settings, "0").template.spec,
    postgres: postgresStatefulSet(settings, "0").template.spec,
    migrations: migrationJob(settings).template.spec,
    archival: archivalCronJob(settings).jobTemplate.spec.template.spec,
  };

  it.each(Object.entries(pods))("%s: is no root, writes only what is mounted, gains nothing", (_, spec) => {
    expect(spec.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const each of spec.containers) {
      expect(each.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        privileged: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(each.image).toMatch(/@sha256:[0-9a-f]{64}$/);
      for (const amounts of [each.resources.requests, each.resources.limits])
        expect(Object.keys(amounts)).toEqual(["cpu", "memory"]);
    }
  });

  it.each(Object.entries(pods))("%s: mounts what it has, and has what it mounts", (_, spec) => {
    const volumes = spec.volumes.map(({ name }) => name).sort();
    const mounts = spec.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)).sort();
    expect(mounts).toEqual(volumes);
  });

  it("only the agent itself has a token of the cluster", () => {
    const withToken = Object.entries(pods).filter(([, spec]) => spec.automountServiceAccountToken);
    expect(withToken.map(([name]) => name)).toEqual(["agent"]);
    expect(pods.agent.serviceAccountName).toBe("agent");
  });
});

describe("the agent's Deployment", () => {
  it("leaves the number of pods to the autoscaler, and always has a pod that answers", () => {
    const deployment = agentDeployment(settingsOf(), "0");
    expect(deployment).not.toHaveProperty("replicas");
    expect(deployment.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(agentAutoscaler(settingsOf())).toMatchObject({
      scaleTargetRef: { kind: "Deployment", name: "agent" },
      minReplicas: 2,
      maxReplicas: 6,
      metrics: [{ resource: { target: { averageUtilization: 70 } } }],
    });
  });

  it.each([1, 2, 50])("lets a machine be emptied with %i pods", (min) => {
    const budget = agentDisruptionBudget(settingsOf({ replicas: { min, max: 50 } }));
    expect(budget).toMatchObject({
      maxUnavailable: 1,
      selector: agentDeployment(settingsOf(), "0").selector,
    });
    expect(budget).not.toHaveProperty("minAvailable");
  });

  it("is asked over TLS whether it is alive and ready", () => {
    const { startupProbe, readinessProbe, livenessProbe } = container();
    expect(readinessProbe.httpGet).toEqual({ path: "/v1/readiness", port: "https", scheme: "HTTPS" });
    expect(livenessProbe.httpGet).toEqual({ path: "/v1/liveness", port: "https", scheme: "HTTPS" });
    expect(startupProbe.httpGet).toEqual(livenessProbe.httpGet);
  });

  it("is spread over machines and zones where there is more than one pod", () => {
    expect(pod().spec).toHaveProperty("topologySpreadConstraints.length", 2);
    const alone = settingsOf({ replicas: { min: 1, max: 1 } });
    expect(pod(alone).spec).not.toHaveProperty("topologySpreadConstraints");
  });

  it("is started as its image says, with the configuration, or as the caller says", () => {
    expect(container()).toMatchObject({ args: ["-c", "/etc/agent/lightspeed-stack.yaml"] });
    const serve = ["python", "-m", "src.api.main"];
    expect(container(settingsOf({ commands: { serve } }))).toMatchObject({ command: serve });
  });
});

describe("a rotated key", () => {
  const variable = (settings = settingsOf()) =>
    container(settings).env.find(({ name }) => name === "AZURE_OPENAI_API_KEY");

  it("is a file that changes, in a folder of its own, and no pod restarts", () => {
    const settings = rollout({ by: "file" });
    expect(variable(settings)).toBeUndefined();
    const mount = container(settings).volumeMounts.find(({ name }) => name === "model-key");
    // With subPath the kubelet would never replace it.
    expect(mount).toEqual({ name: "model-key", mountPath: "/var/run/secrets/model", readOnly: true });
    expect(agentAnnotations(settings)).toEqual({});
    expect(parse(agentConfiguration(settings, MODEL)).model).toMatchObject({
      api_key_path: "/var/run/secrets/model/api-key",
    });
  });

  it("rolls the Deployment by Reloader", () => {
    const settings = rollout({ by: "reloader" });
    expect(agentAnnotations(settings)).toEqual({ "secret.reloader.stakater.com/reload": "agent-model-key" });
    expect(variable(settings)).toMatchObject({
      valueFrom: { secretKeyRef: { name: "agent-model-key", key: "api-key" } },
    });
    expect(parse(agentConfiguration(settings, MODEL)).model.api_key).toBe("$" + "{env.AZURE_OPENAI_API_KEY}");
  });

  it("rolls the Deployment by its version", () => {
    const settings = rollout({ by: "version", version: "4387e9f3d6e14c459867679a90fd0f79" });
    expect(pod(settings).metadata.annotations).toMatchObject({
      "kiln.io/model-key-version": "4387e9f3d6e14c459867679a90fd0f79",
    });
    expect(variable(settings)).toBeDefined();
  });
});

describe("the agent's configuration", () => {
  const read = (more = {}) => parse(agentConfiguration(settingsOf(more), MODEL));

  it("has the model as the foundry gives it out, and the database by the name of its certificate", () => {
    expect(read()).toMatchObject({
      service: { port: 8443, auth_enabled: true, tls_config: { tls_key_path: "/etc/tls/serving/tls.key" } },
      authentication: { module: "k8s", skip_tls_verification: false },
      inference: { default_model: "gpt-5-1" },
      model: { endpoint: MODEL.endpoint, deployment: "gpt-5-1", api_version: "2024-10-21" },
      database: {
        postgres: {
          host: "agent-postgres.kiln-dev-agent.svc",
          ssl_mode: "verify-full",
          password: "$" + "{env.PGPASSWORD}",
        },
      },
    });
  });

  it("takes a confirmation from the caller and offers none to the model, whatever else is configured", () => {
    const { confirmation } = read({
      confirmation: { also: ["restart", "delete"], validSeconds: 60 },
    }).operations;
    expect(confirmation).toMatchObject({
      required_for: ["delete", "scale", "permission-change", "restart"],
      accepted_from: "caller-request",
      offered_to_model: false,
      single_use: true,
      valid_seconds: 60,
    });
  });

  it("asks for metrics as the caller, where Thanos answers callers", () => {
    expect(read().metrics).toMatchObject({
      prometheus_url: "https://thanos-querier.openshift-monitoring.svc:9092",
      credentials: "caller-token",
    });
  });

  it("keeps audit records longer than conversations", () => {
    expect(read({ archiveAfterDays: 90, auditRetentionDays: 400 })).toMatchObject({
      audit: { mode: "append-only", retention_days: 400 },
      sessions: { archive_after_days: 90 },
    });
  });
});

describe("the database", () => {
  it("takes connections from outside with TLS and password alone, as many as the pods hold", () => {
    const files = postgresConfiguration(settingsOf());
    expect(files["kiln.conf"]).toContain("ssl = on\n");
    expect(files["kiln.conf"]).toContain("max_connections = 200\n");
    expect(files["kiln.conf"]).toContain("shared_buffers = '128MB'\n");
    expect(files["pg_hba.conf"]?.split("\n").filter((line) => line.startsWith("host"))).toEqual([
      "hostssl agent agent all scram-sha-256",
    ]);
  });

  it("is one pod with a claim of its own, and a key that Postgres takes", () => {
    const spec = postgresStatefulSet(settingsOf(), "0");
    expect(spec).toMatchObject({ replicas: 1, serviceName: "agent-postgres" });
    expect(spec).not.toHaveProperty("volumeClaimTemplates");
    expect(spec.template.spec.volumes).toContainEqual({
      name: "serving-certificate",
      secret: { secretName: "agent-postgres-tls", defaultMode: 0o640 },
    });
  });
});

describe("migrations and archival", () => {
  it("bring the schema to its revision, once and for all", () => {
    const job = migrationJob(settingsOf({ schemaRevision: "4f1c2a" }));
    expect(job.template.spec.containers[0]?.command).toEqual(["alembic", "upgrade", "4f1c2a"]);
    expect(job).not.toHaveProperty("ttlSecondsAfterFinished");
    expect(job.template.spec.restartPolicy).toBe("Never");
  });

  it("archive what nobody touched for thirty days, never twice at once", () => {
    const cron = archivalCronJob(settingsOf());
    expect(cron).toMatchObject({ schedule: "17 3 * * *", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid" });
    expect(cron.jobTemplate.spec.template.spec.containers[0]).toMatchObject({
      image: AGENT_IMAGE,
      command: [
        "python",
        "-m",
        "src.services.session_cleanup",
        "--older-than-days=30",
        "--audit-retention-days=365",
      ],
    });
  });
});

describe("the way in", () => {
  it("is TLS to the router and from there to the pod", () => {
    expect(agentRoute(settingsOf({ host: "agent.apps.example.com" }))).toMatchObject({
      host: "agent.apps.example.com",
      // Metrics ask for no token, and lie beside the API.
      path: "/v1",
      to: { kind: "Service", name: "agent" },
      port: { targetPort: "https" },
      tls: { termination: "reencrypt", insecureEdgeTerminationPolicy: "Redirect" },
    });
    expect(agentRoute(settingsOf())).not.toHaveProperty("host");
    expect(agentService(settingsOf()).ports).toEqual([
      { name: "https", port: 8443, targetPort: "https", protocol: "TCP" },
    ]);
  });

  it("waits for answers that take long", () => {
    const timeout = (operationSeconds: number) =>
      routeAnnotations(settingsOf({ objectives: { operationSeconds } }))[
        "haproxy.router.openshift.io/timeout"
      ];
    expect([timeout(10), timeout(45.5)]).toEqual(["60s", "91s"]);
  });
});

it("no two agents of a cluster share a cluster-wide name", () => {
  const names = [agentNames("c", "a-b"), agentNames("b-c", "a")].map(({ tokenReview }) => tokenReview);
  expect(new Set(names).size).toBe(2);
});
