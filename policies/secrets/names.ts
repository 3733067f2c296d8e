/**
 * What a field's name says about its value. Names are read word by word (`apiKey`, `API_KEY`, `api-key` are the same), and the
 * last word decides: `clientSecret` holds a secret, `clientSecretUri` and `keyName` tell something about one.
 */

import { remembered } from "../remembered.ts";

/** `secret`: the value is a credential; `connection`: it is one if it carries a credential; `plain`: the name says nothing. */
export type FieldKind = "secret" | "connection" | "plain";

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

/** Last words that make a field say something about a secret instead of holding it. */
const ABOUT = set(`
  algorithm at audience by class column config configuration count date days description digest disabled enabled encoding
  endpoint endpoints expiration expires expiry field file filename files fingerprint format hash hint host hours id identity
  ids issuer kind label length lifetime limit limits location manager metadata minutes mode name names operator path paths
  pattern period permissions policies policy prefix property provider quota ref reference references refs regex region
  required resource resources rotation rule rules schema scope scopes seconds server setting settings sha256 size slot source
  sources spec state status store suffix template thumbprint time timestamp title ttl type types uri uris url urls usage
  usages vault version versions`);

/** Last words that carry no meaning of their own: the word before them decides. */
const FILLER = set(
  "value values current new old default primary secondary b64 base64 plain plaintext raw encoded text data dev staging prod pr",
);

const SECRET = set(`
  accesskey accountkey adminkey apikey apitoken authkey authtoken accesstoken bearer clientkey clientsecret credential
  credentials dockerconfigjson encryptionkey functionkey hostkey jwt masterkey openaikey pass passcode passphrase passwd
  password passwords pat primarykey privatekey pwd refreshtoken sas sastoken secondarykey secret secretkey sharedaccesskey
  sharedkey sharedsecret signingkey storagekey subscriptionkey token`);

/** `<word>Key` is a credential unless the word is one of these. */
const ORDINARY_KEYS = set(`
  annotation blob cache column composite config configuration dedup deduplication feature field file foreign group grouping
  hash idempotency index instrumentation item json label lookup map message metric natural object ordering partition property
  public range record registry resource routing row selector setting shard sort state surrogate tag template topology unique`);

/** `<word>Token` counts what a model reads or writes, and is a limit, when the word is one of these. */
const COUNTED_TOKENS = set(
  "batch completion context input max maximum min minimum output per prompt reasoning total",
);

/** Words that make a random-looking value beside them suspect. */
const HINTS = set(`
  apikey auth authorization bearer cookie cred credential credentials creds key keys login passphrase passwd password passwords
  private pwd sas secret secrets session signature signing token tokens`);

/** Words of fields whose values look random by nature and are public. */
const RANDOM_BY_NATURE = set(`
  ca cert certificate certificates checksum commit crt digest etag fingerprint guid hash image integrity md5 pem public
  revision sha sha1 sha256 sha512 thumbprint trigger triggers uuid`);

/** The words of a name, in lower case. */
export function words(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

/** What the name of a field says about its value. */
export const fieldKind = remembered((name: string): FieldKind => {
  const all = words(name);
  while (all.length > 1 && (FILLER.has(all.at(-1) ?? "") || /^\d+$/.test(all.at(-1) ?? ""))) all.pop();
  const last = all.at(-1);
  if (last === undefined || ABOUT.has(last)) return "plain";
  const joined = all.join("");
  if (/(?:connectionstring|connstring|connstr|dsn)\d*$/.test(joined)) return "connection";
  const stem = last.replace(/\d+$/, "");
  if (stem === "token" && COUNTED_TOKENS.has(all.at(-2) ?? "")) return "plain";
  if (SECRET.has(stem)) return "secret";
  if (/^[a-z]*(?:password|passphrase|passwd|clientsecret|apikey|accesstoken|sastoken)$/.test(stem))
    return "secret";
  if (stem !== "key") return "plain";
  const before = all.at(-2);
  // `key1` and `key2` are what Azure calls an account's keys; a bare `key` is most often the key of some map.
  if (before === undefined) return stem === last ? "plain" : "secret";
  return ORDINARY_KEYS.has(before) ? "plain" : "secret";
});

/** Whether a name holds a credential so surely that even a number in it is one. */
export const isPassword = (name: string): boolean =>
  /(?:password|passwd|pwd|passphrase|passcode)$/.test(words(name).join(""));

/**
 * Whether a text is the name of a credential rather than one: upper case and made of words, such as
 * `AZURE-OPENAI-API-KEY--dev`. Names of Key Vault secrets and of environment variables are written so.
 */
export const isCredentialName = (text: string): boolean =>
  /^[A-Z][A-Z0-9]*(?:[-_][A-Z0-9]+)+(?:--[a-z0-9-]{1,20})?$/.test(text) && fieldKind(text) === "secret";

/** Whether a name hints at credentials nearby. The product name Key Vault does not. */
export const hintsAtSecret = remembered((name: string): boolean =>
  words(name)
    .join(" ")
    .replace(/\bkey vault\b/g, "")
    .split(" ")
    .some((word) => HINTS.has(word.replace(/\d+$/, ""))),
);

/** Whether a field's value may look random without being secret: digests, ids, public parts of certificates. */
export const isRandomByNature = remembered((name: string): boolean => {
  const all = words(name);
  return ABOUT.has(all.at(-1) ?? "") || all.some((word) => RANDOM_BY_NATURE.has(word));
});
