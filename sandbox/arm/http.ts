import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { actionOf, parseArmPath } from "../core/arm-path.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Operation } from "../core/operations.ts";
import type { Principal } from "../core/principals.ts";
import { groupNotFound, type Resource } from "../core/resources.ts";
import { bearerOf, pathOf, type Service } from "../core/service.ts";
import { retryAfter, throttleKind } from "../core/throttle.ts";
import { regions } from "./regions.ts";
import { decoded } from "./scoped.ts";

/** Adds the routes of one ARM namespace to the service. */
export type ArmModule = (arm: Service, cloud: Cloud) => void;

declare module "fastify" {
  interface FastifyRequest {
    /** Who sent this ARM request, once its token was checked. */
    caller: Principal;
  }
}

const audiences = ["https://management.azure.com", "https://management.core.windows.net"];

const apiVersion = /^\d{4}-\d{2}-\d{2}(-preview|-privatepreview|-alpha|-beta)?$/i;

/**
 * What ARM checks before any provider sees a request: the token, the API version, the subscription, the token bucket,
 * and the caller's permission.
 */
export async function guard(cloud: Cloud, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  request.caller = await authenticate(cloud, request);
  const scope = armPathOf(request);
  const path = parseArmPath(scope);
  requireApiVersion(request, path.types.at(-1) ?? path.tail ?? "resources");
  if (path.subscription === undefined) {
    // What lies outside of a subscription is for everyone who can sign in, except who may do what.
    const rights = path.types.at(-1) ?? path.tail;
    if (rights?.toLowerCase() !== "roleassignments") return;
    throw forbidden(request.caller, actionOf(request.method, path), "/");
  }
  if (path.subscription.toLowerCase() !== cloud.subscriptionId) {
    throw new CloudError(
      404,
      "SubscriptionNotFound",
      `The subscription '${path.subscription}' could not be found.`,
    );
  }
  const kind = throttleKind(request.method);
  if (cloud.settings().throttling) {
    const left = cloud.throttle.take(cloud.subscriptionId, request.caller.objectId, kind);
    reply.header(`x-ms-ratelimit-remaining-subscription-${kind}`, left);
  }
  const action = actionOf(request.method, path);
  if (isOperationPath(path.types, path.tail) || allowed(cloud, request.caller, action, scope)) return;
  throw forbidden(request.caller, action, scope);
}

/**
 * The path as the router sees it, so that both judge the same one: decoded, and with one slash where clients that put
 * an id behind a slash send two (`//subscriptions/…`).
 */
function armPathOf(request: FastifyRequest): string {
  return decoded(pathOf(request)).replaceAll(/\/{2,}/g, "/");
}

/** Whoever may read anything in the subscription may see its subscription, groups and locations. */
function allowed(cloud: Cloud, caller: Principal, action: string, scope: string): boolean {
  if (cloud.rbac.allows(caller.objectId, action, scope)) return true;
  return (
    /^Microsoft\.Resources\/subscriptions\/read$/i.test(action) && cloud.rbac.hasAnyRole(caller.objectId)
  );
}

/** Whoever holds an operation's address may poll it. */
function isOperationPath(types: readonly string[], tail: string | undefined): boolean {
  const last = types.at(-1)?.toLowerCase();
  return tail === undefined && (last === "operationstatuses" || last === "operationresults");
}

