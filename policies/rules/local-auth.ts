import { azureType, mustBe, type Rule } from "../model.ts";

interface Demand {
  readonly property: string;
  readonly wanted: boolean;
  /** Whether leaving it out means the wanted value. */
  readonly byDefault?: true;
}

const DEMANDS: Readonly<Record<string, Demand>> = {
  "cognitiveservices:Account": { property: "properties.disableLocalAuth", wanted: true },
  "storage:StorageAccount": { property: "allowSharedKeyAccess", wanted: false },
  "applicationinsights:Component": { property: "disableLocalAuth", wanted: true },
  "cosmosdb:DatabaseAccount": { property: "disableLocalAuth", wanted: true },
  "servicebus:Namespace": { property: "disableLocalAuth", wanted: true },
  "eventhub:Namespace": { property: "disableLocalAuth", wanted: true },
  "redis:Redis": { property: "disableAccessKeyAuthentication", wanted: true },
  "containerregistry:Registry": { property: "adminUserEnabled", wanted: false, byDefault: true },
};

/** Callers prove who they are; a shared key proves only that someone had it. */
export const localAuth: Rule = {
  name: "local-auth",
  description: "Services accept identities, not keys, or a dated exemption says why.",
  severity: "high",
  types: Object.keys(DEMANDS),
  check({ type, props }) {
    const demand = DEMANDS[azureType(type) ?? ""];
    if (demand === undefined) return [];
    const { property, wanted, byDefault } = demand;
    return mustBe(
      props,
      property,
      (value) => value === wanted || (byDefault === true && (value === undefined || value === null)),
      `must be ${wanted}: callers use their identity; where keys are needed, a dated exemption says why.`,
    );
  },
};
