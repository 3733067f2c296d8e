import { randomUUID } from "node:crypto";
import type { Cloud } from "../core/cloud.ts";
import type { Resource } from "../core/resources.ts";
import {
  conflict,
  defined,
  deletedNotFound,
  type SecretFields,
  type SecretRecord,
  type SecretVersion,
  secretNotFound,
} from "./secret-model.ts";
import { hostOf, instanceOf, vaultProperties } from "./state.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** The secrets of one vault, with their life cycle. What needs time is decided by the clock when somebody asks. */
export class VaultSecrets {
  readonly #cloud: Cloud;
  readonly #vault: Resource;
  readonly #instance: string;

  constructor(cloud: Cloud, vault: Resource) {
    this.#cloud = cloud;
    this.#vault = vault;
    this.#instance = instanceOf(vault);
  }

  /** The URI of a secret, or of one version. */
  uri(name: string, version?: string): string {
    const base = `https://${hostOf(this.#vault)}/secrets/${name}`;
    return version === undefined ? base : `${base}/${version}`;
  }

  /** Live secrets, by name. */
  list(): SecretRecord[] {
    return this.#records().filter((record) => this.#readable(record));
  }

  listDeleted(): SecretRecord[] {
    return this.#records().filter((record) => this.#isDeleted(record));
  }

