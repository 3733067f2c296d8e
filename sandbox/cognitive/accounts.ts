import { randomUUID } from "node:crypto";
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
import { envelope, type JsonObject, type Resource } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import {
  type AccountRequest,
  accountKinds,
  accountPatchSchema,
  accountSchema,
  makeIdentity,
  serviceProperties,
  stamp,
  wantedProperties,
} from "./account-body.ts";
import type { DeletedAccounts } from "./deleted-accounts.ts";
import { accountCountUsage, requireQuota } from "./quota.ts";
import {
  type AccountHidden,
  accountType,
  deploymentType,
  hiddenOf,
  namespace,
  propertiesOf,
  refuseWhileBusy,
  requireSettled,
  subdomains,
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
    if (gone === undefined) create(cloud, deleted, beginning);
    else restore(cloud, deleted, id);
    return cloud.operations.start("account.create", id, cloud.timings().accountCreate, {
      request: request.body,
    });
  });
  const made = cloud.resources.require(id);
  return answer(cloud, request, reply, operation, { running: 201, done: 201, body: envelope(made) });
}

function create(cloud: Cloud, deleted: DeletedAccounts, beginning: Beginning): void {
  const { request, id, group, location, body } = beginning;
  const name = id.split("/").at(-1) ?? "";
  requireName(name);
  const kind = requireKind(body.kind);
  requireSku(body.sku?.name, kind);
  if (!cloud.settings().openAiEntitled) throw notEntitled(kind);
  requireQuota(cloud, deleted, location, accountCountUsage, 1);
  const subdomain = claimSubdomain(cloud, deleted, id, body.properties?.customSubDomainName);
  const identity = makeIdentity(cloud, id, body.identity, {});
  const key = () => ({ value: cloud.mint.openAiKey(id), validFrom: cloud.clock.now() });
  const hidden: AccountHidden = {
    keys: { key1: key(), key2: key() },
    settledAt: Number.MAX_SAFE_INTEGER,
    ...(identity.clientId === undefined ? {} : { identityClientId: identity.clientId }),
  };
  cloud.resources.put({
    id,
    type: accountType,
    name,
    resourceGroup: group,
    location,
    tags: body.tags ?? {},
    body: {
      kind,
      sku: { name: "S0" },
      ...(identity.shown === undefined ? {} : { identity: identity.shown }),
      ...stamp(cloud, request.caller.clientId, undefined),
      properties: {
        publicNetworkAccess: "Enabled",
        ...wantedProperties(body.properties),
        ...(subdomain === undefined ? {} : { customSubDomainName: subdomain }),
        ...serviceProperties(kind, location, subdomain),
        internalId: randomUUID().replaceAll("-", ""),
        dateCreated: cloud.clock.iso(),
        provisioningState: "Accepted",
      },
    },
    hidden,
    createdAt: cloud.clock.now(),
  });
}

/** A restored account comes back as it was, with its keys and its deployments. */
function restore(cloud: Cloud, deleted: DeletedAccounts, id: string): void {
  const gone = deleted.take(id);
  if (gone === undefined) return;
  const subdomain = propertiesOf(gone.account).customSubDomainName;
  if (typeof subdomain === "string") subdomains(cloud).put(subdomain.toLowerCase(), gone.account.id);
  cloud.resources.put(withState(gone.account, "Accepted"));
  for (const deployment of gone.deployments) cloud.resources.put(deployment);
}

