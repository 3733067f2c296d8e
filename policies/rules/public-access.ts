import { azureType, mustBe, type Rule, same } from "../model.ts";

/** Where each type says whether the internet reaches it. */
const PUBLIC_NETWORK_ACCESS: Readonly<Record<string, string>> = {
  "cognitiveservices:Account": "properties.publicNetworkAccess",
  "keyvault:Vault": "properties.publicNetworkAccess",
  "storage:StorageAccount": "publicNetworkAccess",
  "web:WebApp": "publicNetworkAccess",
  "web:WebAppSlot": "publicNetworkAccess",
  "sql:Server": "publicNetworkAccess",
  "cosmosdb:DatabaseAccount": "publicNetworkAccess",
  "redis:Redis": "publicNetworkAccess",
  "containerregistry:Registry": "publicNetworkAccess",
  "machinelearningservices:Workspace": "publicNetworkAccess",
};

/** What holds data or keys is not on the internet, or an exemption says why and until when. */
export const publicAccess: Rule = {
  name: "public-access",
  description: "Public network access is off, or a dated exemption says why not.",
  severity: "high",
  types: Object.keys(PUBLIC_NETWORK_ACCESS),
  check({ type, props }) {
    const azure = azureType(type) ?? "";
    const property = PUBLIC_NETWORK_ACCESS[azure] ?? "publicNetworkAccess";
    const violations = mustBe(
      props,
      property,
      (value) => same(value ?? null, "Disabled") || same(value ?? null, "SecuredByPerimeter"),
      "must be Disabled; where it cannot be, a dated exemption says why.",
    );
    if (azure !== "storage:StorageAccount") return violations;
    // Anonymous reading of blobs is a question of its own: reaching the account is not yet reading it.
    return [
      ...violations,
      ...mustBe(
        props,
        "allowBlobPublicAccess",
        (value) => value === false,
        "must be false: blobs would be readable by anyone.",
      ),
    ];
  },
};
