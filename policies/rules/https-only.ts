import { azureType, mustBe, type Rule, type Value } from "../model.ts";

interface Demand {
  readonly property: string;
  readonly wanted: boolean;
  /** Whether Azure's default is the wanted value, so that leaving it out is fine. */
  readonly byDefault: boolean;
}

const DEMANDS: Readonly<Record<string, Demand>> = {
  "web:WebApp": { property: "httpsOnly", wanted: true, byDefault: false },
  "web:WebAppSlot": { property: "httpsOnly", wanted: true, byDefault: false },
  "storage:StorageAccount": { property: "enableHttpsTrafficOnly", wanted: true, byDefault: true },
  "app:ContainerApp": { property: "configuration.ingress.allowInsecure", wanted: false, byDefault: true },
  "redis:Redis": { property: "enableNonSslPort", wanted: false, byDefault: true },
};

const absent = (value: Value | undefined): boolean => value === undefined || value === null;

/** Nothing answers in plain text. */
export const httpsOnly: Rule = {
  name: "https-only",
  description: "Web apps, storage, container apps and caches are reached over TLS only.",
  severity: "high",
  types: Object.keys(DEMANDS),
  check({ type, props }) {
    const demand = DEMANDS[azureType(type) ?? ""];
    if (demand === undefined) return [];
    const { property, wanted, byDefault } = demand;
    return mustBe(
      props,
      property,
      (value) => value === wanted || (byDefault && absent(value)),
      `must be ${wanted}: plain HTTP would be answered.`,
    );
  },
};