export function forbidden(caller: Principal, action: string, scope: string): CloudError {
  return new CloudError(
    403,
    "AuthorizationFailed",
    `The client '${caller.clientId}' with object id '${caller.objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

async function authenticate(cloud: Cloud, request: FastifyRequest): Promise<Principal> {
  const challenge = {
    "www-authenticate": `Bearer authorization_uri="https://login.microsoftonline.com/${cloud.tenantId}", error="invalid_token", error_description="The access token is missing or not valid."`,
  };
  const token = bearerOf(request);
  if (token === undefined) {
    throw new CloudError(
      401,
      "AuthenticationFailed",
      "Authentication failed. The 'Authorization' header is missing.",
      {
        headers: challenge,
      },
    );
  }
  const verdict = await cloud.tokens.verify(token, audiences);
  if ("problem" in verdict) {
    const [code, message] = {
      malformed: ["InvalidAuthenticationToken", "The access token is invalid."],
      expired: [
        "ExpiredAuthenticationToken",
        "The access token expiry UTC time is earlier than current UTC time.",
      ],
      audience: [
        "InvalidAuthenticationTokenAudience",
        "The access token has been obtained for the wrong audience.",
      ],
    }[verdict.problem] as [string, string];
    throw new CloudError(401, code, message, { headers: challenge });
  }
  const principal = cloud.principals.byObjectId(verdict.principal);
  if (principal === undefined) {
    throw new CloudError(
      401,
      "InvalidAuthenticationToken",
      "The principal of the access token no longer exists.",
      {
        headers: challenge,
      },
    );
  }
  return principal;
}

function requireApiVersion(request: FastifyRequest, what: string): void {
  const query = request.query as Record<string, string | undefined>;
  const version = Object.entries(query).find(([name]) => name.toLowerCase() === "api-version")?.[1];
  if (version === undefined || version === "") {
    throw new CloudError(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    );
  }
  if (!apiVersion.test(version)) {
    throw new CloudError(
      400,
      "InvalidApiVersionParameter",
      `The api-version '${version}' is invalid for resource type '${what}': it has the form YYYY-MM-DD or YYYY-MM-DD-preview.`,
    );
  }
}

/** Regions that the sandbox has. */
export const locations: readonly string[] = Object.keys(regions);

/** `East US` and `eastus` are the same region. @throws CloudError 400 when it is none. */
export function normalLocation(location: string, type: string): string {
  const name = location.toLowerCase().replaceAll(" ", "");
  if (!locations.includes(name)) {
    throw new CloudError(
      400,
      "LocationNotAvailableForResourceType",
      `The provided location '${location}' is not available for resource type '${type}'. List of available regions for the resource type is '${locations.join(",")}'.`,
    );
  }
  return name;
}

/** Tags of one resource. Limits: names of 512 characters, values of 256, 50 of them. */
export const tagsSchema = z
  .record(z.string().min(1).max(512), z.string().max(256))
  .refine((tags) => Object.keys(tags).length <= 50, "a resource has at most 50 tags");

/** What the body of every tracked resource has; the rest is the provider's. */
export const trackedSchema = z.looseObject({
  location: z.string().min(1),
  tags: tagsSchema.nullish(),
});

/** Parses a body, naming every problem at once. @throws CloudError 400 `InvalidRequestContent` */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
  throw new CloudError(
    400,
    "InvalidRequestContent",
    `The request content was invalid and could not be deserialized: ${problems.join("; ")}.`,
  );
}

/** The group of a path, which must be live. @throws CloudError 404 `ResourceGroupNotFound`, 409 while it is deleted */
export function requireGroup(cloud: Cloud, name: string): Resource {
  const group = cloud.resources.get(groupId(cloud, name));
  if (group === undefined) throw groupNotFound(name);
  if (cloud.operations.pendingOn(group.id)?.kind === "group.delete") {
    throw new CloudError(
      409,
      "ResourceGroupBeingDeleted",
      `The resource group '${name}' is in deprovisioning state and cannot perform this operation.`,
    );
  }
  return group;
}

export function groupId(cloud: Cloud, name: string): string {
  return `/subscriptions/${cloud.subscriptionId}/resourceGroups/${name}`;
}

/** A PUT that would move a resource is refused. @throws CloudError 409 `InvalidResourceLocation` */
export function refuseMove(existing: Resource | undefined, location: string): void {
  if (existing?.location !== undefined && existing.location !== location) {
    throw new CloudError(
      409,
      "InvalidResourceLocation",
      `The resource '${existing.name}' already exists in location '${existing.location}' in resource group '${existing.resourceGroup}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
    );
  }
}

/**
 * Answers a request that started a long-running operation: with the polling headers while it runs, plainly when it is
 * over already.
 */
export function answerOperation(
  cloud: Cloud,
  reply: FastifyReply,
  operation: Operation,
  at: { namespace: string; location: string; apiVersion: string },
  answer: { running: number; done: number; body?: unknown },
): FastifyReply {
  if (operation.status === "Failed" && operation.error !== undefined) {
    throw new CloudError(409, operation.error.code, operation.error.message);
  }
  if (operation.status === "Succeeded") return reply.code(answer.done).send(answer.body);
  const base = `https://management.azure.com/subscriptions/${cloud.subscriptionId}/providers/${at.namespace}/locations/${at.location}`;
  reply.headers({
    "azure-asyncoperation": `${base}/operationStatuses/${operation.id}?api-version=${at.apiVersion}`,
    ...(answer.running === 202
      ? { location: `${base}/operationResults/${operation.id}?api-version=${at.apiVersion}` }
      : {}),
    ...retryAfter(pollMs(cloud, operation)),
  });
  return reply.code(answer.running).send(answer.body);
}

/** A second at most between polls, less when the end is near. */
export function pollMs(cloud: Cloud, operation: Operation): number {
  return Math.min(10_000, Math.max(20, cloud.clock.realMsUntil(operation.doneAt)));
}

export function apiVersionOf(request: FastifyRequest): string {
  return String((request.query as Record<string, unknown>)["api-version"] ?? "");
}
