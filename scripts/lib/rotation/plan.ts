import { exitCodes, KilnError } from "../errors.ts";
import type { KeyMaterial } from "../keys/key-material.ts";
import type { Phase, SecretVersion, Slot } from "../keys/ports.ts";
import { slotOf } from "../keys/sync.ts";
import { readJournal } from "./journal.ts";

/** What a rotation found, before it changed anything. */
export interface Found {
  /** The secret's current version; undefined when there is no secret. */
  readonly current: SecretVersion | undefined;
  /** The account's keys. */
  readonly live: Readonly<Record<Slot, KeyMaterial>>;
  /** The cloud's time. */
  readonly now: Date;
}

/** What is wanted of it. */
export interface Wish {
  /** A younger key is left alone, in milliseconds; undefined rotates at any age. */
  readonly maxAgeMs: number | undefined;
  /** Whether a secret that holds no live key is to be mended. */
  readonly adopt: boolean;
  /** Whether the slot that was left is to be regenerated as well. */
  readonly revokeOld: boolean;
}

/** Where a rotation begins, or goes on. */
export type Plan =
  /** Nothing is to be done. */
  | { readonly kind: "young"; readonly slot: Slot; readonly ageMs: number }
  /** The secret holds no live key: a live one is to be written, and brought to the consumers. */
  | { readonly kind: "adopt" }
  /** From the idle slot on. */
  | { readonly kind: "rotate"; readonly active: Slot; readonly resumed: boolean }
  /** The idle slot has its new key: from its test on. */
  | { readonly kind: "test"; readonly active: Slot; readonly resumed: true }
  /** The new version is written: from its consumers on. */
  | { readonly kind: "refresh"; readonly active: Slot; readonly resumed: true }
  /** All is done but the old slot. */
  | { readonly kind: "revoke"; readonly active: Slot; readonly resumed: true };

/** Phases in which the secret's current version is the one that is to be replaced, and where each goes on. */
const BEFORE_WRITE: Partial<Readonly<Record<Phase, "rotate" | "test">>> = {
  prepare: "rotate",
  // It may or may not have happened: nobody holds the idle slot's key, so it may happen twice.
  regenerate: "rotate",
  test: "test",
  write: "test",
};

/**
 * Decides where to begin. An unfinished rotation is gone on with, whatever else was wished. Pure.
 * @throws KilnError when there is no secret, or it holds neither of the account's keys and is not to be mended
 */
export function planRotation({ current, live, now }: Found, wish: Wish): Plan {
  if (current === undefined) {
    throw new KilnError({
      code: "SecretNotFound",
      message: "there is no key in the vault that could be rotated",
      cause: "The secret does not exist, or holds nothing.",
      next: "Run `kiln up`, which keeps a live key there.",
    });
  }
  const active = slotOf(current.value, live);
  if (active === undefined) {
    if (wish.adopt) return { kind: "adopt" };
    throw new KilnError(
      {
        code: "KeyUnknown",
        message: "the secret holds neither of the account's two keys",
        cause:
          "Someone regenerated the key in use, or wrote something else into the secret: its consumers may be failing now.",
        next: "Run it again with --adopt: it writes a live key into the secret and brings it to every consumer.",
      },
      exitCodes.check,
    );
  }
  const { phase, revoke } = readJournal(current.tags);
  if (phase === "refresh" || phase === "prove") return { kind: "refresh", active, resumed: true };
  const before = BEFORE_WRITE[phase];
  if (before === "test") return { kind: "test", active, resumed: true };
  if (before === "rotate") return { kind: "rotate", active, resumed: true };
  if (revoke) return { kind: "revoke", active, resumed: true };
  const ageMs = Math.max(0, now.getTime() - current.createdOn.getTime());
  if (wish.maxAgeMs !== undefined && ageMs < wish.maxAgeMs) return { kind: "young", slot: active, ageMs };
  return { kind: "rotate", active, resumed: false };
}

/** The vault's times are whole seconds, cut off. */
const VAULT_TICK_MS = 1000;

/**
 * How long requests that began with the idle slot's key may still run, in milliseconds: consumers left it when the last
 * rotation ended, or are only just leaving it where a run was killed in "prepare"; one that was killed in "regenerate" may
 * have been waiting for them. Pure.
 * @param drainMs how long a request may run on after its consumer got another key
 */
export function drainLeft(
  current: Pick<SecretVersion, "tags" | "updatedOn">,
  now: Date,
  drainMs: number,
): number {
  const { phase, rotation } = readJournal(current.tags);
  if (phase === "prepare") return drainMs;
  if ((phase !== "drained" && phase !== "regenerate") || rotation === undefined) return 0;
  const age = now.getTime() - current.updatedOn.getTime();
  return Math.min(drainMs, Math.max(0, drainMs + VAULT_TICK_MS - age));
}

/** The slot that is not this one. */
export function otherSlot(slot: Slot): Slot {
  return slot === "key1" ? "key2" : "key1";
}
