import { RestError } from "@azure/core-rest-pipeline";
import { KeyMaterial } from "../../../scripts/lib/keys/key-material.ts";
import type { Clock, Patience } from "../../../scripts/lib/keys/patience.ts";
import type {
  AccountKeys,
  SecretLabels,
  SecretStore,
  SecretVersion,
  Slot,
} from "../../../scripts/lib/keys/ports.ts";

export const KEY1 = `${"a".repeat(52)}JQQJ99BAACAAAAAAAAAAAAABACOGwxyz`;
export const KEY2 = `${"b".repeat(52)}JQQJ99BAACAAAAAAAAAAAAABACOGwxyz`;

/** Time that passes only by sleeping. */
export class FakeClock implements Clock {
  elapsed = 0;
  readonly sleeps: number[] = [];

  now(): number {
    return this.elapsed;
  }

  async sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
    this.elapsed += ms;
  }
}

/** Patience on a fake clock, with what it told. */
export function patience(budgetMs = 30 * 60_000): Patience & { clock: FakeClock; told: string[] } {
  const told: string[] = [];
  return { budgetMs, clock: new FakeClock(), told, tell: (message) => told.push(message) };
}

/** An error as an SDK throws it. */
export function cloudError(
  status: number,
  code: string,
  inner?: string,
  headers: Record<string, string> = {},
): RestError {
  const error = new RestError(`${code} happened`, { statusCode: status, code });
  const lowered = new Map(Object.entries(headers));
  Object.assign(error, {
    details: {
      error: {
        code,
        message: `${code} happened`,
        ...(inner === undefined ? {} : { innererror: { code: inner } }),
      },
    },
    response: { headers: { get: (name: string) => lowered.get(name) } },
  });
  return error;
}

/** What a version has that nobody asked about. */
const birthday = new Date("2026-03-02T10:00:00Z");
const born = { enabled: true, createdOn: birthday, updatedOn: birthday, expiresOn: undefined };

/** An account with two keys. */
export class FakeAccount implements AccountKeys {
  keys: Record<Slot, KeyMaterial> = { key1: new KeyMaterial(KEY1), key2: new KeyMaterial(KEY2) };
  /** Thrown one after the other before the keys are given. */
  refusals: Error[] = [];

  async list(): Promise<Record<Slot, KeyMaterial>> {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    return this.keys;
  }

  async regenerate(slot: Slot): Promise<KeyMaterial> {
    this.keys[slot] = new KeyMaterial(`${KEY1}${slot}`);
    return this.keys[slot];
  }
}

/** A secret that can be absent, deleted, coming back or going away, as Key Vault has it. */
export class FakeSecret implements SecretStore {
  readonly uri = "https://kv.vault.azure.net/secrets/S";
  readonly written: { key: KeyMaterial; labels: SecretLabels }[] = [];
  current: SecretVersion | undefined;
  /** The soft-deleted secret; null where one is being purged. */
  deleted: SecretVersion | null | undefined;
  /** How many more calls a recovery or a purge takes. */
  busyFor = 0;
  recoveries = 0;
  /** Thrown one after the other by reads. */
  refusals: Error[] = [];
  recoverRefusals: Error[] = [];

  hold(value: string): SecretVersion {
    return { value: new KeyMaterial(value), version: "v0", tags: {}, ...born };
  }

  async read(): Promise<SecretVersion | undefined> {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    return this.current;
  }

  async write(key: KeyMaterial, labels: SecretLabels): Promise<string> {
    if (this.deleted === null) {
      if (this.busyFor-- > 0) throw cloudError(409, "Conflict", "ObjectIsBeingDeleted");
      this.deleted = undefined;
    } else if (this.deleted !== undefined) {
      if (this.recoveries === 0) throw cloudError(409, "Conflict", "ObjectIsDeletedButRecoverable");
      if (this.busyFor-- > 0) {
        if (this.busyFor === 0) {
          this.current = this.deleted;
          this.deleted = undefined;
        }
        throw cloudError(409, "Conflict", "ObjectIsBeingRecovered");
      }
    }
    this.written.push({ key, labels });
    this.current = {
      value: key,
      version: `v${this.written.length}`,
      tags: labels.tags,
      ...born,
      expiresOn: labels.expiresOn,
    };
    return this.current.version;
  }

  async updateTags(): Promise<void> {}

  async recover(): Promise<void> {
    const refusal = this.recoverRefusals.shift();
    if (refusal !== undefined) throw refusal;
    this.recoveries++;
  }
}
