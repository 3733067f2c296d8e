import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope } from "../core/resources.ts";
import { createService, pathOf, type Service } from "../core/service.ts";
import { retryAfter } from "../core/throttle.ts";
import { authorization } from "./authorization.ts";
import { federatedCredentials } from "./federated-credentials.ts";
import { groups } from "./groups.ts";
import { type ArmModule, guard, pollMs } from "./http.ts";
import { managedIdentity } from "./managed-identity.ts";
import { scopedRoute } from "./scoped.ts";
import { subscriptions } from "./subscriptions.ts";
import { tags } from "./tags.ts";

/** The namespaces that ARM itself has; others come with their services. */
const own: readonly ArmModule[] = [
  subscriptions,
  groups,
  tags,
  authorization,
  managedIdentity,
  federatedCredentials,
];

/** `management.azure.com`: Azure Resource Manager with the given namespaces. */
export function createArm(cloud: Cloud, modules: readonly ArmModule[]): Service {
  const arm = createService(cloud, {
    notFound: (request) =>
      new CloudError(
        404,
        "InvalidResourceType",
        `The sandbox has nothing at ${request.method} '${pathOf(request)}': the resource type or action is not served.`,
      ),
    rewrite: scopedRoute,
    bodyLimit: 4 * 1024 * 1024,
  });
  arm.get("/metadata/endpoints", async () => metadata(cloud));
  arm.addHook("preHandler", async (request, reply) => {
    if (request.routeOptions.url !== "/metadata/endpoints") await guard(cloud, request, reply);
  });
  operationRoutes(arm, cloud);
  for (const register of [...own, ...modules]) register(arm, cloud);
  return arm;
}

function operationRoutes(arm: Service, cloud: Cloud): void {
  const find = (id: string) => {
    const operation = cloud.operations.get(id);
    if (operation === undefined)
      throw new CloudError(404, "OperationNotFound", `The operation '${id}' was not found.`);
    return operation;
  };
  type Route = { Params: { id: string; namespace: string } };
  arm.get<Route>(
    "/subscriptions/:subscription/providers/:namespace/locations/:location/operationStatuses/:id",
    async (request, reply) => {
      const operation = find(request.params.id);
      if (operation.status === "InProgress") reply.headers(retryAfter(pollMs(cloud, operation)));
      return {
        id: pathOf(request),
        name: operation.id,
        status: operation.status,
        startTime: cloud.clock.iso(operation.startedAt),
        ...(operation.status === "InProgress" ? {} : { endTime: cloud.clock.iso(operation.doneAt) }),
        ...(operation.error === undefined ? {} : { error: operation.error }),
      };
    },
  );
  arm.get<Route>(
    "/subscriptions/:subscription/providers/:namespace/locations/:location/operationResults/:id",
    async (request, reply) => {
      const operation = find(request.params.id);
      if (operation.status === "InProgress") {
        reply.headers({
          location: `https://management.azure.com${request.originalUrl}`,
          ...retryAfter(pollMs(cloud, operation)),
        });
        return reply.code(202).send();
      }
      if (operation.error !== undefined)
        throw new CloudError(409, operation.error.code, operation.error.message);
      const resource = cloud.resources.get(operation.target);
      // What is gone ends as 200: the Key Vault client takes no 204 at the end of a purge.
      return resource === undefined ? reply.code(200).send() : reply.send(envelope(resource));
    },
  );
}

/** How clients find the rest of a cloud. Shape: `az cloud`'s and azcore's metadata of 2019-05-01 and later. */
function metadata(cloud: Cloud): object {
  return {
    name: "AzureCloud",
    portal: "https://portal.azure.com",
    authentication: {
      loginEndpoint: "https://login.microsoftonline.com",
      audiences: ["https://management.core.windows.net/", "https://management.azure.com/"],
      tenant: cloud.tenantId,
      identityProvider: "AAD",
    },
    graph: "https://graph.microsoft.com/",
    graphAudience: "https://graph.microsoft.com/",
    microsoftGraphResourceId: "https://graph.microsoft.com/",
    resourceManager: "https://management.azure.com/",
    gallery: "https://gallery.azure.com/",
    suffixes: {
      keyVaultDns: "vault.azure.net",
      storage: "core.windows.net",
      acrLoginServer: "azurecr.io",
      sqlServerHostname: "database.windows.net",
    },
    batch: "https://batch.core.windows.net/",
    media: "https://rest.media.azure.net",
    vmImageAliasDoc:
      "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/quickstart-templates/aliases.json",
  };
}
