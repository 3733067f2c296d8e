import { answerOperation, apiVersionOf, normalLocation } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import type { DeletedVault, DeletedVaults } from "./deleted-vaults.ts";
import { namespace, vaultProperties } from "./state.ts";

const type = `${namespace}/deletedVaults`;
const one = `/subscriptions/:subscription/providers/${namespace}/locations/:location/deletedVaults/:vault`;

type Route = { Params: { location: string; vault: string } };

/** Soft-deleted vaults: list, read, purge. */
export function deletedVaultRoutes(arm: Service, cloud: Cloud, deleted: DeletedVaults): void {
  const require = ({ location, vault }: Route["Params"]): DeletedVault => {
    const region = normalLocation(location, type);
    const found = deleted.get(vault);
    if (found !== undefined && found.vault.location === region) return found;
    throw new CloudError(
      404,
      "DeletedVaultNotFound",
      `The specified deleted vault '${vault}' does not exist in location '${region}'.`,
    );
  };

  cloud.operations.on("vault.purge", (operation) => {
    const { name } = operation.data as { name: string };
    deleted.purge(name);
  });

  arm.get(`/subscriptions/:subscription/providers/${namespace}/deletedVaults`, async () => ({
    value: deleted.list().map((each) => show(cloud, each)),
  }));

  arm.get<Route>(one, async (request) => show(cloud, require(request.params)));

  arm.post<Route>(`${one}/purge`, async (request, reply) => {
    const found = require(request.params);
    if (vaultProperties(found.vault).enablePurgeProtection === true) {
      throw new CloudError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.");
    }
    const target = idOf(cloud, found);
    const operation =
      cloud.operations.pendingOn(target) ??
      cloud.operations.start("vault.purge", target, cloud.timings().vaultPurge, { name: found.vault.name });
    return answerOperation(
      cloud,
      reply,
      operation,
      { namespace, location: found.vault.location ?? "", apiVersion: apiVersionOf(request) },
      { running: 202, done: 200 },
    );
  });
}

function idOf(cloud: Cloud, { vault }: DeletedVault): string {
  return `/subscriptions/${cloud.subscriptionId}/providers/${namespace}/locations/${vault.location}/deletedVaults/${vault.name}`;
}

function show(cloud: Cloud, deleted: DeletedVault): JsonObject {
  const { vault, deletedAt, purgesAt } = deleted;
  return {
    id: idOf(cloud, deleted),
    name: vault.name,
    type,
    properties: {
      vaultId: vault.id,
      location: vault.location,
      tags: vault.tags ?? {},
      deletionDate: cloud.clock.iso(deletedAt),
      scheduledPurgeDate: cloud.clock.iso(purgesAt),
      ...(vaultProperties(vault).enablePurgeProtection === true ? { purgeProtectionEnabled: true } : {}),
    },
  };
}
