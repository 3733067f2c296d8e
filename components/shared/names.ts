import { createHash } from "node:crypto";

/** The app setting that hands the key to the backend; its value is only ever a Key Vault reference. */
export const API_KEY_SETTING = "AZURE_OPENAI_API_KEY";

/** What names are made of. The same three values always give the same names. */
export interface NameSeed {
  /** Short name of the workload, 2 to 6 characters of a-z and 0-9, first a letter. */
  readonly workload: string;
  /** Environment name: dev, staging, prod or pr-<1..999999>. */
  readonly environment: string;
  /** Azure subscription id. Letter case does not matter. */
  readonly subscriptionId: string;
}

/** Every name of one foundry environment. */
export interface FoundryNames {
  readonly resourceGroup: string;
  readonly openaiAccount: string;
  /** Subdomain of `openai.azure.com`; the same as the account's name. */
  readonly customSubdomain: string;
  readonly vault: string;
  readonly identity: string;
  readonly plan: string;
  readonly functionApp: string;
  readonly storageAccount: string;
  readonly logWorkspace: string;
  readonly appInsights: string;
  /** Name of the secret that holds the active key. */
  readonly secret: string;
}

/**
 * Base-36 digits that tell apart what the readable part of a name cannot: other subscriptions, other teams.
 * Taken from the low end of the number, where every digit is equally likely.
 */
export function nameHash(seed: NameSeed, length: number): string {
  const { workload, environment, subscriptionId } = seed;
  const digest = createHash("sha256")
    .update(`${workload}/${environment}/${subscriptionId.toLowerCase()}`)
    .digest("hex");
  return BigInt(`0x${digest}`).toString(36).padStart(length, "0").slice(-length);
}

/**
 * All names of an environment. Pure and deterministic.
 *
 * Storage accounts allow no hyphen, so `pr-12` becomes `pr12` there: no other environment name can give that, since
 * every legal name other than `pr-<n>` is free of digits.
 */
export function foundryNames(seed: NameSeed): FoundryNames {
  const { workload, environment } = seed;
  const base = `${workload}-${environment}`;
  const openaiAccount = `oai-${base}-${nameHash(seed, 6)}`;
  return {
    resourceGroup: `rg-${base}`,
    openaiAccount,
    customSubdomain: openaiAccount,
    vault: `kv-${base}-${nameHash(seed, 4)}`,
    identity: `id-${base}`,
    plan: `plan-${base}`,
    functionApp: `func-${base}-${nameHash(seed, 6)}`,
    storageAccount: `st${workload}${environment.replaceAll("-", "")}${nameHash(seed, 8)}`,
    logWorkspace: `log-${base}`,
    appInsights: `appi-${base}`,
    secret: secretNameFor(environment),
  };
}

/** Name of the secret that holds the key. A secret's name has no underscores, so the setting's become hyphens. */
export function secretNameFor(environment: string): string {
  return `${API_KEY_SETTING.replaceAll("_", "-")}--${environment}`;
}

/** Name of a model's deployment: the model's name with dots as hyphens (`gpt-5.1` → `gpt-5-1`). */
export function deploymentNameFor(model: string): string {
  return model.replaceAll(".", "-");
}

/** Address of a secret, without a version, so that a new version is picked up by whoever follows it. */
export function secretUri(vault: string, secret: string): string {
  return `https://${vault}.vault.azure.net/secrets/${secret}`;
}

/** What an app setting holds in place of a secret: a Key Vault reference without a version. */
export function keyVaultReference(uri: string): string {
  return `@Microsoft.KeyVault(SecretUri=${uri})`;
}

/** A name-based uuid (RFC 9562, version 5) in Kiln's own namespace. The same parts always give the same uuid. */
export function deterministicUuid(...parts: readonly string[]): string {
  const namespace = Buffer.from("6f0c2d5a1b7e4f7c9a3d8e5b2c4f6a10", "hex");
  const hash = createHash("sha1")
    .update(namespace)
    .update(JSON.stringify(parts.map((part) => part.toLowerCase())))
    .digest();
  const bytes = hash.subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
