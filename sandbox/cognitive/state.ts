import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";

export const namespace = "Microsoft.CognitiveServices";
export const accountType = `${namespace}/accounts`;
export const deploymentType = `${accountType}/deployments`;

/** One of an account's two keys. The data plane takes it from `validFrom` (sandbox milliseconds) on. */
export type AccountKey = { readonly value: string; readonly validFrom: number };

/** What an account keeps to itself. */
export type AccountHidden = {
  readonly keys: { readonly key1: AccountKey; readonly key2: AccountKey };
  /** Sandbox time from which its parts of Azure agree that it is there. */
  readonly settledAt: number;
  /** Client id of the system-assigned identity. */
  readonly identityClientId?: string;
};

/** What a deployment keeps to itself. */
export type DeploymentHidden = {
  readonly location: string;
  readonly usageName: string;
  readonly capacity: number;
  /** It has been created and answers; an update does not stop it. */
  readonly live: boolean;
};

export function hiddenOf(account: Resource): AccountHidden {
  return account.hidden as AccountHidden;
}

export function deploymentHiddenOf(deployment: Resource): DeploymentHidden {
  return deployment.hidden as DeploymentHidden;
}

export function propertiesOf(resource: Resource): Readonly<Record<string, unknown>> {
  return resource.body.properties as Record<string, unknown>;
}

/** Live accounts by custom subdomain, so that a request's host finds its account at once. */
export function subdomains(cloud: Cloud) {
  return cloud.store.collection<string>("cognitive-subdomains");
}

/** `x.openai.azure.com` and `x.cognitiveservices.azure.com` are both account x's. */
function subdomainOf(host: string): string | undefined {
  return /^([a-z0-9-]+)\.(?:openai|cognitiveservices)\.azure\.com(?::443)?$/i.exec(host)?.[1]?.toLowerCase();
}

/** The account that answers on this host name; none while it is being made and once it is deleted. */
export function accountOfHost(cloud: Cloud, host: string): Resource | undefined {
  const id = subdomains(cloud).get(subdomainOf(host) ?? "");
  const account = id === undefined ? undefined : cloud.resources.get(id);
  return account === undefined || propertiesOf(account).provisioningState !== "Succeeded"
    ? undefined
    : account;
}

/** Whether the host name of an account resolves. */
export function accountExists(cloud: Cloud, host: string): boolean {
  return accountOfHost(cloud, host) !== undefined;
}

/**
 * Before anything is done with an account, it must have been made and have settled.
 * @throws CloudError 409 `AccountProvisioningStateInvalid`
 */
export function requireSettled(cloud: Cloud, account: Resource): void {
  const state = propertiesOf(account).provisioningState;
  if (state === "Succeeded" && hiddenOf(account).settledAt <= cloud.clock.now()) return;
  throw new CloudError(
    409,
    "AccountProvisioningStateInvalid",
    `Account ${account.id} in state ${state === "Succeeded" ? "Accepted" : String(state)}`,
  );
}

/** Deployments of one account are worked on one at a time. @throws CloudError 409 `RequestConflict` */
export function refuseWhileBusy(cloud: Cloud, account: Resource): void {
  const own = account.id.toLowerCase();
  const busy = cloud.operations
    .pending()
    .some((operation) => operation.target === own || operation.target.startsWith(`${own}/`));
  if (busy) throw requestConflict(account);
}

export function requestConflict(account: Resource): CloudError {
  return new CloudError(
    409,
    "RequestConflict",
    `Another operation is being performed on the parent resource '${account.id}'. Please try again later.`,
  );
}
