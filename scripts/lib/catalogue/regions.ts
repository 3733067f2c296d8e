import type { Explanation } from "./explanation.ts";

const moves =
  "An environment that never was whole is taken out of {region} and built in the next configured region; one that was stays where it is.";

/** What a region has no room for, or does not have at all. */
export const regionErrors: readonly Explanation[] = [
  {
    codes: ["InsufficientQuota"],
    capacity: true,
    what: "{region} has not enough quota left for the model",
    why: "Each region has a limit of tokens per minute for each model; deployments and soft-deleted accounts use it up.",
    consequence: moves,
    next: "Lower kiln:foundry.model.capacity, add a region to kiln:fallbackLocations, purge deleted accounts, or ask for more quota.",
  },
  {
    codes: ["SubscriptionIsOverQuotaForSku", "Unauthorized"],
    message: /additional quota|quota of \d+ instances/i,
    capacity: true,
    what: "{region} has no quota left for the app's plan",
    why: "App Service gives each subscription a number of instances per region and size; the code may read Unauthorized, yet nobody's rights are meant.",
    consequence: moves,
    next: "Choose another kiln:foundry.functionApp.sku, add a region to kiln:fallbackLocations, or ask for more quota.",
  },
  {
    codes: ["QuotaExceeded", "SkuNotAvailable", "RequestDisallowedByAzure"],
    capacity: true,
    what: "{region} takes no more of this kind from the subscription",
    why: "The region is full, or Azure has closed it for this subscription.",
    consequence: moves,
    next: "Add a region to kiln:fallbackLocations, or ask Azure's support for access to the region.",
  },
  {
    codes: ["ServiceUnavailable"],
    message: /high demand|region access/i,
    capacity: true,
    what: "{region} is in such demand that Azure takes nothing new there",
    why: "It is a shortage of machines, not of quota.",
    consequence: moves,
    next: "Add a region to kiln:fallbackLocations, or try again another day.",
  },
  {
    codes: ["DeploymentModelNotSupported", "ServiceModelDeprecated", "InvalidResourceProperties"],
    what: "the region does not offer this model, version or SKU",
    why: "Models come to regions one by one, each with its own SKUs, and go again.",
    consequence:
      "Waiting does not help. Before it builds anything Kiln looks which of the configured regions offer the model; after a failure it does not go elsewhere for it, since it is the configuration that does not fit.",
    next: "Choose another model, version or SKU in kiln:foundry.model, or another kiln:location.",
  },
  {
    codes: ["InvalidCapacity"],
    what: "the model cannot be bought in this amount",
    why: "Each SKU has a smallest capacity and a step.",
    consequence: "No region takes it.",
    next: "Set kiln:foundry.model.capacity to an amount that the message names.",
  },
  {
    codes: ["SpecialFeatureOrQuotaIdRequired"],
    what: "the subscription is not entitled to Azure OpenAI",
    why: "The service has to be granted to a subscription once.",
    consequence: "Another region would not help, so none is tried.",
    next: "Ask for access to Azure OpenAI for this subscription, or use another subscription.",
  },
  {
    codes: ["LocationNotAvailableForResourceType"],
    what: "{region} does not have one of the services",
    why: "Not every region has every service.",
    consequence:
      "It will never work there, so this is a matter of configuration and no other region is tried.",
    next: "Take the region out of kiln:location or kiln:fallbackLocations; `kiln down` removes what was made.",
  },
  {
    codes: ["InvalidResourceLocation"],
    what: "something of this name is in another region",
    why: "Nothing moves between regions, and Azure keeps a deleted Log Analytics workspace, with its name, for 14 days.",
    consequence: "The environment cannot be whole in {region} as long as that name is held elsewhere.",
    next: "Bring the environment up in the region where it was (KILN_LOCATION), or change kiln:workload, which all names are made of.",
  },
  {
    codes: ["InvalidResourceGroupLocation"],
    what: "the resource group exists, in another region",
    why: "A resource group has a region too, and it cannot be changed.",
    consequence: "Nothing can be built in {region} under this name while that group is there.",
    next: "Bring the environment up in the group's region (KILN_LOCATION), or delete the group if nobody needs it.",
  },
];
