import { isDeepStrictEqual } from "node:util";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { parseBody, requireGroup } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, type JsonObject, type Resource } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import {
  capabilitiesOf,
  findModel,
  type Model,
  modelFormat,
  type SkuOffer,
  skusIn,
  usageName,
  versionsOf,
} from "../openai/catalogue.ts";
import { stamp } from "./account-body.ts";
import { notEntitled } from "./account-write.ts";
import { accountPath, answer, requireAccount } from "./accounts.ts";
import type { DeletedAccounts } from "./deleted-accounts.ts";
import { requireQuota } from "./quota.ts";
import {
  type DeploymentHidden,
  deploymentHiddenOf,
  deploymentType,
  refuseWhileBusy,
  requestConflict,
  requireSettled,
} from "./state.ts";

const collection = `${accountPath}/deployments`;
const one = `${collection}/:deployment`;

type Route = { Params: { group: string; account: string; deployment: string } };

const tagsSchema = z.record(z.string(), z.string()).nullish();
/** Azure takes a number that comes as text too, and `az` sends it so. */
const capacitySchema = z.preprocess(
  (value) => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value),
  z.number().int().min(1, "a whole number of at least 1").nullish(),
);
const skuSchema = z.looseObject({ name: z.string().min(1), capacity: capacitySchema });

const bodySchema = z.looseObject({
  sku: skuSchema.nullish(),
  tags: tagsSchema,
  properties: z.looseObject({
    model: z.looseObject({
      format: z.string().min(1),
      name: z.string().min(1),
      version: z.string().min(1).nullish(),
    }),
    versionUpgradeOption: z
      .enum(["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"])
      .nullish(),
    raiPolicyName: z.string().min(1).nullish(),
  }),
});
type DeploymentRequest = z.infer<typeof bodySchema>;

const patchSchema = z.looseObject({ sku: skuSchema.partial().nullish(), tags: tagsSchema });

/** Model deployments. An account works on one at a time; their capacities come out of the region's quota. */
export function deploymentRoutes(arm: Service, cloud: Cloud, deleted: DeletedAccounts): void {
  const find = (params: Route["Params"]) =>
    cloud.resources.get(`${requireAccount(cloud, params).id}/deployments/${params.deployment}`);
  const require = (params: Route["Params"]) =>
    cloud.resources.require(`${requireAccount(cloud, params).id}/deployments/${params.deployment}`);

  cloud.operations.on("deployment.write", (operation) => {
    cloud.resources.update(operation.target, (deployment) => ({
      ...withState(deployment, "Succeeded"),
      hidden: { ...deploymentHiddenOf(deployment), live: true },
    }));
  });
  cloud.operations.on("deployment.delete", (operation) => {
    cloud.resources.remove(operation.target);
  });

  arm.put<Route>(one, async (request, reply) => {
    requireGroup(cloud, request.params.group);
    const account = requireAccount(cloud, request.params);
    const body = parseBody(bodySchema, request.body);
    const existing = find(request.params);
    const pending = existing === undefined ? undefined : cloud.operations.pendingOn(existing.id);
    if (
      existing !== undefined &&
      pending?.kind === "deployment.write" &&
      isDeepStrictEqual(pending.data, { request: request.body })
    ) {
      return answer(cloud, request, reply, pending, { running: 201, done: 200, body: envelope(existing) });
    }
    return write(cloud, deleted, { request, reply, account, existing, body });
  });

  arm.patch<Route>(one, async (request, reply) => {
    const account = requireAccount(cloud, request.params);
    const existing = require(request.params);
    const patch = parseBody(patchSchema, request.body);
    const present = existing.body as JsonObject & { sku: JsonObject; properties: JsonObject };
    const body = parseBody(bodySchema, {
      sku: { ...present.sku, ...patch.sku },
      tags: patch.tags ?? existing.tags,
      properties: present.properties,
    });
    return write(cloud, deleted, { request, reply, account, existing, body });
  });

  arm.get<Route>(one, async (request) => envelope(require(request.params)));

  arm.get<Route>(collection, async (request) => {
    const account = requireAccount(cloud, request.params);
    const below = cloud.resources.under(account.id).filter((each) => each.type === deploymentType);
    return { value: below.map(envelope) };
  });

  arm.delete<Route>(one, async (request, reply) => {
    const account = requireAccount(cloud, request.params);
    const existing = find(request.params);
    if (existing === undefined) return reply.code(204).send();
    const pending = cloud.operations.pendingOn(existing.id);
    if (pending?.kind === "deployment.delete") {
      return answer(cloud, request, reply, pending, { running: 202, done: 200 });
    }
    refuseWhileBusy(cloud, account);
    const operation = cloud.store.transaction(() => {
      cloud.resources.put(withState(existing, "Deleting"));
      return cloud.operations.start("deployment.delete", existing.id, cloud.timings().deploymentDelete);
    });
    return answer(cloud, request, reply, operation, { running: 202, done: 200 });
  });
}

interface Writing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly account: Resource;
  readonly existing: Resource | undefined;
  readonly body: DeploymentRequest;
}