  /** Versions of a live secret, oldest first. @throws CloudError 404 `SecretNotFound` */
  versions(name: string): SecretVersion[] {
    const record = this.#requireLive(name);
    return record.versions.flatMap((version) => this.#version(record, version) ?? []);
  }

  /** A version, or the current (newest) one. @throws CloudError 404 `SecretNotFound` */
  get(name: string, version?: string): SecretVersion {
    const record = this.#requireLive(name, version);
    const wanted = version ?? record.versions.at(-1) ?? "";
    const found = this.#version(record, wanted.toLowerCase());
    if (found === undefined) throw secretNotFound(version === undefined ? name : `${name}/${version}`);
    return found;
  }

  /** The newest version of a record, live or deleted. */
  current(record: SecretRecord): SecretVersion {
    const found = this.#version(record, record.versions.at(-1) ?? "");
    if (found === undefined) throw secretNotFound(record.name);
    return found;
  }

  /** Writes a new version. @throws CloudError 409 while the name is deleted, purged or being recovered */
  set(name: string, value: string, fields: SecretFields): SecretVersion {
    return this.#cloud.store.transaction(() => {
      const record = this.#requireWritable(name);
      const now = this.#cloud.clock.seconds();
      const version: SecretVersion = {
        name: record?.name ?? name,
        version: randomUUID().replaceAll("-", ""),
        value,
        enabled: true,
        created: now,
        updated: now,
        ...defined(fields),
      };
      this.#putVersion(version);
      this.#putRecord({
        instance: this.#instance,
        name: version.name,
        versions: [...(record?.versions ?? []), version.version],
      });
      // Shorter values would be found everywhere.
      if (value.length >= 8) {
        this.#cloud.mint.remember(value, "vault-secret", this.uri(version.name, version.version));
      }
      return version;
    });
  }

  /** Changes what is known of a version, never its value. @throws CloudError 404, 409 */
  update(name: string, version: string | undefined, fields: SecretFields): SecretVersion {
    this.#requireWritable(name);
    const changed: SecretVersion = {
      ...this.get(name, version),
      ...defined(fields),
      updated: this.#cloud.clock.seconds(),
    };
    this.#putVersion(changed);
    return changed;
  }

  /** Soft-deletes. @throws CloudError 404, 409 */
  delete(name: string): SecretRecord {
    this.#requireWritable(name);
    const { recovering: _over, ...record } = this.#requireLive(name);
    const at = this.#cloud.clock.now();
    const days = vaultProperties(this.#vault).softDeleteRetentionInDays;
    const doneAt = at + this.#cloud.timings().secretDelete;
    return this.#putRecord({ ...record, deleted: { at, doneAt, purgesAt: at + days * dayMs } });
  }

  /** @throws CloudError 404 until its deletion is over, and when it is not deleted */
  getDeleted(name: string): SecretRecord {
    const record = this.#find(name);
    if (record === undefined || !this.#isDeleted(record)) throw deletedNotFound(name);
    return record;
  }

  /** @throws CloudError 404, 409 `ObjectIsBeingDeleted` */
  recover(name: string): SecretRecord {
    const { deleted: _over, ...record } = this.#requireDeletedForGood(name);
    const now = this.#cloud.clock.now();
    const takes = this.#cloud.timings().secretRecover;
    return this.#putRecord({
      ...record,
      recovering: { readableAt: now + takes, writableAt: now + 2 * takes },
    });
  }

  /** @throws CloudError 404, 409 `ObjectIsBeingDeleted` */
  purge(name: string): void {
    const record = this.#requireDeletedForGood(name);
    this.#cloud.store.transaction(() => {
      this.#dropVersions(record);
      this.#putRecord({
        instance: this.#instance,
        name: record.name,
        versions: [],
        purgedUntil: this.#cloud.clock.now() + this.#cloud.timings().secretPurge,
      });
    });
  }

  /** Brings back every version of a backup. @throws CloudError 409 when the name is taken in any way */
  restore(name: string, versions: readonly SecretVersion[]): SecretVersion {
    return this.#cloud.store.transaction(() => {
      if (this.#requireWritable(name) !== undefined) {
        throw conflict(
          "ObjectAlreadyExists",
          `Secret ${name} already exists in this key vault and cannot be restored over.`,
        );
      }
      for (const version of versions) this.#putVersion(version);
      const record = this.#putRecord({
        instance: this.#instance,
        name,
        versions: versions.map(({ version }) => version),
      });
      return this.current(record);
    });
  }

  /** Everything of the vault goes: it is purged itself. */
  dropAll(): void {
    for (const record of this.#records()) this.#drop(record);
  }

  #requireLive(name: string, version?: string): SecretRecord {
    const record = this.#find(name);
    if (record === undefined || !this.#readable(record)) {
      throw secretNotFound(version === undefined ? name : `${name}/${version}`);
    }
    return record;
  }

  #requireDeletedForGood(name: string): SecretRecord {
    const record = this.#find(name);
    if (record?.deleted === undefined) throw deletedNotFound(name);
    if (!this.#isDeleted(record)) {
      throw conflict("ObjectIsBeingDeleted", `Secret ${record.name} is currently being deleted.`);
    }
    return record;
  }

  /** The live record behind a name that may be written; undefined when the name is free. */
  #requireWritable(name: string): SecretRecord | undefined {
    const record = this.#find(name);
    if (record === undefined) return undefined;
    const now = this.#cloud.clock.now();
    const shown = record.name;
    if (record.purgedUntil !== undefined || (record.deleted !== undefined && record.deleted.doneAt > now)) {
      throw conflict(
        "ObjectIsBeingDeleted",
        `Secret ${shown} is currently being deleted and cannot be re-created; retry later.`,
      );
    }
    if (record.deleted !== undefined) {
      throw conflict(
        "ObjectIsDeletedButRecoverable",
        `Secret ${shown} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`,
      );
    }
    if (record.recovering !== undefined && record.recovering.writableAt > now) {
      throw conflict(
        "ObjectIsBeingRecovered",
        `Secret ${shown} is currently being recovered and cannot be re-created; retry later.`,
      );
    }
    return record;
  }

  #readable(record: SecretRecord): boolean {
    if (record.deleted !== undefined || record.purgedUntil !== undefined) return false;
    return record.recovering === undefined || record.recovering.readableAt <= this.#cloud.clock.now();
  }

  #isDeleted(record: SecretRecord): boolean {
    return record.deleted !== undefined && record.deleted.doneAt <= this.#cloud.clock.now();
  }

  /** A record whose time has run out (retention, or the wait after a purge) is gone the moment anybody looks. */
  #find(name: string): SecretRecord | undefined {
    const record = this.#all().get(this.#key(name));
    return record === undefined || this.#outlived(record) ? undefined : record;
  }

  #records(): SecretRecord[] {
    const prefix = `${this.#instance}/`;
    return this.#all()
      .entries()
      .filter(([key]) => key.startsWith(prefix))
      .map(([, record]) => record)
      .filter((record) => !this.#outlived(record))
      .sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()));
  }

  #outlived(record: SecretRecord): boolean {
    const end = record.deleted?.purgesAt ?? record.purgedUntil;
    if (end === undefined || end > this.#cloud.clock.now()) return false;
    this.#drop(record);
    return true;
  }

  #drop(record: SecretRecord): void {
    this.#cloud.store.transaction(() => {
      this.#dropVersions(record);
      this.#all().delete(this.#key(record.name));
    });
  }

  #dropVersions(record: SecretRecord): void {
    for (const version of record.versions) this.#versions().delete(this.#key(record.name, version));
  }

  #version(record: SecretRecord, version: string): SecretVersion | undefined {
    return this.#versions().get(this.#key(record.name, version));
  }

  #putVersion(version: SecretVersion): void {
    this.#versions().put(this.#key(version.name, version.version), version);
  }

  #putRecord(record: SecretRecord): SecretRecord {
    this.#all().put(this.#key(record.name), record);
    return record;
  }

  #key(name: string, version?: string): string {
    const key = `${this.#instance}/${name.toLowerCase()}`;
    return version === undefined ? key : `${key}/${version}`;
  }

  #all() {
    return this.#cloud.store.collection<SecretRecord>("secrets");
  }

  #versions() {
    return this.#cloud.store.collection<SecretVersion>("secret-versions");
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
