/** A Key Vault reference taken apart. Source: App Service's documentation, "Use Key Vault references". */
export interface ParsedReference {
  readonly vaultName: string;
  readonly secretName: string;
  /** Absent: always the secret's current version. */
  readonly secretVersion?: string;
  readonly secretUri: string;
}

const vaultName = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){2,23}$/i;
const secretName = /^[0-9a-z-]{1,127}$/i;
const secretVersion = /^[0-9a-f]{32}$/i;
const secretUri = /^https:\/\/([^./]+)\.vault\.azure\.net(?::443)?\/secrets\/([^/?#]+)(?:\/([^/?#]*))?\/?$/i;

/** Whether a setting's value is meant as a reference; what is inside may still be wrong. */
export function isReference(value: string): boolean {
  return /^@Microsoft\.KeyVault\(/i.test(value);
}

/**
 * Reads `@Microsoft.KeyVault(SecretUri=…)` and `@Microsoft.KeyVault(VaultName=…;SecretName=…[;SecretVersion=…])`.
 * @returns undefined when the syntax is wrong
 */
export function parseReference(value: string): ParsedReference | undefined {
  const inside = /^@Microsoft\.KeyVault\((.*)\)\s*$/is.exec(value)?.[1];
  if (inside === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const part of inside.split(";").map((each) => each.trim())) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = part.slice(0, at).trim().toLowerCase();
    if (at <= 0 || fields.has(name)) return undefined;
    fields.set(name, part.slice(at + 1).trim());
  }
  const only = (...names: string[]) => [...fields.keys()].every((name) => names.includes(name));
  const uri = fields.get("secreturi");
  if (uri !== undefined) {
    const found = secretUri.exec(uri);
    return found !== null && only("secreturi") ? reference(found[1], found[2], found[3]) : undefined;
  }
  if (!only("vaultname", "secretname", "secretversion")) return undefined;
  return reference(fields.get("vaultname"), fields.get("secretname"), fields.get("secretversion"));
}

function reference(
  vault: string | undefined,
  name: string | undefined,
  version: string | undefined,
): ParsedReference | undefined {
  if (vault === undefined || !vaultName.test(vault) || name === undefined || !secretName.test(name))
    return undefined;
  const uri = `https://${vault.toLowerCase()}.vault.azure.net/secrets/${name}`;
  if (version === undefined || version === "") {
    return { vaultName: vault, secretName: name, secretUri: uri };
  }
  if (!secretVersion.test(version)) return undefined;
  return { vaultName: vault, secretName: name, secretVersion: version, secretUri: `${uri}/${version}` };
}
