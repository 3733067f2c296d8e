import { isDeepStrictEqual } from "node:util";
import type { FastifyReply, FastifyRequest } from "fastify";
import {
  answerOperation,
  apiVersionOf,
  groupId,
  normalLocation,
  parseBody,
  refuseMove,
  requireGroup,
} from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Operation } from "../core/operations.ts";
import { envelope, type Resource } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import { type AccountRequest, accountPatchSchema, accountSchema } from "./account-body.ts";
import { change, create, restore, withState } from "./account-write.ts";
import type { DeletedAccounts } from "./deleted-accounts.ts";
import {
  accountType,
  deploymentType,
  hiddenOf,
  namespace,
  refuseWhileBusy,
  requireSettled,
} from "./state.ts";

export const accountCollection = `/subscriptions/:subscription/resourceGroups/:group/providers/${accountType}`;
export const accountPath = `${accountCollection}/:account`;

export type AccountRoute = { Params: { group: string; account: string } };

export function accountIdOf(cloud: Cloud, params: AccountRoute["Params"]): string {
  return `${groupId(cloud, params.group)}/providers/${accountType}/${params.account}`;
}

/** @throws CloudError 404 `ResourceNotFound` */
export function requireAccount(cloud: Cloud, params: AccountRoute["Params"]): Resource {
  return cloud.resources.require(accountIdOf(cloud, params));
}

/** Accounts themselves: create, restore, change, read, list, delete. */
export function accountRoutes(arm: Service, cloud: Cloud, deleted: DeletedAccounts): void {
  cloud.operations.on("account.create", (operation) => {
    cloud.resources.update(operation.target, (account) => ({
      ...withState(account, "Succeeded"),
      hidden: { ...hiddenOf(account), settledAt: operation.doneAt + cloud.timings().accountSettle },
    }));
  });
  cloud.operations.on("account.delete", (operation) => {
    cloud.resources.remove(operation.target);
  });

  arm.put<AccountRoute>(accountPath, async (request, reply) => {
    const group = requireGroup(cloud, request.params.group);
    const body = parseBody(accountSchema, request.body);
    const location = normalLocation(body.location, accountType);
    const existing = cloud.resources.get(accountIdOf(cloud, request.params));
    refuseMove(existing, location);
    if (existing === undefined) {
      const id = accountIdOf(cloud, { group: group.name, account: request.params.account });
      return begin(cloud, deleted, { request, reply, id, group: group.name, location, body });
    }
    const pending = cloud.operations.pendingOn(existing.id);
    if (pending?.kind === "account.create" && isDeepStrictEqual(pending.data, { request: request.body })) {
      return answer(cloud, request, reply, pending, { running: 201, done: 200, body: envelope(existing) });
    }
    return envelope(change(cloud, deleted, existing, body, request.caller.clientId, "replace"));
  });

  arm.patch<AccountRoute>(accountPath, async (request) => {
    const existing = requireAccount(cloud, request.params);
    const body = parseBody(accountPatchSchema, request.body);
    const location = existing.location ?? "";
    return envelope(
      change(cloud, deleted, existing, { ...body, location }, request.caller.clientId, "merge"),
    );
  });

  arm.get<AccountRoute>(accountPath, async (request) => envelope(requireAccount(cloud, request.params)));

  arm.get<AccountRoute>(accountCollection, async (request) => {
    const group = requireGroup(cloud, request.params.group);
    const all = cloud.resources.ofType(accountType);
    return { value: all.filter((each) => each.resourceGroup === group.name).map(envelope) };
  });
  arm.get(`/subscriptions/:subscription/providers/${accountType}`, async () => ({
    value: cloud.resources.ofType(accountType).map(envelope),
  }));

  arm.delete<AccountRoute>(accountPath, async (request, reply) => {
    const existing = cloud.resources.get(accountIdOf(cloud, request.params));
    if (existing === undefined) return reply.code(204).send();
    const pending = cloud.operations.pendingOn(existing.id);
    if (pending?.kind === "account.delete") {
      return answer(cloud, request, reply, pending, { running: 202, done: 200 });
    }
    if (pending !== undefined) requireSettled(cloud, existing);
    refuseWhileBusy(cloud, existing);
    refuseNested(cloud, existing);
    const operation = cloud.store.transaction(() => {
      cloud.resources.put(withState(existing, "Deleting"));
      return cloud.operations.start("account.delete", existing.id, cloud.timings().accountDelete);
    });
    return answer(cloud, request, reply, operation, { running: 202, done: 200 });
  });
}

interface Beginning {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly id: string;
  readonly group: string;
  readonly location: string;
  readonly body: AccountRequest;
}

/** A PUT of a name that nothing live has: a new account, or a deleted one to be restored. */
function begin(cloud: Cloud, deleted: DeletedAccounts, beginning: Beginning): FastifyReply {
  const { request, reply, id, location, body } = beginning;
  const gone = deleted.get(id);
  if (gone === undefined && body.properties?.restore === true) {
    throw new CloudError(
      409,
      "CanNotRestoreANonExistingResource",
      "Trying to restore a non-existing resource, please remove 'restore' property or set it to false.",
    );
  }
  if (gone !== undefined && body.properties?.restore !== true) {
    throw new CloudError(
      409,
      "FlagMustBeSetForRestore",
      `An existing resource with ID '${gone.account.id}' has been soft-deleted. To restore the resource, you must specify 'restore' to be 'true' in the property. If you don't want to restore existing resource, please purge it first.`,
    );
  }
  refuseMove(gone?.account, location);
  const operation = cloud.store.transaction(() => {
    if (gone === undefined) create(cloud, deleted, { ...beginning, writer: request.caller.clientId });
    else restore(cloud, deleted, id);
    return cloud.operations.start("account.create", id, cloud.timings().accountCreate, {
      request: request.body,
    });
  });
  const made = cloud.resources.require(id);
  return answer(cloud, request, reply, operation, { running: 201, done: 201, body: envelope(made) });
}

/** @throws CloudError 409 `CannotDeleteResource` while deployments are left; a group's deletion takes them along. */
function refuseNested(cloud: Cloud, account: Resource): void {
  const nested = cloud.resources
    .under(account.id)
    .filter((each) => each.type === deploymentType)
    .map((each) => `${accountType}/${account.name}/deployments/${each.name}`);
  if (nested.length === 0) return;
  throw new CloudError(
    409,
    "CannotDeleteResource",
    `Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '${nested.join(", ")}'. Please delete all nested resources before deleting this resource.`,
  );
}

/** The answer to a request that works on an account or what is below it. */
export function answer(
  cloud: Cloud,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: Operation,
  answers: { running: number; done: number; body?: unknown; location?: string },
): FastifyReply {
  const accountId = operation.target.split("/deployments/")[0] ?? "";
  const location = answers.location ?? cloud.resources.get(accountId)?.location ?? "global";
  return answerOperation(
    cloud,
    reply,
    operation,
    { namespace, location, apiVersion: apiVersionOf(request) },
    answers,
  );
}
