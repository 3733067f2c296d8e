import { randomBytes } from "node:crypto";
import type { Cloud } from "../core/cloud.ts";
import type { JsonObject, Resource } from "../core/resources.ts";

export const siteType = "Microsoft.Web/sites";
export const planType = "Microsoft.Web/serverfarms";

export type ConnectionString = {
  readonly value: string;
  readonly type: string;
};

/** What a site keeps beside its ARM resource; nothing of it is in a GET of the site. */
export interface SiteState {
  /** `config/web`: what was set; defaults are added when it is shown. */
  readonly config: JsonObject;
  readonly appSettings: Readonly<Record<string, string>>;
  readonly connectionStrings: Readonly<Record<string, ConnectionString>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly slotConfigNames: JsonObject;
  /** Whether publishing by user name and password is allowed. */
  readonly basicAuth: { readonly ftp: boolean; readonly scm: boolean };
  /** Made when first asked for. */
  readonly publishingPassword?: string;
  readonly hostKeys?: { readonly master: string; readonly default: string };
  /** Grows with every restart that was asked for, so that each makes a new process. */
  readonly restarts: number;
  readonly deployments: readonly Deployment[];
  /** Id of the deployment that is served; none before the first. */
  readonly active?: string;
}

/** Code that was brought to a site. Statuses are Kudu's numbers: 1 building, 3 failed, 4 success. */
export interface Deployment {
  readonly id: string;
  readonly status: 1 | 3 | 4;
  readonly message: string;
  readonly deployer: string;
  readonly author: string;
  readonly receivedAt: number;
  readonly endedAt?: number;
  /** The functions that the package declares. */
  readonly functions: readonly { readonly name: string; readonly config: JsonObject }[];
}

const fresh: SiteState = {
  config: {},
  appSettings: {},
  connectionStrings: {},
  metadata: {},
  slotConfigNames: {},
  basicAuth: { ftp: false, scm: false },
  restarts: 0,
  deployments: [],
};

const states = (cloud: Cloud) => cloud.store.collection<SiteState>("site-states");
const names = (cloud: Cloud) => cloud.store.collection<string>("site-names");

export function stateOf(cloud: Cloud, siteId: string): SiteState {
  return states(cloud).get(siteId.toLowerCase()) ?? fresh;
}

export function changeState(
  cloud: Cloud,
  siteId: string,
  change: (state: SiteState) => Partial<SiteState>,
): SiteState {
  const state = stateOf(cloud, siteId);
  const changed = { ...state, ...change(state) };
  states(cloud).put(siteId.toLowerCase(), changed);
  return changed;
}

/** The site of a name, which is unique in the whole cloud, without regard to case. */
export function siteNamed(cloud: Cloud, name: string): Resource | undefined {
  const id = names(cloud).get(name.toLowerCase());
  return id === undefined ? undefined : cloud.resources.get(id);
}

export function takeName(cloud: Cloud, site: Resource): void {
  names(cloud).put(site.name.toLowerCase(), site.id);
}

/** Forgets everything about a site that goes. */
export function forgetSite(cloud: Cloud, site: Resource): void {
  states(cloud).delete(site.id.toLowerCase());
  names(cloud).delete(site.name.toLowerCase());
}

const siteSuffix = ".azurewebsites.net";
const scmSuffix = ".scm.azurewebsites.net";

/** The site that a host name (`{app}.azurewebsites.net` or `{app}.scm.azurewebsites.net`, a port allowed) stands for. */
export function siteOfHost(cloud: Cloud, host: string): Resource | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, "");
  const suffix = name.endsWith(scmSuffix) ? scmSuffix : siteSuffix;
  return name.endsWith(suffix) ? siteNamed(cloud, name.slice(0, -suffix.length)) : undefined;
}

/** Whether the host name of a site or of its scm site exists in the cloud's DNS. */
export function siteExists(cloud: Cloud, host: string): boolean {
  return siteOfHost(cloud, host) !== undefined;
}

/** The user name and the password that publish to a site by basic authentication, where that is allowed. */
export function publishingCredentials(cloud: Cloud, site: Resource): { user: string; password: string } {
  let password = stateOf(cloud, site.id).publishingPassword;
  if (password === undefined) {
    password = randomBytes(45).toString("base64url");
    const made = password;
    cloud.mint.remember(made, "publishing-password", site.id);
    changeState(cloud, site.id, () => ({ publishingPassword: made }));
  }
  return { user: `$${site.name}`, password };
}

/** A Function App's host keys, minted when first asked for. */
export function hostKeys(cloud: Cloud, site: Resource): { master: string; default: string } {
  const existing = stateOf(cloud, site.id).hostKeys;
  if (existing !== undefined) return existing;
  // The shape of a Functions key: 40 random bytes and the marker that secret scanners look for.
  const key = () => `${randomBytes(33).toString("base64url")}AzFu${randomBytes(4).toString("base64url")}==`;
  const made = { master: key(), default: key() };
  for (const each of Object.values(made)) cloud.mint.remember(each, "function-key", site.id);
  changeState(cloud, site.id, () => ({ hostKeys: made }));
  return made;
}
