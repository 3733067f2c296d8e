import { z } from "zod";
import type { Environment, EnvironmentKind } from "./environment.ts";
import { flag, oneOf, region, section, tagValue, text, whole, wrong } from "./schema-parts.ts";
import type { ServingConfig } from "./serving-config.ts";
import { servingSchema } from "./serving-schema.ts";

/** The model, and how much of it an environment gets. */
export interface ModelConfig {
  /** Model name in Azure's catalogue. @default "gpt-5.1" */
  readonly name: string;
  /** Model version. @default "2025-11-13" */
  readonly version: string;
  /** How the capacity is bought and where requests may run. */
  readonly sku: string;
  /** Capacity in thousands of tokens per minute. */
  readonly capacity: number;
}

/** The Function App: made by the stack, or an existing one that only gets our settings. */
export type FunctionAppConfig =
  | {
      readonly mode: "create";
      /** Size of the plan the app runs on, for example B1 or P1v3. */
      readonly sku: string;
    }
  | {
      readonly mode: "adopt";
      /** Name of the existing app. */
      readonly name: string;
      /** Its resource group, in the same subscription. */
      readonly resourceGroup: string;
    };

/** What the foundry system of one environment is made of. */
export interface FoundryConfig {
  /** Whether this environment has the foundry. @default true */
  readonly enabled: boolean;
  readonly model: ModelConfig;
  readonly vault: {
    /** How long a deleted vault or secret can be brought back, in days, 7 to 90. Fixed once the vault exists. */
    readonly softDeleteRetentionDays: number;
    /** Whether nobody can purge a deleted vault before its time. Cannot be switched off again. */
    readonly purgeProtection: boolean;
  };
  /** Days after which the secret counts as expired unless rotated, 1 to 730. */
  readonly secretLifetimeDays: number;
  /** How many versions of the secret stay enabled after a rotation, the current one among them, 1 to 50. @default 2 */
  readonly secretVersions: number;
  readonly functionApp: FunctionAppConfig;
  /** Retention of logs and telemetry, in days, 30 to 730. */
  readonly logRetentionDays: number;
}

/** How the vault is made: a new one, or the soft-deleted one of the same name brought back. */
export type VaultCreateMode = "default" | "recover";

/** What a deployer is, as Azure's role assignments name it. */
export type PrincipalType = "User" | "ServicePrincipal" | "Group";

/** Everything that is configured about one environment, checked, with every default filled in. */
export interface KilnConfig {
  readonly environment: Environment;
  readonly workload: string;
  readonly service: string;
  readonly repo: string;
  readonly owner: string;
  readonly costCenter: string;
  /** Where the environment is built: `KILN_LOCATION`, else `kiln:pinnedLocation`, else `kiln:location`. */
  readonly location: string;
  /** The first choice and the fallbacks, in order, each once. */
  readonly locations: readonly string[];
  /** What the deployer is, where it cannot be told from its sign-in. */
  readonly deployerType: PrincipalType | undefined;
  readonly foundry: FoundryConfig;
  readonly serving: ServingConfig;
  readonly vaultCreateMode: VaultCreateMode;
  /** When nobody needs the environment any more, as an ISO 8601 time in UTC; undefined for one that stays. */
  readonly expiresOn: string | undefined;
}

/** The values that differ by kind of environment where the configuration says nothing. */
interface Defaults {
  sku: string;
  capacity: number;
  softDeleteRetentionDays: number;
  purgeProtection: boolean;
  secretLifetimeDays: number;
  planSku: string;
  logRetentionDays: number;
}

/** Defaults per kind of environment. A pull request gets the least of everything; prod keeps what must not be lost. */
export const DEFAULTS: Readonly<Record<EnvironmentKind, Defaults>> = {
  pr: {
    sku: "GlobalStandard",
    capacity: 1,
    softDeleteRetentionDays: 7,
    purgeProtection: false,
    secretLifetimeDays: 30,
    planSku: "B1",
    logRetentionDays: 30,
  },
  dev: {
    sku: "GlobalStandard",
    capacity: 10,
    softDeleteRetentionDays: 7,
    purgeProtection: false,
    secretLifetimeDays: 90,
    planSku: "B1",
    logRetentionDays: 30,
  },
  staging: {
    sku: "GlobalStandard",
    capacity: 30,
    softDeleteRetentionDays: 30,
    purgeProtection: false,
    secretLifetimeDays: 90,
    planSku: "P0v3",
    logRetentionDays: 60,
  },
  prod: {
    sku: "Standard",
    capacity: 60,
    softDeleteRetentionDays: 90,
    purgeProtection: true,
    secretLifetimeDays: 90,
    planSku: "P1v3",
    logRetentionDays: 90,
  },
};

