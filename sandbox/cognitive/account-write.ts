import { randomUUID } from "node:crypto";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import {
  type AccountRequest,
  accountKinds,
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
  hiddenOf,
  propertiesOf,
  requireSettled,
  subdomains,
} from "./state.ts";

export interface NewAccount {
  readonly id: string;
  readonly group: string;
  readonly location: string;
  readonly body: AccountRequest;
  /** Client id of who asked. */
  readonly writer: string;
}

/** A new account, on its way: whoever calls starts the operation that makes it. @throws CloudError 400, 409 */
export function create(cloud: Cloud, deleted: DeletedAccounts, wanted: NewAccount): void {
  const { id, group, location, body, writer } = wanted;
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
      ...stamp(cloud, writer, undefined),
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
export function restore(cloud: Cloud, deleted: DeletedAccounts, id: string): void {
  const gone = deleted.take(id);
  if (gone === undefined) return;
  const subdomain = propertiesOf(gone.account).customSubDomainName;
  if (typeof subdomain === "string") subdomains(cloud).put(subdomain.toLowerCase(), gone.account.id);
  cloud.resources.put(withState(gone.account, "Accepted"));
  for (const deployment of gone.deployments) cloud.resources.put(deployment);
}

/** A PUT or PATCH of a live account. Nothing of it takes time. */
export function change(
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

export function withState(account: Resource, provisioningState: string): Resource {
  return {
    ...account,
    body: {
      ...account.body,
      properties: { ...(account.body.properties as JsonObject), provisioningState },
    },
  };
}
