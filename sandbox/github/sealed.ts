import type { Cloud } from "../core/cloud.ts";
import type { Repository } from "./state.ts";

/** A repository's key pair, by which what clients seal for it is opened. All base64. */
interface SealKeys {
  /** GitHub's key ids are numbers as text. */
  readonly keyId: string;
  readonly publicKey: string;
  readonly privateKey: string;
}

const kind = "github-secret-keys";

/** Loaded only here: it is WebAssembly, and most sandboxes never see a secret of GitHub's. */
async function sodium() {
  const { default: library } = await import("libsodium-wrappers");
  await library.ready;
  return library;
}

/** The public key for which clients seal a repository's secrets (X25519, as libsodium's sealed boxes want it). */
export async function publicKeyOf(
  cloud: Cloud,
  repository: Repository,
): Promise<{ key_id: string; key: string }> {
  const { keyId, publicKey } = await keysOf(cloud, repository);
  return { key_id: keyId, key: publicKey };
}

/** What was sealed; undefined when it was sealed for another key, or is no sealed box. */
export async function unseal(
  cloud: Cloud,
  repository: Repository,
  sealed: { readonly keyId: string; readonly value: string },
): Promise<string | undefined> {
  const library = await sodium();
  const keys = await keysOf(cloud, repository);
  if (sealed.keyId !== keys.keyId) return undefined;
  try {
    const opened = library.crypto_box_seal_open(
      Buffer.from(sealed.value, "base64"),
      Buffer.from(keys.publicKey, "base64"),
      Buffer.from(keys.privateKey, "base64"),
    );
    return Buffer.from(opened).toString("utf8");
  } catch {
    return undefined;
  }
}

async function keysOf(cloud: Cloud, repository: Repository): Promise<SealKeys> {
  const all = cloud.store.collection<SealKeys>(kind);
  const key = `${repository.id}/`;
  const library = await sodium();
  const known = all.get(key);
  if (known !== undefined) return known;
  const pair = library.crypto_box_keypair();
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const made: SealKeys = {
    keyId: String(568_250_167_242_549_700n + BigInt(repository.id)),
    publicKey: base64(pair.publicKey),
    privateKey: base64(pair.privateKey),
  };
  all.put(key, made);
  return made;
}