/** Ways to buy model capacity that a deployment of this program can use. */
export const MODEL_SKUS = ["GlobalStandard", "DataZoneStandard", "Standard"] as const;

/** Plan sizes that can keep an app always on; the backend must not be unloaded between requests. */
export const PLAN_SKUS = ["B1", "B2", "B3", "S1", "S2", "S3", "P0v3", "P1v3", "P2v3", "P3v3"] as const;

const functionApp = (planSku: string) =>
  z.preprocess(
    (value) =>
      typeof value === "object" && value !== null && !Array.isArray(value) && !("mode" in value)
        ? { ...value, mode: "create" }
        : value,
    z.discriminatedUnion(
      "mode",
      [
        z.strictObject({ mode: z.literal("create"), sku: oneOf(PLAN_SKUS).default(planSku as "B1") }),
        z.strictObject({
          mode: z.literal("adopt"),
          name: text(
            "the name of an existing Function App, 2 to 60 letters, digits, hyphens",
            /^[a-z0-9](?:-?[a-z0-9])+$/i,
            60,
          ),
          resourceGroup: text("the resource group of the existing Function App", /^[\w.()-]*[\w()-]$/, 90),
        }),
      ],
      {
        error: (issue) => {
          const input: unknown = issue.input;
          if (typeof input !== "object" || input === null || Array.isArray(input))
            return wrong(input, "a map of keys and values");
          return wrong((input as { mode?: unknown }).mode, "one of create, adopt");
        },
      },
    ),
  );

/** The one schema of everything that can be configured, with the defaults of the given kind of environment. Pure. */
export function configSchema(kind: EnvironmentKind) {
  const defaults = DEFAULTS[kind];
  const model = z.strictObject(
    {
      name: text("a model name, like gpt-5.1", /^[a-z0-9][a-z0-9.-]*$/i, 64).default("gpt-5.1"),
      version: text('a model version in quotes, like "2025-11-13"', /^[\w.-]+$/, 40).default("2025-11-13"),
      sku: oneOf(MODEL_SKUS).default(defaults.sku as "Standard"),
      capacity: whole(1, 10_000, "thousand tokens per minute").default(defaults.capacity),
    },
    { error: section },
  );
  const vault = z.strictObject(
    {
      softDeleteRetentionDays: whole(7, 90, "days").default(defaults.softDeleteRetentionDays),
      purgeProtection: flag()
        .default(defaults.purgeProtection)
        .superRefine((value, context) => {
          const message = purgeProtectionProblem(kind, value);
          if (message !== undefined) context.addIssue({ code: "custom", message });
        }),
    },
    { error: section },
  );
  const foundry = z.strictObject(
    {
      enabled: flag().default(true),
      model: model.prefault({}),
      vault: vault.prefault({}),
      secretLifetimeDays: whole(1, 730, "days").default(defaults.secretLifetimeDays),
      secretVersions: whole(1, 50, "versions").default(2),
      functionApp: functionApp(defaults.planSku).prefault({}),
      logRetentionDays: whole(30, 730, "days").default(defaults.logRetentionDays),
    },
    { error: section },
  );
  return z.strictObject({
    workload: text("2 to 6 characters of a-z and 0-9, the first a letter", /^[a-z][a-z0-9]{1,5}$/, 6).default(
      "kiln",
    ),
    service: tagValue("the service the resources belong to").default("openai"),
    repo: tagValue("the repository that holds this program"),
    owner: tagValue("the team or person that answers for it"),
    costCenter: tagValue("where the cost is booked"),
    location: region(),
    fallbackLocations: z
      .array(region(), { error: (issue) => wrong(issue.input, "a list of Azure regions, [] for none") })
      .default([]),
    // Written by kiln where the first choice had no room; one of the others.
    pinnedLocation: region().optional(),
    deployerType: oneOf(["User", "ServicePrincipal", "Group"] as const).optional(),
    foundry: foundry.prefault({}),
    serving: servingSchema(kind).prefault({}),
  });
}

/** Why a purge protection setting does not fit the kind of environment, or undefined. Pure. */
export function purgeProtectionProblem(kind: EnvironmentKind, value: boolean): string | undefined {
  if (kind === "prod" && !value)
    return wrong(value, "true in prod, where a key must not be lost by accident");
  if (kind === "pr" && value)
    return wrong(value, "false in pr-*, which must be able to leave without a trace");
  return undefined;
}
