import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, type Resource } from "../core/resources.ts";
import { type ArmModule, groupId, parseBody } from "./http.ts";

const identityType = "Microsoft.ManagedIdentity/userAssignedIdentities";
const type = `${identityType}/federatedIdentityCredentials`;
const collection = `/subscriptions/:subscription/resourceGroups/:group/providers/${identityType}/:identity/federatedIdentityCredentials`;

/** Source: learn.microsoft.com, "Important considerations and restrictions for federated identity credentials". */
const mostCredentials = 20;
const namePattern = /^[a-zA-Z0-9][-_a-zA-Z0-9]{2,119}$/;

/** Whom an identity trusts: tokens of an issuer with exactly this subject and one of these audiences. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
}

const bodySchema = z.object({
  properties: z.object({
    issuer: z.string(),
    subject: z.string(),
    audiences: z.array(z.string()),
  }),
});

type Route = { Params: { group: string; identity: string; name: string } };

/** What an identity trusts, in the order of names. */
export function federatedCredentialsOf(cloud: Cloud, identityId: string): FederatedCredential[] {
  return children(cloud, identityId).map(({ body }) => body.properties as unknown as FederatedCredential);
}

function children(cloud: Cloud, identityId: string): Resource[] {
  return cloud.resources
    .under(identityId)
    .filter((each) => each.type === type)
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** `federatedIdentityCredentials` of user-assigned identities: one write at a time on each identity. */
export const federatedCredentials: ArmModule = (arm, cloud) => {
  const identityOf = (params: Route["Params"]): Resource =>
    cloud.resources.require(`${groupId(cloud, params.group)}/providers/${identityType}/${params.identity}`);
  const idOf = (identity: Resource, name: string) => `${identity.id}/federatedIdentityCredentials/${name}`;
  const writing = new Set<string>();

  /** @throws CloudError 409 while another write on the identity is under way */
  async function alone<R>(identity: Resource, write: () => R): Promise<R> {
    const key = identity.id.toLowerCase();
    if (writing.has(key)) throw concurrent(key);
    writing.add(key);
    try {
      const wait = cloud.timings().federatedCredentialWrite;
      if (wait > 0) await delay(wait / cloud.clock.scale);
      return write();
    } finally {
      writing.delete(key);
    }
  }

  arm.put<Route>(`${collection}/:name`, async (request, reply) => {
    const identity = identityOf(request.params);
    const { name } = request.params;
    const { properties } = parseBody(bodySchema, request.body);
    requireValid(name, properties);
    return alone(identity, () => {
      const id = idOf(identity, name);
      const existing = cloud.resources.get(id);
      requireRoom(
        children(cloud, identity.id).filter((each) => each.id !== existing?.id),
        properties,
      );
      const made = cloud.resources.put({
        id: existing?.id ?? id,
        type,
        name: existing?.name ?? name,
        resourceGroup: identity.resourceGroup,
        body: { properties },
        createdAt: existing?.createdAt ?? cloud.clock.now(),
      });
      return reply.code(existing === undefined ? 201 : 200).send(envelope(made));
    });
  });
  arm.get<Route>(`${collection}/:name`, async ({ params }) =>
    envelope(cloud.resources.require(idOf(identityOf(params), params.name))),
  );
  arm.get<Route>(collection, async ({ params }) => ({
    value: children(cloud, identityOf(params).id).map(envelope),
  }));
  arm.delete<Route>(`${collection}/:name`, async ({ params }, reply) => {
    const identity = identityOf(params);
    const id = idOf(identity, params.name);
    if (cloud.resources.get(id) === undefined) return reply.code(204).send();
    return alone(identity, () => {
      cloud.store.transaction(() => cloud.resources.remove(id));
      return reply.code(200).send();
    });
  });
};

function requireValid(name: string, credential: FederatedCredential): void {
  const refuse = (message: string) => new CloudError(400, "BadRequest", message);
  if (!namePattern.test(name)) {
    throw refuse(
      `The name '${name}' of the federated identity credential must have 3 to 120 letters, digits, '-' and '_', and begin with a letter or digit.`,
    );
  }
  if (!URL.canParse(credential.issuer) || !credential.issuer.startsWith("https://")) {
    throw refuse(`The issuer '${credential.issuer}' must be a URL that begins with https://.`);
  }
  if (credential.subject === "" || credential.subject.length > 600) {
    throw refuse("The subject must have 1 to 600 characters.");
  }
  if (credential.audiences.length !== 1) throw refuse("There must be exactly one audience.");
}

function requireRoom(others: readonly Resource[], credential: FederatedCredential): void {
  const same = others.find(({ body }) => {
    const { issuer, subject } = body.properties as unknown as FederatedCredential;
    return issuer === credential.issuer && subject === credential.subject;
  });
  if (same !== undefined) {
    throw new CloudError(
      409,
      "Conflict",
      "Issuer and subject combination already exists for this Managed Identity.",
    );
  }
  if (others.length >= mostCredentials) {
    throw new CloudError(
      400,
      "BadRequest",
      `No more than ${mostCredentials} federated identity credentials can be configured for a single managed identity.`,
    );
  }
}

/** Source: the words of Azure in github.com/pulumi/pulumi-azure-native issue 4343. */
function concurrent(identity: string): CloudError {
  return new CloudError(
    409,
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    `Too many Federated Identity Credentials are written concurrently for the managed identity '${identity}'. Concurrent Federated Identity Credentials writes under the same managed identity are not supported.`,
  );
}
