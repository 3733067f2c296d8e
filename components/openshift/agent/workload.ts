import { createHash } from "node:crypto";
import type { Input } from "@pulumi/pulumi";
import { containerResources } from "../container.ts";
import { VARIABLES } from "./configuration.ts";
import { baseContainer, basePod, databaseEnvironment, imageVolumes } from "./pods.ts";
import { AGENT_PORT, type AgentSettings, PATHS, partLabels } from "./settings.ts";

/** Eight digits of a text: another text has others. Pure. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/**
 * The Deployment of the agent. How many pods it has is not said: the autoscaler decides, and another run of the program must
 * not undo it. Pure.
 * @param configurationDigest what rolls the pods when the configuration changes.
 */
export function agentDeployment(settings: AgentSettings, configurationDigest: Input<string>) {
  const { names, keyRollout, replicas } = settings;
  const labels = partLabels(settings, "agent");
  return {
    selector: { matchLabels: labels },
    revisionHistoryLimit: 3,
    progressDeadlineSeconds: 600,
    // A new pod before an old one goes: a conversation always finds one.
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: {
        labels,
        annotations: {
          "kiln.io/configuration": configurationDigest,
          ...(keyRollout.by === "version" ? { "kiln.io/model-key-version": keyRollout.version } : {}),
        },
      },
      spec: {
        // The token is for token reviews, and for nothing else that the account has no right to anyway.
        ...basePod(names.agent, true),
        terminationGracePeriodSeconds: 60,
        ...(replicas.max > 1 ? { topologySpreadConstraints: spread(labels) } : {}),
        containers: [agentContainer(settings)],
        volumes: [
          ...imageVolumes(settings).volumes,
          {
            name: "serving-certificate",
            secret: { secretName: names.servingCertificate, defaultMode: 0o440 },
          },
          ...(keyRollout.by === "file"
            ? [{ name: "model-key", secret: { secretName: names.modelKey, defaultMode: 0o440 } }]
            : []),
        ],
      },
    },
  };
}

function agentContainer(settings: AgentSettings) {
  const { names, keyRollout, commands, image, size } = settings;
  return {
    ...baseContainer("agent", image),
    ...(commands.serve === undefined
      ? { args: ["-c", `${PATHS.configuration}/lightspeed-stack.yaml`] }
      : { command: [...commands.serve] }),
    env: [
      ...databaseEnvironment(settings),
      ...(keyRollout.by === "file"
        ? []
        : [
            {
              name: VARIABLES.modelKey,
              valueFrom: { secretKeyRef: { name: names.modelKey, key: "api-key" } },
            },
          ]),
    ],
    ports: [{ name: "https", containerPort: AGENT_PORT, protocol: "TCP" }],
    resources: containerResources(size),
    startupProbe: { ...probe("/v1/liveness"), periodSeconds: 5, failureThreshold: 60 },
    readinessProbe: { ...probe("/v1/readiness"), periodSeconds: 10, failureThreshold: 3 },
    livenessProbe: { ...probe("/v1/liveness"), periodSeconds: 20, failureThreshold: 3 },
    // The router still sends requests while it learns that the pod goes.
    lifecycle: { preStop: { sleep: { seconds: 10 } } },
    volumeMounts: [
      ...imageVolumes(settings).volumeMounts,
      { name: "serving-certificate", mountPath: PATHS.servingCertificate, readOnly: true },
      // The folder as a whole: a single file of it would never be replaced when the key is rotated.
      ...(keyRollout.by === "file" ? [{ name: "model-key", mountPath: PATHS.modelKey, readOnly: true }] : []),
    ],
  };
}

function probe(path: string) {
  return { httpGet: { path, port: "https", scheme: "HTTPS" }, timeoutSeconds: 5, successThreshold: 1 };
}

/** Over machines and zones as evenly as can be; on a cluster of one machine all the same. */
function spread(labels: Record<string, string>) {
  return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: labels },
  }));
}

/** Annotations of the Deployment itself. Pure. */
export function agentAnnotations({ keyRollout, names }: AgentSettings): Record<string, string> {
  return keyRollout.by === "reloader" ? { "secret.reloader.stakater.com/reload": names.modelKey } : {};
}

/** The autoscaler. Pure. */
export function agentAutoscaler({ names, replicas, scaleAtCpuPercent }: AgentSettings) {
  return {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: names.agent },
    minReplicas: replicas.min,
    maxReplicas: replicas.max,
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: scaleAtCpuPercent } },
      },
    ],
    // Up at once, down when five minutes were calm: conversations come in waves.
    behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
  };
}

/**
 * The disruption budget: one pod at a time may go. Said by how many may be missing, not by how many must stay: with the latter
 * and as many pods, a machine could never be emptied. Pure.
 */
export function agentDisruptionBudget(settings: AgentSettings) {
  return {
    maxUnavailable: 1,
    selector: { matchLabels: partLabels(settings, "agent") },
    // A pod that is not ready serves nobody, and must not hold a machine up.
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  };
}
