/**
 * The models that the sandbox offers, with versions, deployment SKUs, capacities and regions. Names, versions and texts
 * are Azure's; which region has what is a fixed picture of it, small enough to reason about: `westus2`,
 * `canadacentral`, `northeurope` and `westeurope` have no gpt-5.1 at all, and the regional `Standard` is rare.
 */

/** A way to buy a model. `capacity` counts thousands of tokens per minute. */
export interface SkuOffer {
  readonly name: string;
  readonly capacity: {
    readonly minimum: number;
    readonly maximum: number;
    readonly step: number;
    readonly default: number;
  };
  /** Quota of a subscription per region, unless the sandbox's settings say otherwise. */
  readonly quota: number;
  readonly regions: readonly string[];
}

export interface Model {
  readonly name: string;
  readonly version: string;
  readonly isDefaultVersion: boolean;
  readonly task: "chat" | "embeddings";
  readonly lifecycle: "GenerallyAvailable" | "Preview" | "Deprecated";
  /** When inference ends (or ended), ISO date. */
  readonly retires: string;
  readonly maxContextTokens: number;
  readonly maxOutputTokens: number;
  /** Refuses `max_tokens` in favour of `max_completion_tokens`. */
  readonly completionTokensOnly: boolean;
  /** Refuses a `temperature` other than 1. */
  readonly fixedTemperature: boolean;
  /** Embeddings only: length of a vector unless the request asks for less. */
  readonly dimensions?: number;
  readonly skus: readonly SkuOffer[];
}

/** The format (publisher) of every model here. */
export const modelFormat = "OpenAI";

const everywhere: readonly string[] = [
  "eastus",
  "eastus2",
  "westus",
  "westus2",
  "westus3",
  "centralus",
  "northcentralus",
  "southcentralus",
  "canadaeast",
  "canadacentral",
  "northeurope",
  "westeurope",
  "swedencentral",
  "francecentral",
  "germanywestcentral",
  "switzerlandnorth",
  "uksouth",
  "norwayeast",
  "japaneast",
  "australiaeast",
  "koreacentral",
  "southindia",
];

const without = (...missing: string[]): string[] => everywhere.filter((region) => !missing.includes(region));

/** Regions with the newest models. */
const newest = without("westus2", "canadacentral", "northeurope", "westeurope");
/** Regions that serve them from within the region. */
const regional = [
  "eastus",
  "eastus2",
  "westus",
  "northcentralus",
  "swedencentral",
  "francecentral",
  "uksouth",
];
/** The two data zones, United States and European Union. */
const zones = [
  "eastus",
  "eastus2",
  "westus",
  "westus3",
  "centralus",
  "northcentralus",
  "southcentralus",
  "swedencentral",
  "francecentral",
  "germanywestcentral",
];

const offer = (name: string, quota: number, regions: readonly string[], chosen = 10): SkuOffer => ({
  name,
  capacity: { minimum: 1, maximum: quota, step: 1, default: chosen },
  quota,
  regions,
});

const chat = (
  name: string,
  version: string,
  details: Partial<Model> & Pick<Model, "skus" | "retires">,
): Model => ({
  name,
  version,
  isDefaultVersion: true,
  task: "chat",
  lifecycle: "GenerallyAvailable",
  maxContextTokens: 128_000,
  maxOutputTokens: 16_384,
  completionTokensOnly: false,
  fixedTemperature: false,
  ...details,
});

const reasoning = {
  maxContextTokens: 400_000,
  maxOutputTokens: 128_000,
  completionTokensOnly: true,
  fixedTemperature: true,
} as const;

