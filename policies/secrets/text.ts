/** What a piece of text is, apart from any field: a reference, a placeholder, something public, something random. */

const VAULT_HOST = String.raw`[0-9A-Za-z-]{1,127}\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)`;
const NAME = "[0-9A-Za-z-]{1,127}";
const VAULT_URL = String.raw`https:\/\/${VAULT_HOST}\/(?:secrets|keys|certificates)\/${NAME}(?:\/[0-9a-f]{32})?\/?`;
/** https://learn.microsoft.com/azure/app-service/app-service-key-vault-references, both forms. */
const VAULT_REFERENCE = String.raw`@Microsoft\.KeyVault\((?:SecretUri=${VAULT_URL}|VaultName=${NAME};SecretName=${NAME}(?:;SecretVersion=[0-9a-f]{32}|;SecretVersion=)?)\)`;
const GUID = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}";
const PUBLIC_KEY = [
  String.raw`-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY)-----[\s\S]*?-----END [A-Z ]+-----`,
  String.raw`(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-\S+) [A-Za-z0-9+/=]+(?: [\w@.-]+)?`,
];
const ARM_ID = String.raw`\/subscriptions\/${GUID}(?:\/[\w.()-]{1,260})*`;

const WHOLE_REFERENCE = new RegExp(
  `^(?:${[
    VAULT_REFERENCE,
    VAULT_URL,
    ARM_ID,
    ...PUBLIC_KEY,
    "secretref:[a-z0-9-]+", // Container Apps: the name of one of the app's secrets
    String.raw`\$\{\{[^{}]*\}\}`, // GitHub Actions
    String.raw`\{\{[^{}]*\}\}`,
    String.raw`\$\{[A-Za-z_]\w*\}`,
    String.raw`\$[A-Za-z_]\w*`,
    String.raw`\$env:\w+`,
    String.raw`\$\(.*\)`, // a shell's command substitution
    "`[^`]*`",
    "%[A-Za-z_]+%",
    "<[^<>]{1,60}>",
    String.raw`\*+`,
  ].join("|")})$`,
  "is",
);

/** Values that stand in credential fields and say which mechanism is used, or that none is. */
const NOT_A_CREDENTIAL = new Set([
  ...["true", "false", "null", "none", "undefined", "default", "managedidentity", "managed-identity"],
  ...["workloadidentity", "systemassigned", "userassigned", "systemassignedidentity", "userassignedidentity"],
  "caller-token", // whoever asks shows a token of their own
]);

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Whether a text stands for a value kept elsewhere, or is no credential at all, so that a credential's field may hold it. */
export function isReference(text: string): boolean {
  const value = text.trim();
  return (
    value === "" ||
    NOT_A_CREDENTIAL.has(value.toLowerCase()) ||
    ISO_TIME.test(value) ||
    WHOLE_REFERENCE.test(value) ||
    isPlainUrl(value)
  );
}

/** A URL that only says where something is: no user, no query, no random path segment. */
function isPlainUrl(text: string): boolean {
  return (
    /^https?:\/\/[\w.-]+(?::\d+)?(?:\/[\w.~/-]*)?$/i.test(text) && !text.split("/").slice(3).some(looksRandom)
  );
}

const MASKED = new RegExp(
  [VAULT_REFERENCE, VAULT_URL, ARM_ID, GUID, ...PUBLIC_KEY, "sha(?:1|256|384|512)[-:=][A-Za-z0-9+/=]+"].join(
    "|",
  ),
  "g",
);

/** The text without its references, ids, digests and public keys, for the detectors that go by how random it looks. */
export const withoutPublicParts = (text: string): string => text.replace(MASKED, " ");

/** Shannon entropy in bits per character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const SHORTEST_RANDOM = 16;
const charClass = (char: string): number => (/[a-z]/.test(char) ? 0 : /[A-Z]/.test(char) ? 1 : 2);

/**
 * Whether a text looks drawn at random: an unbroken run of at least 16 letters and digits, 3 bits or more per character, that
 * changes between lower case, upper case and digits at least at every fourth step. Words in any case style stay below that.
 */
export function looksRandom(text: string): boolean {
  for (const run of text.split(/[^A-Za-z0-9]+/)) {
    if (run.length < SHORTEST_RANDOM || !/\d/.test(run) || !/[A-Za-z]/.test(run) || entropy(run) < 3)
      continue;
    let changes = 0;
    for (let i = 1; i < run.length; i++)
      if (charClass(run.charAt(i)) !== charClass(run.charAt(i - 1))) changes++;
    if (changes / (run.length - 1) >= 0.25) return true;
  }
  return false;
}

/** The text behind base64 (either alphabet), or undefined when there is no readable text behind it. */
export function decodeBase64(text: string): string | undefined {
  const compact = text.replace(/\s+/g, "");
  if (compact.length < 16 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(compact)) return undefined;
  const decoded = Buffer.from(compact.replace(/-/g, "+").replace(/_/g, "/"), "base64").toString("utf8");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells bytes from text
  return decoded.length < 8 || /[\u0000-\u0008\u000e-\u001f\u007f\ufffd]/.test(decoded) ? undefined : decoded;
}
