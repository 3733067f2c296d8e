import { azureType, mustBe, type Rule, type Value } from "../model.ts";

interface Demand {
  readonly property: string;
  /** False where a missing setting follows another one that is checked. */
  readonly required: boolean;
}

const required = (property: string): Demand => ({ property, required: true });
const ifSet = (property: string): Demand => ({ property, required: false });

/** Where each type says its lowest TLS version. Defaults have differed by API version and age, so it is said. */
const DEMANDS: Readonly<Record<string, readonly Demand[]>> = {
  "web:WebApp": [required("siteConfig.minTlsVersion"), ifSet("siteConfig.scmMinTlsVersion")],
  "web:WebAppSlot": [required("siteConfig.minTlsVersion"), ifSet("siteConfig.scmMinTlsVersion")],
  "storage:StorageAccount": [required("minimumTlsVersion")],
  "redis:Redis": [required("minimumTlsVersion")],
  "sql:Server": [required("minimalTlsVersion")],
  "cosmosdb:DatabaseAccount": [required("minimalTlsVersion")],
  "servicebus:Namespace": [required("minimumTlsVersion")],
  "eventhub:Namespace": [required("minimumTlsVersion")],
};

/** `1.2`, `TLS1_2`, `Tls12`: the services spell it differently. */
export function isTls12OrLater(value: Value | undefined): boolean {
  return typeof value === "string" && /^(?:tls)?1[._]?[23]$/i.test(value);
}

/** TLS 1.0 and 1.1 are broken and retired. */
export const minTls12: Rule = {
  name: "min-tls-12",
  description: "Services speak TLS 1.2 or later.",
  severity: "high",
  types: Object.keys(DEMANDS),
  check: ({ type, props }) =>
    (DEMANDS[azureType(type) ?? ""] ?? []).flatMap(({ property, required }) =>
      mustBe(
        props,
        property,
        (value) => isTls12OrLater(value) || (!required && (value === undefined || value === null)),
        "must be TLS 1.2 or later, and said.",
      ),
    ),
};
