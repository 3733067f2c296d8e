import { randomUUID } from "node:crypto";
import type { AuthorizationManagementClient } from "@azure/arm-authorization";
import type { Identity, ManagedServiceIdentityClient } from "@azure/arm-msi";
import type { ResourceManagementClient } from "@azure/arm-resources";
import {
  AUDIENCE,
  credentialName,
  type FederatedRepository,
  ISSUER,
  type Job,
  SUBJECT_FORMS,
  subjectOf,
} from "../../../components/github/model/subjects.ts";
import type { IdentityGrant } from "./delegation.ts";
import type { Part } from "./parts.ts";

/** The clients that a connection's Azure side is made with. */
export interface AzureClients {
  readonly resources: ResourceManagementClient;
  readonly identities: ManagedServiceIdentityClient;
  readonly authorization: AuthorizationManagementClient;
}

/** Where the identity of an environment's pipeline is. */
export interface IdentityPlace {
  readonly resourceGroup: string;
  readonly identity: string;
  /** Region of the resource group and the identity, where they are made. */
  readonly location: string;
  readonly tags: Record<string, string>;
}

/** The identity, as it is now; undefined where there is none. */
export function readIdentity(azure: AzureClients, place: IdentityPlace): Promise<Identity | undefined> {
  return there(azure.identities.userAssignedIdentities.get(place.resourceGroup, place.identity));
}

/** A resource group of its own, which a teardown of the environment leaves alone, and the identity in it. */
export function identityParts(azure: AzureClients, place: IdentityPlace): Part[] {
  const { resourceGroup, identity, location, tags } = place;
  return [
    {
      what: `resource group ${resourceGroup}`,
      state: async () =>
        (await there(azure.resources.resourceGroups.get(resourceGroup))) === undefined ? "create" : "same",
      make: async () => {
        await azure.resources.resourceGroups.createOrUpdate(resourceGroup, { location, tags });
      },
    },
    {
      what: `identity ${identity}`,
      state: async () => ((await readIdentity(azure, place)) === undefined ? "create" : "same"),
      make: async () => {
        const body = { location, tags };
        await azure.identities.userAssignedIdentities.createOrUpdate(resourceGroup, identity, body);
      },
    },
  ];
}

/** What the identity trusts: jobs of the repository in both forms. One after the other: Azure answers 409 to two at once. */
export function credentialParts(
  azure: AzureClients,
  place: IdentityPlace,
  repository: FederatedRepository,
  job: Job,
): Part[] {
  const { federatedIdentityCredentials } = azure.identities;
  const { resourceGroup, identity } = place;
  return SUBJECT_FORMS.map((form): Part => {
    const name = credentialName(repository, job, form);
    const subject = subjectOf(repository, job, form);
    return {
      what: `trust in ${subject}`,
      state: async () => {
        const found = await there(federatedIdentityCredentials.get(resourceGroup, identity, name));
        if (found === undefined) return "create";
        const { issuer, audiences = [] } = found;
        const same = found.subject === subject && issuer === ISSUER && audiences.join() === AUDIENCE;
        return same ? "same" : "update";
      },
      make: async () => {
        const body = { issuer: ISSUER, subject, audiences: [AUDIENCE] };
        await federatedIdentityCredentials.createOrUpdate(resourceGroup, identity, name, body);
      },
    };
  });
}

/** A grant to the identity. A grant is known by what it grants, not by its name, which someone else may have given. */
export function grantPart(azure: AzureClients, place: IdentityPlace, grant: IdentityGrant): Part {
  const { scope, roleId, condition } = grant;
  const subscription = /^\/subscriptions\/[^/]+/.exec(scope)?.[0] ?? "";
  const roleDefinitionId = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${roleId}`;
  const find = async (principalId: string) => {
    const filter = `principalId eq '${principalId}'`;
    for await (const each of azure.authorization.roleAssignments.listForScope(scope, { filter }))
      if (each.scope?.toLowerCase() === scope.toLowerCase() && each.roleDefinitionId?.endsWith(roleId))
        return each;
    return undefined;
  };
  return {
    what: `grant: ${grant.what}`,
    state: async () => {
      const principalId = (await readIdentity(azure, place))?.principalId;
      const found = principalId === undefined ? undefined : await find(principalId);
      return found === undefined ? "create" : found.condition === condition ? "same" : "update";
    },
    make: async () => {
      const principalId = (await readIdentity(azure, place))?.principalId ?? "";
      const name = (await find(principalId))?.name ?? randomUUID();
      await azure.authorization.roleAssignments.create(scope, name, {
        roleDefinitionId,
        principalId,
        // Always said: for an identity made a moment ago Azure cannot look it up yet.
        principalType: "ServicePrincipal",
        ...(condition === undefined ? {} : { condition, conditionVersion: "2.0" }),
      });
    },
  };
}

/** Undefined instead of a 404. */
async function there<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if ((error as { statusCode?: unknown }).statusCode === 404) return undefined;
    throw error;
  }
}