export const catalogue: readonly Model[] = [
  chat("gpt-5.1", "2025-11-13", {
    ...reasoning,
    // Its default effort is none, and then it takes a temperature.
    fixedTemperature: false,
    retires: "2027-05-15",
    skus: [
      offer("GlobalStandard", 1000, newest),
      offer("DataZoneStandard", 300, zones),
      offer("Standard", 300, regional),
    ],
  }),
  chat("gpt-5", "2025-08-07", {
    ...reasoning,
    retires: "2027-02-06",
    skus: [
      offer("GlobalStandard", 1000, without("westus2", "canadacentral")),
      offer("DataZoneStandard", 300, zones),
    ],
  }),
  chat("gpt-5-mini", "2025-08-07", {
    ...reasoning,
    retires: "2027-02-06",
    skus: [
      offer("GlobalStandard", 1000, without("westus2", "canadacentral")),
      offer("DataZoneStandard", 300, zones),
    ],
  }),
  chat("gpt-4.1", "2025-04-14", {
    maxContextTokens: 1_047_576,
    maxOutputTokens: 32_768,
    retires: "2027-04-14",
    skus: [
      offer("GlobalStandard", 1000, everywhere),
      offer("DataZoneStandard", 300, zones),
      offer("Standard", 150, regional),
    ],
  }),
  chat("gpt-4.1-mini", "2025-04-14", {
    maxContextTokens: 1_047_576,
    maxOutputTokens: 32_768,
    retires: "2027-04-14",
    skus: [offer("GlobalStandard", 5000, everywhere), offer("DataZoneStandard", 2000, zones)],
  }),
  chat("gpt-4o", "2024-11-20", {
    retires: "2027-04-01",
    skus: [
      offer("GlobalStandard", 450, everywhere),
      offer("DataZoneStandard", 300, zones),
      offer("Standard", 150, regional),
    ],
  }),
  chat("gpt-4o", "2024-08-06", {
    isDefaultVersion: false,
    retires: "2027-04-01",
    skus: [offer("GlobalStandard", 450, everywhere), offer("Standard", 150, regional)],
  }),
  chat("gpt-4o-mini", "2024-07-18", {
    retires: "2027-04-01",
    skus: [offer("GlobalStandard", 2000, everywhere), offer("Standard", 2000, regional)],
  }),
  chat("o4-mini", "2025-04-16", {
    ...reasoning,
    maxContextTokens: 200_000,
    maxOutputTokens: 100_000,
    retires: "2027-04-16",
    skus: [offer("GlobalStandard", 1000, newest)],
  }),
  chat("gpt-35-turbo", "0613", {
    maxContextTokens: 4096,
    maxOutputTokens: 4096,
    lifecycle: "Deprecated",
    retires: "2025-02-13",
    skus: [offer("Standard", 240, regional)],
  }),
  ...(
    [
      ["text-embedding-3-large", "1", 3072],
      ["text-embedding-3-small", "1", 1536],
    ] as const
  ).map(
    ([name, version, dimensions]): Model => ({
      ...chat(name, version, {
        task: "embeddings",
        maxContextTokens: 8192,
        maxOutputTokens: 0,
        retires: "2027-04-15",
        skus: [offer("GlobalStandard", 1000, everywhere, 120), offer("Standard", 350, regional, 120)],
      }),
      dimensions,
    }),
  ),
];

/** Every version of a model, the default one first. */
export function versionsOf(name: string): Model[] {
  const wanted = name.toLowerCase();
  return catalogue
    .filter((model) => model.name.toLowerCase() === wanted)
    .sort((a, b) => Number(b.isDefaultVersion) - Number(a.isDefaultVersion));
}

/** A model by name and version; without a version the default one. */
export function findModel(name: string, version?: string): Model | undefined {
  return versionsOf(name).find((model) => version === undefined || model.version === version);
}

/** The SKUs that a region offers for a model. */
export function skusIn(model: Model, location: string): SkuOffer[] {
  return model.skus.filter((sku) => sku.regions.includes(location));
}

/** Models that can be deployed in a region. */
export function modelsIn(location: string): Model[] {
  return catalogue.filter((model) => skusIn(model, location).length > 0);
}

/** `OpenAI.GlobalStandard.gpt-5.1`: one quota per model (all versions together), SKU and region. */
export function usageName(skuName: string, modelName: string): string {
  return `${modelFormat}.${skuName}.${modelName}`;
}

/** The same quota in words, as the portal and the error messages have it. */
export function usageTitle(skuName: string, modelName: string): string {
  const title = `Tokens Per Minute (thousands) - ${modelName}`;
  return skuName === "Standard" ? title : `${title} - ${skuName}`;
}

/** What a model can do, as ARM tells it. */
export function capabilitiesOf(model: Model): Record<string, string> {
  if (model.task === "embeddings") {
    return {
      embeddings: "true",
      embeddingsMaxInputs: "2048",
      maxContextToken: String(model.maxContextTokens),
    };
  }
  return {
    chatCompletion: "true",
    maxContextToken: String(model.maxContextTokens),
    maxOutputToken: String(model.maxOutputTokens),
  };
}
