import { randomBytes, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import { LRUCache } from "lru-cache";
import type { Collection } from "./store.ts";

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function letters(count: number, alphabet = alphanumerics): string {
  return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join("");
}

export interface Minted {
  readonly value: string;
  /** What it is, for a leak report: `openai-key`, `client-secret`, `vault-secret`, `access-token`… */
  readonly kind: string;
  /** Whose it is, for a leak report: an ARM id, a principal, a secret's URI. */
  readonly owner: string;
}

/**
 * Every secret the sandbox ever gave out or was given to keep, so that any file can be searched for a leak by exact
 * match, also for keys that are long dead.
 */
export class Mint {
  readonly #remembered: Collection<Minted>;
  readonly #tokens = new LRUCache<string, Minted>({ max: 5000 });

  constructor(remembered: Collection<Minted>) {
    this.#remembered = remembered;
  }

  all(): Minted[] {
    return [...this.#remembered.values(), ...this.#tokens.values()];
  }

  remember(value: string, kind: string, owner: string): void {
    if (this.#remembered.get(value) === undefined) this.#remembered.put(value, { value, kind, owner });
  }

  /**
   * Access tokens are secrets too, but there are many and they are long: only their signatures are remembered, and only
   * in memory, since they are worthless within the hour.
   */
  rememberToken(token: string, owner: string): void {
    const signature = token.slice(token.lastIndexOf(".") + 1);
    this.#tokens.set(signature, { value: signature, kind: "access-token", owner });
  }

  /**
   * A key in Azure OpenAI's present shape: 84 characters, 52 alphanumerics, `JQQJ99`, one alphanumeric, one of A-L,
   * 12 alphanumerics, `AAABACOG`, 4.
   */
  openAiKey(owner: string): string {
    const key = `${letters(52)}JQQJ99${letters(1)}${letters(1, "ABCDEFGHIJKL")}${letters(12)}AAABACOG${letters(4)}`;
    this.remember(key, "openai-key", owner);
    return key;
  }

  /** A client secret in Entra ID's shape: 40 characters with `8Q~` inside. */
  clientSecret(owner: string): string {
    const secret = `${letters(3)}8Q~${letters(34, `${alphanumerics}_-.~`)}`;
    this.remember(secret, "client-secret", owner);
    return secret;
  }

  /** A storage account's key: 64 random bytes, base64. */
  storageKey(owner: string): string {
    const key = randomBytes(64).toString("base64");
    this.remember(key, "storage-key", owner);
    return key;
  }

  /** An OpenShift OAuth access token: `sha256~` and 32 random bytes, base64url. */
  openShiftToken(owner: string): string {
    const token = `sha256~${randomBytes(32).toString("base64url")}`;
    this.remember(token, "kubernetes-token", owner);
    return token;
  }

  /**
   * A GitHub token: `ghp_` for a person's, `ghs_` for a job's, 30 alphanumerics, and their CRC-32 in base 62, by which
   * scanners tell a real one (github.blog, "Behind GitHub's new authentication token formats").
   */
  githubToken(prefix: "ghp" | "ghs", owner: string): string {
    const random = letters(30);
    const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let left = crc32(random);
    let checksum = "";
    for (; left > 0; left = Math.floor(left / 62)) checksum = digits[left % 62] + checksum;
    const token = `${prefix}_${random}${checksum.padStart(6, "0")}`;
    this.remember(token, "github-token", owner);
    return token;
  }
}