function write(cloud: Cloud, deleted: DeletedAccounts, writing: Writing): FastifyReply {
  const { request, reply, account, existing, body } = writing;
  const name = (request.params as Route["Params"]).deployment;
  requireName(name);
  refuseWhileAccountChanges(cloud, account);
  refuseWhileBusy(cloud, account);
  if (!cloud.settings().openAiEntitled) throw notEntitled(String(account.body.kind));
  const location = account.location ?? "";
  const model = requireModel(body.properties.model, location);
  const sku = requireSku(model, body.sku?.name ?? "Standard", location);
  const capacity = requireCapacity(sku, body.sku?.capacity ?? sku.capacity.default);
  const usage = usageName(sku.name, model.name);
  const held = existing === undefined ? undefined : deploymentHiddenOf(existing);
  const more = held?.usageName === usage ? capacity - held.capacity : capacity;
  requireQuota(cloud, deleted, location, usage, more);

  const operation = cloud.store.transaction(() => {
    const hidden: DeploymentHidden = { location, usageName: usage, capacity, live: held?.live ?? false };
    const made = cloud.resources.put({
      id: existing?.id ?? `${account.id}/deployments/${name}`,
      type: deploymentType,
      name: existing?.name ?? name,
      resourceGroup: account.resourceGroup,
      ...(body.tags ? { tags: body.tags } : {}),
      body: {
        sku: { name: sku.name, capacity },
        ...stamp(cloud, request.caller.clientId, existing),
        properties: {
          model: { format: modelFormat, name: model.name, version: model.version },
          versionUpgradeOption: body.properties.versionUpgradeOption ?? "OnceNewDefaultVersionAvailable",
          currentCapacity: capacity,
          ...(body.properties.raiPolicyName ? { raiPolicyName: body.properties.raiPolicyName } : {}),
          capabilities: capabilitiesOf(model),
          rateLimits: [{ key: "token", renewalPeriod: 60, count: capacity * 1000 }],
          provisioningState: "Accepted",
        },
      },
      hidden,
      createdAt: existing?.createdAt ?? cloud.clock.now(),
    });
    return cloud.operations.start("deployment.write", made.id, cloud.timings().deploymentCreate, {
      request: request.body,
    });
  });
  const code = existing === undefined ? 201 : 200;
  const shown = envelope(cloud.resources.require(operation.target));
  return answer(cloud, request, reply, operation, { running: code, done: code, body: shown });
}

/** An account on its way out takes no deployments, and says so as a busy parent does. */
function refuseWhileAccountChanges(cloud: Cloud, account: Resource): void {
  if (cloud.operations.pendingOn(account.id)?.kind === "account.delete") throw requestConflict(account);
  requireSettled(cloud, account);
}

function requireName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/.test(name)) return;
  throw new CloudError(
    400,
    "InvalidResourceName",
    `The deployment name '${name}' is invalid. It must be 2 to 64 letters, digits, '_', '.' and '-', and begin with a letter or digit.`,
  );
}

/** @throws CloudError 400 `DeploymentModelNotSupported`, `ServiceModelDeprecated` */
function requireModel(asked: DeploymentRequest["properties"]["model"], location: string): Model {
  const known = asked.format === modelFormat ? versionsOf(asked.name) : [];
  const model = findModel(asked.name, asked.version ?? undefined);
  if (known.length > 0 && model?.lifecycle === "Deprecated") {
    const [year, month, day] = model.retires.split("-");
    throw new CloudError(
      400,
      "ServiceModelDeprecated",
      `The model 'Format:${modelFormat},Name:${model.name},Version:${model.version}' has been deprecated since ${month}/${day}/${year} 00:00:00.`,
    );
  }
  if (known.length === 0 || model === undefined || skusIn(model, location).length === 0) {
    throw new CloudError(
      400,
      "DeploymentModelNotSupported",
      `The model 'Format:${asked.format},Name:${asked.name},Version:${asked.version ?? ""}' of account deployment is not supported.`,
    );
  }
  return model;
}

/** @throws CloudError 400 `InvalidResourceProperties` when the region has the model, but not this way of buying it. */
function requireSku(model: Model, name: string, location: string): SkuOffer {
  const found = skusIn(model, location).find((sku) => sku.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  throw new CloudError(
    400,
    "InvalidResourceProperties",
    `The specified SKU '${name}' of account deployment is not supported by the model '${model.name}' version: '${model.version}'.`,
  );
}

function requireCapacity(sku: SkuOffer, capacity: number): number {
  const { minimum, step } = sku.capacity;
  if (capacity >= minimum && capacity % step === 0) return capacity;
  throw new CloudError(
    400,
    "InvalidCapacity",
    `The specified capacity '${capacity}' of account deployment is invalid: the SKU '${sku.name}' takes ${minimum} and more, in steps of ${step}.`,
  );
}

function withState(deployment: Resource, provisioningState: string): Resource {
  return {
    ...deployment,
    body: {
      ...deployment.body,
      properties: { ...(deployment.body.properties as JsonObject), provisioningState },
    },
  };
}
