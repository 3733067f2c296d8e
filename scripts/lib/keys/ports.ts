import type { KeyMaterial } from "./key-material.ts";

/** The two keys of an account, by Azure's own names for them. */
export const SLOTS = ["key1", "key2"] as const;
export type Slot = (typeof SLOTS)[number];

/** Where a rotation stands. It is written as a tag of the secret's version; `drained` means that none is under way. */
export const PHASES = ["prepare", "regenerate", "test", "write", "refresh", "prove", "drained"] as const;
export type Phase = (typeof PHASES)[number];

/** The keys of one account. */
export interface AccountKeys {
  /** Both keys as they are now. */
  list(): Promise<Readonly<Record<Slot, KeyMaterial>>>;
  /** Makes a new key in a slot. The old one stops working at once. */
  regenerate(slot: Slot): Promise<KeyMaterial>;
}

/** A version of the secret, without what it holds. */
export interface SecretVersionProperties {
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  /** By the vault's clock. */
  readonly createdOn: Date;
  /** When its tags or its state were last changed, by the vault's clock, which counts in whole seconds. */
  readonly updatedOn: Date;
  readonly expiresOn: Date | undefined;
}

/** A version of the secret. */
export interface SecretVersion extends SecretVersionProperties {
  readonly value: KeyMaterial;
}

/** What a new version of the secret carries beside the key. */
export interface SecretLabels {
  /** Tags of the environment. `slot` and `phase` are added to them. */
  readonly tags: Readonly<Record<string, string>>;
  readonly slot: Slot;
  readonly phase: Phase;
  readonly expiresOn: Date;
}

/** One secret of one vault. Each call throws the SDK's error when the vault refuses. */
export interface SecretStore {
  /** Address of the secret, without a version. */
  readonly uri: string;
  /** The current version, or undefined when there is no such secret. */
  read(): Promise<SecretVersion | undefined>;
  /** Writes a new version and gives its name. */
  write(key: KeyMaterial, labels: SecretLabels): Promise<string>;
  /** Replaces the tags of a version. */
  updateTags(version: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Begins to bring back the soft-deleted secret. */
  recover(): Promise<void>;
}

/** A secret with its past. */
export interface VersionedSecret extends SecretStore {
  /** All versions, the newest first; none when there is no such secret. */
  versions(): Promise<readonly SecretVersionProperties[]>;
  /** What a version holds; undefined when it is empty. */
  readVersion(version: string): Promise<KeyMaterial | undefined>;
  /** Keeps a version from being read. */
  disable(version: string): Promise<void>;
}

/** Whether an app has got hold of the secret that a setting refers to. */
export interface ReferenceStatus {
  /** `Resolved`, `Initialized`, or Azure's word for what went wrong. */
  readonly status: string;
  /** What Azure adds to it. */
  readonly details: string | undefined;
  /** Version of the secret in use. */
  readonly activeVersion: string | undefined;
}

/** The reference of one setting. */
export interface SettingReference extends ReferenceStatus {
  readonly setting: string;
  /** The vault and the secret that the setting names; undefined when its text makes no sense. */
  readonly vault: string | undefined;
  readonly secret: string | undefined;
}

/** The Key Vault references of one app. */
export interface AppReferences {
  /** Status of one setting's reference, or undefined while the app knows of none. */
  status(setting: string): Promise<ReferenceStatus | undefined>;
  /** Makes the app look up all its references now. */
  refresh(): Promise<void>;
}

/** An app as a rotation deals with it. */
export interface ConsumingApp extends AppReferences {
  /** The references of all settings. */
  list(): Promise<readonly SettingReference[]>;
  /** Starts the app's processes anew. */
  restart(): Promise<void>;
}

/** The settings of one app. */
export interface AppSettings {
  /** Whether the app has an identity; undefined when there is no such app. */
  hasIdentity(): Promise<boolean | undefined>;
  read(): Promise<Record<string, string>>;
  /** Replaces all settings. */
  replace(settings: Readonly<Record<string, string>>): Promise<void>;
}
