import { admittedHost, type Route } from "../openshift/admission.ts";
import { ApiError } from "../runtime/api.ts";
import type { Cluster } from "../runtime/cluster.ts";
import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import { type Deployment, isBeingDeleted, keyOf, type Secret, splitKey } from "../runtime/objects.ts";
import { type Child, deploymentNames, serverChildren, storageChildren } from "./children.ts";
import { type PipelineFacts, pipelineServerStatus, prerequisites } from "./status.ts";
import type { PipelineServer } from "./types.ts";

/** The Data Science Pipelines Operator, version 2. What a server would run, nothing runs here. */
export const pipelinesController: Controller = {
  name: "pipelines",
  of: kinds.pipelines,
  owns: [kinds.deployment, kinds.service, kinds.route, kinds.serviceAccount, kinds.volumeClaim],
  also: [
    {
      kind: kinds.secret,
      keysOf: (secret, cluster) =>
        cluster
          .list<PipelineServer>(kinds.pipelines, secret.metadata.namespace)
          .filter((server) => secretsOf(server).includes(secret.metadata.name))
          .map(keyOf),
    },
  ],
  reconcile: async (key, cluster) => {
    const { namespace = "", name } = splitKey(key);
    const server = cluster.get<PipelineServer>(kinds.pipelines, namespace, name);
    if (server === undefined || isBeingDeleted(server)) return undefined;
    let refused: string | undefined;
    const bring = async (children: readonly Child[]): Promise<void> => {
      try {
        for (const { kind, object } of children) await cluster.ensure(kinds[kind], object);
      } catch (error) {
        const no = error instanceof ApiError && error.status >= 400 && error.status < 500;
        if (!no || error.status === 409) throw error;
        refused = error.message;
      }
    };
    await bring(storageChildren(server));
    const problems = prerequisites(server, factsOf(server, cluster, undefined));
    const waits = problems.database !== undefined || problems.storage !== undefined;
    if (!waits && refused === undefined) await bring(serverChildren(server));
    const now = new Date(cluster.timers.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const status = pipelineServerStatus(server, problems, factsOf(server, cluster, refused), now);
    await cluster.setStatus(kinds.pipelines, server, status);
    return waits || refused !== undefined ? { againInMs: 20_000 } : undefined;
  },
};

function factsOf(server: PipelineServer, cluster: Cluster, refused: string | undefined): PipelineFacts {
  const { namespace } = server.metadata;
  const route = cluster.get<Route>(kinds.route, namespace, deploymentNames(server).apiServer);
  return {
    deployment: (name) => cluster.get<Deployment>(kinds.deployment, namespace, name),
    secret: (name) => cluster.get<Secret>(kinds.secret, namespace, name),
    service: (of, name) => cluster.get(kinds.service, of, name),
    routeHost: route === undefined ? undefined : admittedHost(route),
    refused,
  };
}

function secretsOf({ spec }: PipelineServer): (string | undefined)[] {
  return [
    spec.database?.externalDB?.passwordSecret.name,
    spec.objectStorage.externalStorage?.s3CredentialsSecret.secretName,
  ];
}
