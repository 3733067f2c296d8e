import type { Exemption } from "./model.ts";

const EVERYWHERE = ["dev", "staging", "prod", "pr-*"] as const;
const EXPIRES = "2028-06-30";

const noPrivateNetwork =
  "The foundry has no private network yet: runners and developers reach it from the internet, each call with an identity.";

/**
 * Where the platform breaks a rule knowingly. An entry is narrow (one property of one resource) and dated: once the day has
 * passed the rule holds again, so that someone must look at the reason and either renew it or mend the resource.
 */
export const exemptions: readonly Exemption[] = [
  {
    rule: "local-auth",
    type: "cognitiveservices:Account",
    name: "openai",
    property: "properties.disableLocalAuth",
    environments: EVERYWHERE,
    reason:
      "The account's keys are what the foundry hands out, by Key Vault reference, and renews by rotation.",
    expires: EXPIRES,
  },
  {
    rule: "public-access",
    type: "cognitiveservices:Account",
    name: "openai",
    property: "properties.publicNetworkAccess",
    environments: EVERYWHERE,
    reason: noPrivateNetwork,
    expires: EXPIRES,
  },
  {
    rule: "public-access",
    type: "keyvault:Vault",
    name: "vault",
    property: "properties.publicNetworkAccess",
    environments: EVERYWHERE,
    reason: noPrivateNetwork,
    expires: EXPIRES,
  },
  {
    rule: "public-access",
    type: "storage:StorageAccount",
    name: "storage",
    property: "publicNetworkAccess",
    environments: EVERYWHERE,
    reason: noPrivateNetwork,
    expires: EXPIRES,
  },
  {
    rule: "public-access",
    type: "web:WebApp",
    name: "app",
    property: "publicNetworkAccess",
    environments: EVERYWHERE,
    reason: "The backend is what users call: its HTTP endpoint is meant to be reached from the internet.",
    expires: EXPIRES,
  },
];
