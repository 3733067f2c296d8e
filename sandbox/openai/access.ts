import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { accountOfHost, hiddenOf, propertiesOf } from "../cognitive/state.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import { bearerOf, headerOf } from "../core/service.ts";

const audiences = ["https://cognitiveservices.azure.com", "https://ai.azure.com"];

/** What a caller wants to do: the data action that a role must grant, and how the refusal calls it. */
export interface Intent {
  /** Below `Microsoft.CognitiveServices/accounts/OpenAI/`. */
  readonly action: string;
  readonly operation: string;
}

/**
 * The account that a request is for, once its caller has shown a key of it or a token whose principal may do this.
 * @throws CloudError 401, 403
 */
export async function admit(cloud: Cloud, request: FastifyRequest, intent: Intent): Promise<Resource> {
  const account = accountOfHost(cloud, request.host);
  // Nothing gets here by the front door: the name of an absent account does not resolve.
  if (account === undefined) throw notFound();
  requireNetwork(account);
  const bearer = bearerOf(request);
  const key = headerOf(request, "api-key") ?? headerOf(request, "ocp-apim-subscription-key");
  // OpenAI's own clients, pointed at /openai/v1, bring the key as a bearer token.
  const shown = key ?? (bearer !== undefined && !bearer.includes(".") ? bearer : undefined);
  if (shown !== undefined) requireKey(cloud, account, shown);
  else await requireToken(cloud, account, bearer, intent);
  return account;
}

function requireKey(cloud: Cloud, account: Resource, shown: string): void {
  if (propertiesOf(account).disableLocalAuth === true) {
    throw new CloudError(
      403,
      "AuthenticationTypeDisabled",
      "Key based authentication is disabled for this resource.",
    );
  }
  const now = cloud.clock.now();
  const { key1, key2 } = hiddenOf(account).keys;
  if ([key1, key2].some((key) => key.validFrom <= now && equal(key.value, shown))) return;
  throw accessDenied();
}

async function requireToken(
  cloud: Cloud,
  account: Resource,
  bearer: string | undefined,
  intent: Intent,
): Promise<void> {
  if (bearer === undefined) throw accessDenied();
  const verdict = await cloud.tokens.verify(bearer, audiences);
  const principal = "problem" in verdict ? undefined : cloud.principals.byObjectId(verdict.principal);
  if (principal === undefined) {
    throw new CloudError(
      401,
      "Unauthorized",
      "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.",
    );
  }
  const action = `Microsoft.CognitiveServices/accounts/OpenAI/${intent.action}`;
  if (cloud.rbac.allows(principal.objectId, action, account.id, "data")) return;
  throw new CloudError(
    401,
    "PermissionDenied",
    `The principal \`${principal.objectId}\` lacks the required data action \`${action}\` to perform \`${intent.operation}\` operation.`,
  );
}

/** Everyone here comes from the public network. */
function requireNetwork(account: Resource): void {
  const { publicNetworkAccess, networkAcls } = propertiesOf(account);
  if (publicNetworkAccess === "Disabled") {
    throw new CloudError(403, "403", "Public access is disabled. Please configure private endpoint.");
  }
  if ((networkAcls as { defaultAction?: string } | undefined)?.defaultAction === "Deny") {
    throw new CloudError(403, "403", "Access denied due to Virtual Network/Firewall rules.");
  }
}

function accessDenied(): CloudError {
  return new CloudError(
    401,
    "401",
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
  );
}

export function notFound(): CloudError {
  return new CloudError(404, "404", "Resource not found");
}

function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
