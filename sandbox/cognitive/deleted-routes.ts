import { normalLocation } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import { answer } from "./accounts.ts";
import type { DeletedAccount, DeletedAccounts } from "./deleted-accounts.ts";
import { accountType, namespace } from "./state.ts";

const type = `${namespace}/locations/resourceGroups/deletedAccounts`;
const one = `/subscriptions/:subscription/providers/${namespace}/locations/:location/resourceGroups/:group/deletedAccounts/:account`;

type Route = { Params: { location: string; group: string; account: string } };

/** Soft-deleted accounts: list, read, purge. */
export function deletedAccountRoutes(arm: Service, cloud: Cloud, deleted: DeletedAccounts): void {
  const accountId = ({ group, account }: Route["Params"]) =>
    `/subscriptions/${cloud.subscriptionId}/resourceGroups/${group}/providers/${accountType}/${account}`;

  /** The location is part of the name: the right account in the wrong place is not found. */
  const require = (params: Route["Params"]): DeletedAccount => {
    const location = normalLocation(params.location, type);
    const found = deleted.get(accountId(params));
    if (found !== undefined && found.account.location === location) return found;
    throw new CloudError(
      404,
      "ResourceNotFound",
      `The Resource '${type}/${params.location}/${params.group}/${params.account}' was not found. No account of that name was deleted there, or it has been purged.`,
    );
  };

  cloud.operations.on("account.purge", (operation) => {
    const { accountId: purged } = operation.data as { accountId: string };
    deleted.purge(purged);
  });

  arm.get(`/subscriptions/:subscription/providers/${namespace}/deletedAccounts`, async () => ({
    value: deleted.list().map((each) => show(cloud, each)),
  }));

  arm.get<Route>(one, async (request) => show(cloud, require(request.params)));

  arm.delete<Route>(one, async (request, reply) => {
    const found = require(request.params);
    const target = idOf(cloud, found);
    const operation =
      cloud.operations.pendingOn(target) ??
      cloud.operations.start("account.purge", target, cloud.timings().accountPurge, {
        accountId: found.account.id,
      });
    return answer(cloud, request, reply, operation, {
      running: 202,
      done: 200,
      location: found.account.location ?? "",
    });
  });
}

function idOf(cloud: Cloud, { account }: DeletedAccount): string {
  return `/subscriptions/${cloud.subscriptionId}/providers/${namespace}/locations/${account.location}/resourceGroups/${account.resourceGroup}/deletedAccounts/${account.name}`;
}

function show(cloud: Cloud, deleted: DeletedAccount): JsonObject {
  const { account, deletedAt, purgesAt } = deleted;
  return {
    id: idOf(cloud, deleted),
    name: account.name,
    type,
    location: account.location,
    tags: account.tags ?? {},
    ...account.body,
    properties: {
      ...(account.body.properties as JsonObject),
      provisioningState: "Succeeded",
      deletionDate: cloud.clock.iso(deletedAt),
      scheduledPurgeDate: cloud.clock.iso(purgesAt),
    },
  };
}
