import { asKilnError, type CloudAnswer, cloudAnswer } from "./cloud-answer.ts";
import type { KeyMaterial } from "./key-material.ts";
import { type Attempt, type Patience, persist } from "./patience.ts";
import { type AccountKeys, type SecretStore, SLOTS, type Slot } from "./ports.ts";

/** What a sync needs beside the account and the vault. */
export interface SyncOptions {
  /** Tags of the environment, put on a new version. */
  readonly tags: Readonly<Record<string, string>>;
  /** Days after which a new version counts as expired. */
  readonly lifetimeDays: number;
  /** How long to wait for a grant to take effect or a deleted secret to come back. */
  readonly patience: Patience;
  /** Now, for the date of expiry. */
  readonly today: Date;
}

/** What a sync came to. Holds no key. */
export interface SyncResult {
  /** The slot whose key the secret holds. */
  readonly slot: Slot;
  /** Address of the secret, without a version. */
  readonly secretUri: string;
  /** Whether the secret was already right. */
  readonly kept: boolean;
}

/**
 * Makes the secret hold a live key of the account. A secret that equals either key is left alone: which of the two is
 * active is rotation's to say. Otherwise key1 is written. Safe to repeat and to be killed at any moment.
 * @throws KilnError when the cloud refuses for good, or the patience is spent.
 */
export async function syncKey(
  keys: AccountKeys,
  secret: SecretStore,
  options: SyncOptions,
): Promise<SyncResult> {
  const live = await persist("Reading the account's keys", options.patience, () => listKeys(keys));
  return persist("Keeping the key in the vault", options.patience, () => syncOnce(live, secret, options));
}

/** The slot whose key this is, or undefined when it is neither. Compares with both whatever the first says. */
export function slotOf(value: KeyMaterial, live: Readonly<Record<Slot, KeyMaterial>>): Slot | undefined {
  const equal = SLOTS.map((slot) => value.equals(live[slot]));
  return SLOTS[equal.indexOf(true)];
}

/** Tags of a version of the secret. */
export function secretTags(
  tags: Readonly<Record<string, string>>,
  slot: Slot,
  phase: string,
): Record<string, string> {
  return { ...tags, slot, phase };
}

/** When a key written today counts as expired, in whole days. */
export function expiryOf(today: Date, lifetimeDays: number): Date {
  return new Date(today.getTime() + lifetimeDays * 86_400_000);
}

async function listKeys(keys: AccountKeys): Promise<Attempt<Readonly<Record<Slot, KeyMaterial>>>> {
  try {
    return { done: true, value: await keys.list() };
  } catch (error) {
    const answer = cloudAnswer(error);
    // The account reports success a moment before it is ready.
    if (answer?.code === "AccountProvisioningStateInvalid" || answer?.code === "RequestConflict") {
      return waiting(answer, "the account is not ready yet");
    }
    throw asKilnError(
      error,
      "The account's keys could not be read",
      "Check that the deployer may list its keys.",
    );
  }
}

async function syncOnce(
  live: Readonly<Record<Slot, KeyMaterial>>,
  secret: SecretStore,
  options: SyncOptions,
): Promise<Attempt<SyncResult>> {
  try {
    const current = await secret.read();
    const kept = current === undefined ? undefined : slotOf(current.value, live);
    const slot = kept ?? "key1";
    if (kept === undefined) {
      const expiresOn = expiryOf(options.today, options.lifetimeDays);
      await secret.write(live[slot], { tags: options.tags, slot, phase: "drained", expiresOn });
    }
    return { done: true, value: { slot, secretUri: secret.uri, kept: kept !== undefined } };
  } catch (error) {
    const answer = cloudAnswer(error);
    if (answer?.status === 409 && answer.innerCode === "ObjectIsDeletedButRecoverable")
      return recover(secret);
    return later(error);
  }
}

/** Brings the deleted secret back; what it holds decides the next attempt. */
async function recover(secret: SecretStore): Promise<Attempt<SyncResult>> {
  try {
    await secret.recover();
    return {
      done: false,
      code: "ObjectIsBeingRecovered",
      reason: "the deleted secret is being brought back",
    };
  } catch (error) {
    // Gone in the meantime: purged, or already back.
    const answer = cloudAnswer(error);
    if (answer?.status === 404) return waiting(answer, "the deleted secret is on the move");
    return later(error);
  }
}

/** What to wait for after a refusal of the vault. @throws KilnError when waiting would not help. */
function later(error: unknown): Attempt<SyncResult> {
  const answer = cloudAnswer(error);
  const reason = answer === undefined ? undefined : passing(answer);
  if (answer !== undefined && reason !== undefined) return waiting(answer, reason);
  throw asKilnError(
    error,
    "The key could not be kept in the vault",
    "Check the vault and the deployer's role on it.",
  );
}

/** Why a refusal of the vault will pass, or undefined when it will not. Pure. */
export function passing(answer: CloudAnswer): string | undefined {
  const { status, innerCode } = answer;
  if (status === 403 && (innerCode === undefined || innerCode === "ForbiddenByRbac")) {
    return "the role on the vault has not taken effect yet (usually 10 minutes, at times 30)";
  }
  if (status !== 409) return undefined;
  if (innerCode === "ObjectIsBeingRecovered") return "the deleted secret is being brought back";
  if (innerCode === "ObjectIsBeingDeleted") return "the secret of that name is still being deleted";
  return undefined;
}

function waiting<T>(answer: CloudAnswer, reason: string): Attempt<T> {
  return { done: false, code: answer.innerCode ?? answer.code, reason, retryAfterMs: answer.retryAfterMs };
}