/** A PUT or PATCH of a live account. Nothing of it takes time. */
function change(
  cloud: Cloud,
  deleted: DeletedAccounts,
  existing: Resource,
  body: AccountRequest,
  writer: string,
  how: "replace" | "merge",
): Resource {
  requireSettled(cloud, existing);
  const before = propertiesOf(existing) as JsonObject;
  if (body.kind !== null && body.kind !== undefined && requireKind(body.kind) !== existing.body.kind) {
    throw new CloudError(
      400,
      "BadRequest",
      `The kind of account '${existing.name}' cannot be changed from '${existing.body.kind}' to '${body.kind}'.`,
    );
  }
  if (body.sku !== null && body.sku !== undefined) requireSku(body.sku.name, String(existing.body.kind));
  const held = before.customSubDomainName as string | undefined;
  const asked = body.properties?.customSubDomainName?.toLowerCase();
  if (held !== undefined && asked !== undefined && held !== asked) {
    throw new CloudError(
      400,
      "BadRequest",
      `The custom subdomain name '${held}' of account '${existing.name}' cannot be changed.`,
    );
  }
  return cloud.store.transaction(() => {
    const subdomain = held ?? claimSubdomain(cloud, deleted, existing.id, asked);
    const { identityClientId, ...hidden } = hiddenOf(existing);
    const keepsIdentity = how === "merge" && body.identity === undefined;
    const identity = keepsIdentity
      ? { shown: existing.body.identity as JsonObject | undefined, clientId: identityClientId }
      : makeIdentity(cloud, existing.id, body.identity, { clientId: identityClientId });
    const { identity: _replaced, ...rest } = existing.body;
    const kind = String(existing.body.kind);
    return cloud.resources.put({
      ...existing,
      tags: body.tags ?? (how === "merge" ? (existing.tags ?? {}) : {}),
      body: {
        ...rest,
        ...(identity.shown === undefined ? {} : { identity: identity.shown }),
        ...stamp(cloud, writer, existing),
        properties: {
          publicNetworkAccess: "Enabled",
          ...(how === "merge" ? before : {}),
          ...wantedProperties(body.properties),
          ...(subdomain === undefined ? {} : { customSubDomainName: subdomain }),
          ...serviceProperties(kind, existing.location ?? "", subdomain),
          internalId: before.internalId,
          dateCreated: before.dateCreated,
          provisioningState: before.provisioningState,
        },
      },
      hidden: {
        ...hidden,
        ...(identity.clientId === undefined ? {} : { identityClientId: identity.clientId }),
      },
    });
  });
}

function requireName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/.test(name)) return;
  throw new CloudError(
    400,
    "AccountNameInvalid",
    `The account name '${name}' is invalid. It must be 2 to 64 letters, digits, '_', '.' and '-', and begin with a letter or digit.`,
  );
}

function requireKind(kind: string | null | undefined): string {
  const found = accountKinds.find((each) => each.toLowerCase() === kind?.toLowerCase());
  if (found !== undefined) return found;
  throw new CloudError(
    400,
    "InvalidApiSetId",
    `The account type '${kind ?? ""}' is either invalid or unavailable in given region. The sandbox has ${accountKinds.join(", ")}.`,
  );
}

function requireSku(name: string | undefined, kind: string): void {
  if (name?.toUpperCase() === "S0") return;
  throw new CloudError(
    400,
    "InvalidSkuId",
    `The SKU '${name ?? ""}' is either invalid or unavailable for kind '${kind}'. The sandbox has S0.`,
  );
}

export function notEntitled(kind: string): CloudError {
  return new CloudError(
    400,
    "SpecialFeatureOrQuotaIdRequired",
    `The subscription does not have QuotaId/Feature required by SKU 'S0' from kind '${kind}' or contains blocked QuotaId/Feature.`,
  );
}

/** Holds the subdomain for this account. @throws CloudError 409 `CustomDomainInUse` */
function claimSubdomain(
  cloud: Cloud,
  deleted: DeletedAccounts,
  id: string,
  asked: string | null | undefined,
): string | undefined {
  if (asked === null || asked === undefined) return undefined;
  const subdomain = asked.toLowerCase();
  if (!subdomainFree(cloud, deleted, subdomain)) {
    throw new CloudError(
      409,
      "CustomDomainInUse",
      `Please pick a different name. The subdomain name '${subdomain}' is not available as it's already used by a resource. If the resource using the name was deleted in the last 48 hours, you may need to purge the deleted resource. Learn more at "https://go.microsoft.com/fwlink/?linkid=2215493"`,
    );
  }
  subdomains(cloud).put(subdomain, id);
  return subdomain;
}

export function subdomainFree(cloud: Cloud, deleted: DeletedAccounts, subdomain: string): boolean {
  return subdomains(cloud).get(subdomain) === undefined && !deleted.holdsSubdomain(subdomain);
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

function withState(account: Resource, provisioningState: string): Resource {
  return {
    ...account,
    body: {
      ...account.body,
      properties: { ...(account.body.properties as JsonObject), provisioningState },
    },
  };
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
