import { z } from "zod";

const ms = z.number().int().min(0);

/** How long things take, in milliseconds of the sandbox's clock. Sources: facts named beside each. */
export const timingsSchema = z.strictObject({
  /** Cognitive account create; about 85 s in Azure. */
  accountCreate: ms,
  accountDelete: ms,
  accountPurge: ms,
  deploymentCreate: ms,
  deploymentDelete: ms,
  /** After an account create succeeded, deployments are refused with `AccountProvisioningStateInvalid` this long. */
  accountSettle: ms,
  /** How long after `regenerateKey` the new key is refused by the data plane. The old one dies at once. */
  keyPropagation: ms,
  vaultCreate: ms,
  vaultDelete: ms,
  vaultPurge: ms,
  /** A secret's soft delete, during which its name answers `ObjectIsBeingDeleted`. */
  secretDelete: ms,
  secretPurge: ms,
  secretRecover: ms,
  /** Role assignments take effect after this; up to 10 minutes in Azure. */
  rolePropagation: ms,
  /** A new identity is unknown to role assignments without `principalType` this long. */
  identityReplication: ms,
  /** How long a write of a federated credential takes, during which others on its identity are refused. */
  federatedCredentialWrite: ms,
  siteCreate: ms,
  groupDelete: ms,
  storageCreate: ms,
  /** Key Vault references are fetched again after this; 24 h in Azure. */
  referenceCache: ms,
  /** Added to every answer. */
  request: ms,
});
export type Timings = z.infer<typeof timingsSchema>;

const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;

/** `instant` for benchmarks, `quick` for work at the desk, `azure` for the real figures. */
export const timingProfiles = {
  instant: {
    accountCreate: 0,
    accountDelete: 0,
    accountPurge: 0,
    deploymentCreate: 0,
    deploymentDelete: 0,
    accountSettle: 0,
    keyPropagation: 0,
    vaultCreate: 0,
    vaultDelete: 0,
    vaultPurge: 0,
    secretDelete: 0,
    secretPurge: 0,
    secretRecover: 0,
    rolePropagation: 0,
    identityReplication: 0,
    federatedCredentialWrite: 0,
    siteCreate: 0,
    groupDelete: 0,
    storageCreate: 0,
    referenceCache: day,
    request: 0,
  },
  quick: {
    accountCreate: 700,
    accountDelete: 400,
    accountPurge: 300,
    deploymentCreate: 300,
    deploymentDelete: 200,
    accountSettle: 0,
    keyPropagation: 300,
    vaultCreate: 300,
    vaultDelete: 0,
    vaultPurge: 300,
    secretDelete: 100,
    secretPurge: 200,
    secretRecover: 100,
    rolePropagation: 1000,
    identityReplication: 500,
    federatedCredentialWrite: 200,
    siteCreate: 500,
    groupDelete: 500,
    storageCreate: 200,
    referenceCache: day,
    request: 0,
  },
  azure: {
    accountCreate: 85 * second,
    accountDelete: 20 * second,
    accountPurge: 20 * second,
    deploymentCreate: 15 * second,
    deploymentDelete: 5 * second,
    accountSettle: 500,
    keyPropagation: 30 * second,
    vaultCreate: 30 * second,
    vaultDelete: 2 * second,
    vaultPurge: 30 * second,
    secretDelete: 5 * second,
    secretPurge: 10 * second,
    secretRecover: 10 * second,
    rolePropagation: 5 * minute,
    identityReplication: 30 * second,
    federatedCredentialWrite: 2 * second,
    siteCreate: 30 * second,
    groupDelete: minute,
    storageCreate: 20 * second,
    referenceCache: day,
    request: 40,
  },
} as const satisfies Record<string, Timings>;

export const settingsSchema = z.strictObject({
  timings: timingsSchema,
  /** ARM's token buckets (reads 250 +25/s, writes and deletes 200 +10/s, per subscription and principal). */
  throttling: z.boolean(),
  /**
   * Regional quota by usage name and location, in the usage's own unit (thousands of tokens per minute for models).
   * A location not named has the default of `sandbox/openai/catalogue.ts`.
   */
  quota: z.record(z.string(), z.record(z.string(), z.number().int().min(0))),
  /** Whether the subscription is entitled to Azure OpenAI; if not, accounts answer `SpecialFeatureOrQuotaIdRequired`. */
  openAiEntitled: z.boolean(),
});
export type Settings = z.infer<typeof settingsSchema>;

export const defaultSettings: Settings = {
  timings: timingProfiles.quick,
  throttling: true,
  quota: {},
  openAiEntitled: true,
};

/** A change to the settings: any part may be left out; `profile` names a whole set of timings. */
export const settingsPatchSchema = z.strictObject({
  profile: z.enum(["instant", "quick", "azure"]).optional(),
  timings: timingsSchema.partial().optional(),
  throttling: z.boolean().optional(),
  quota: z.record(z.string(), z.record(z.string(), z.number().int().min(0))).optional(),
  openAiEntitled: z.boolean().optional(),
});
export type SettingsPatch = z.infer<typeof settingsPatchSchema>;

export function patchSettings(settings: Settings, patch: SettingsPatch): Settings {
  const timings = {
    // A sandbox of before may know fewer of them.
    ...defaultSettings.timings,
    ...settings.timings,
    ...(patch.profile === undefined ? {} : timingProfiles[patch.profile]),
    ...patch.timings,
  };
  return settingsSchema.parse({
    timings,
    throttling: patch.throttling ?? settings.throttling,
    quota: { ...settings.quota, ...patch.quota },
    openAiEntitled: patch.openAiEntitled ?? settings.openAiEntitled,
  });
}
