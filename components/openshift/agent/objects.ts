import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { StatefulSet } from "@pulumi/kubernetes/apps/v1/statefulSet.js";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler.js";
import { CronJob } from "@pulumi/kubernetes/batch/v1/cronJob.js";
import { Job } from "@pulumi/kubernetes/batch/v1/job.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget.js";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole.js";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js";
import { all, type CustomResourceOptions, interpolate, type Output, type Resource } from "@pulumi/pulumi";
import { kubernetesLabels } from "../../shared/kubernetes.ts";
import { placed } from "../place.ts";
import { vaultSecret } from "../vault-secret.ts";
import { TOKEN_REVIEW_RULES, tokenReviewBinding } from "./access.ts";
import type { ConversationalAgentArgs } from "./args.ts";
import { agentConfiguration, postgresConfiguration } from "./configuration.ts";
import { postgresClaim, postgresStatefulSet } from "./database.ts";
import {
  agentRoute,
  agentService,
  postgresService,
  routeAnnotations,
  servingCertificate,
} from "./exposure.ts";
import { archivalCronJob, migrationJob, migrationName } from "./jobs.ts";
import { agentAlerts, serviceMonitor } from "./monitoring.ts";
import { agentPolicy, jobsPolicy, postgresPolicy } from "./network.ts";
import { type AgentPart, type AgentSettings, partLabels } from "./settings.ts";
import {
  agentAnnotations,
  agentAutoscaler,
  agentDeployment,
  agentDisruptionBudget,
  digest,
} from "./workload.ts";

/** The agent's configuration as an object, and what tells one from another. */
export interface ConfigurationObject {
  readonly map: ConfigMap;
  readonly digest: Output<string>;
}

/** The way in to the agent. */
export interface Entrance {
  readonly service: Service;
  /** Address for people, at the host where the router lets them in. */
  readonly url: Output<string>;
}

/** A Route, and what the router says of it as far as it is read here. */
type AdmittedRoute = CustomResource & {
  readonly status: Output<{ readonly ingress?: readonly { readonly host?: string }[] } | undefined>;
};

/** Registers the objects of an agent. What they hold is decided elsewhere, by functions without side effects. */
export class AgentObjects {
  readonly #name: string;
  readonly #args: ConversationalAgentArgs;
  readonly #settings: AgentSettings;
  readonly #parent: Resource;

  constructor(name: string, args: ConversationalAgentArgs, settings: AgentSettings, parent: Resource) {
    this.#name = name;
    this.#args = args;
    this.#settings = settings;
    this.#parent = parent;
  }

  /** Service accounts, and the agent's one right. */
  access(): Resource[] {
    const { names } = this.#settings;
    const accounts = [names.agent, names.postgres, names.jobs].map(
      (account) =>
        new ServiceAccount(
          this.#child(account),
          { metadata: this.#metadata(account, "agent"), automountServiceAccountToken: false },
          this.#options(),
        ),
    );
    // Cluster-wide, so not deleted with the namespace: by themselves.
    const metadata = { name: names.tokenReview, labels: kubernetesLabels(this.#args.tags) };
    const role = new ClusterRole(
      `${this.#name}-token-review`,
      { metadata, rules: TOKEN_REVIEW_RULES },
      { parent: this.#parent },
    );
    const binding = new ClusterRoleBinding(
      `${this.#name}-token-review`,
      { metadata, ...tokenReviewBinding(this.#settings) },
      { parent: this.#parent, dependsOn: [role, ...accounts] },
    );
    return [...accounts, binding];
  }

  /** Who reaches whom. They come before the pods, which would else be open for a moment. */
  networkPolicies(): Resource[] {
    const { names } = this.#settings;
    const policies = [
      [names.agent, "agent", agentPolicy(this.#settings)],
      [names.postgres, "postgres", postgresPolicy(this.#settings)],
      [names.jobs, "migrations", jobsPolicy(this.#settings)],
    ] as const;
    return policies.map(
      ([policy, part, spec]) =>
        new NetworkPolicy(
          this.#child(policy),
          { metadata: this.#metadata(policy, part), spec },
          this.#options(),
        ),
    );
  }

  /** The model's key and the database's password, out of the vault. */
  secrets(): Resource[] {
    const { names, keyRefreshMinutes } = this.#settings;
    const { project, tags, model, database } = this.#args;
    const options = { parent: this.#parent, after: this.#args.after ?? [] };
    return [
      vaultSecret(
        `${this.#name}-model-key`,
        {
          project,
          tags,
          secretName: names.modelKey,
          keys: { "api-key": model.keySecret },
          refresh: keyRefreshMinutes,
        },
        options,
      ),
      vaultSecret(
        `${this.#name}-postgres-password`,
        {
          project,
          tags,
          secretName: names.postgresPassword,
          keys: { password: database.passwordSecret },
          refresh: "once",
        },
        options,
      ),
    ];
  }

  configuration(): ConfigurationObject {
    const { names } = this.#settings;
    const { endpoint, deployment } = this.#args.model;
    const text = all([endpoint, deployment]).apply(([address, model]) =>
      agentConfiguration(this.#settings, { endpoint: address, deployment: model }),
    );
    const map = new ConfigMap(
      this.#child(names.configuration),
      { metadata: this.#metadata(names.configuration, "agent"), data: { "lightspeed-stack.yaml": text } },
      this.#options(),
    );
    return { map, digest: text.apply(digest) };
  }

  /** The database, done when it answers. */
  database(after: readonly Resource[]): StatefulSet {
    const { names } = this.#settings;
    const data = postgresConfiguration(this.#settings);
    const configuration = new ConfigMap(
      this.#child(names.postgres),
      { metadata: this.#metadata(names.postgres, "postgres"), data },
      this.#options(),
    );
    const claim = new PersistentVolumeClaim(
      this.#child(names.postgresData),
      {
        // Most classes bind a claim when its first pod comes, which comes after it.
        metadata: this.#metadata(names.postgresData, "postgres", { "pulumi.com/skipAwait": "true" }),
        spec: postgresClaim(this.#settings),
      },
      this.#options(),
    );
    const service = this.#service(names.postgres, "postgres", names.postgresCertificate);
    const server = new StatefulSet(
      this.#child(names.postgres),
      {
        metadata: this.#metadata(names.postgres, "postgres"),
        spec: postgresStatefulSet(this.#settings, digest(JSON.stringify(data))),
      },
      this.#options([...after, configuration, claim, service]),
    );
    return server;
  }

  /** The schema, done when it is what the image needs. */
  migrations(after: readonly Resource[]): Job {
    const name = migrationName(this.#settings);
    return new Job(
      `${this.#name}-migrate`,
      { metadata: this.#metadata(name, "migrations"), spec: migrationJob(this.#settings) },
      { ...this.#options(after), customTimeouts: { create: "35m" } },
    );
  }

  deployment(configuration: ConfigurationObject, after: readonly Resource[]): Deployment {
    const { names } = this.#settings;
    return new Deployment(
      this.#name,
      {
        metadata: this.#metadata(names.agent, "agent", agentAnnotations(this.#settings)),
        spec: agentDeployment(this.#settings, configuration.digest),
      },
      this.#options([configuration.map, ...after]),
    );
  }

  /** The way in. It comes before the pods, which mount the certificate that is made for the Service. */
  exposure(): Entrance {
    const { names } = this.#settings;
    const service = this.#service(names.agent, "agent", names.servingCertificate);
    const spec = agentRoute(this.#settings);
    const route = new CustomResource(
      this.#child(`${names.agent}-route`),
      {
        apiVersion: "route.openshift.io/v1",
        kind: "Route",
        metadata: this.#metadata(names.agent, "agent", routeAnnotations(this.#settings)),
        spec,
        // Not sent; named so that what the router says of it can be read.
        status: undefined,
      },
      { ...this.#options([service]), customTimeouts: { create: "2m", update: "2m" } },
    ) as AdmittedRoute;
    const host = route.status.apply((status) => status?.ingress?.[0]?.host ?? spec.host ?? "");
    return { service, url: interpolate`https://${host}` };
  }

  scaling(deployment: Resource): void {
    const { names } = this.#settings;
    new HorizontalPodAutoscaler(
      this.#name,
      { metadata: this.#metadata(names.agent, "agent"), spec: agentAutoscaler(this.#settings) },
      this.#options([deployment]),
    );
    new PodDisruptionBudget(
      this.#name,
      { metadata: this.#metadata(names.agent, "agent"), spec: agentDisruptionBudget(this.#settings) },
      this.#options(),
    );
  }

  archival(migrated: Resource): void {
    const { archive } = this.#settings.names;
    new CronJob(
      this.#child(archive),
      { metadata: this.#metadata(archive, "archival"), spec: archivalCronJob(this.#settings) },
      this.#options([migrated]),
    );
  }

  monitoring(): void {
    const version = "monitoring.coreos.com/v1";
    const kinds = [
      ["monitor", "ServiceMonitor", serviceMonitor(this.#settings)],
      ["alerts", "PrometheusRule", agentAlerts(this.#settings)],
    ] as const;
    const metadata = this.#metadata(this.#settings.names.agent, "agent");
    for (const [suffix, kind, spec] of kinds)
      new CustomResource(
        `${this.#name}-${suffix}`,
        { apiVersion: version, kind, metadata, spec },
        this.#options(),
      );
  }

  #service(name: string, part: "agent" | "postgres", certificate: string): Service {
    const spec = part === "agent" ? agentService(this.#settings) : postgresService(this.#settings);
    const metadata = this.#metadata(name, part, {
      ...servingCertificate(certificate),
      // Its pods wait for its certificate; it must not wait for its pods. Whether they are ready, what runs them says.
      "pulumi.com/skipAwait": "true",
    });
    return new Service(this.#child(name), { metadata, spec }, this.#options());
  }

  /** Name in the stack of an object: the component's, and what the object's own name adds to the agent's. */
  #child(object: string): string {
    return `${this.#name}${object.slice(this.#settings.names.agent.length)}`;
  }

  #metadata(name: string, part: AgentPart, annotations: Record<string, string> = {}) {
    return {
      name,
      namespace: this.#settings.namespace,
      labels: { ...kubernetesLabels(this.#args.tags), ...partLabels(this.#settings, part) },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    };
  }

  #options(after: readonly Resource[] = []): CustomResourceOptions {
    return placed(this.#args.project, { parent: this.#parent }, [...(this.#args.after ?? []), ...after]);
  }
}
