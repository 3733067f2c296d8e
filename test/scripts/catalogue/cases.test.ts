import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogue, type Explanation } from "../../../scripts/lib/catalogue/index.ts";
import { explain } from "../../../scripts/lib/cloud-errors.ts";
import { KilnError } from "../../../scripts/lib/errors.ts";
import { settleReferences } from "../../../scripts/lib/keys/references.ts";
import { toKilnError } from "../../../scripts/lib/trouble.ts";
import { patience } from "../keys/fakes.ts";
import { FailingCloud } from "./cloud.ts";
import { refusals } from "./refusals.ts";

let cloud: FailingCloud;
beforeAll(async () => {
  cloud = await FailingCloud.open();
});
afterAll(() => cloud.close());

type Case = () => Promise<unknown>;

const second = 1000;
const minute = 60 * second;
const reference = (vault: string, secret = "key") =>
  `@Microsoft.KeyVault(SecretUri=https://${vault}.vault.azure.net/secrets/${secret})`;
/** An app whose reference is in a state that the sandbox's App Service does not get into. */
const settledAs =
  (status: string): Case =>
  () =>
    settleReferences({ refresh: async () => {}, status: async () => ({ status }) as never }, ["KEY"], {
      ...patience(),
      budgetMs: 0,
    });
/** For each code, by the entry that is to explain it (its first code): how the cloud comes to give it. */
const cases: Record<string, Case> = {
  "InsufficientQuota/InsufficientQuota": async () => {
    const account = await cloud.account();
    return cloud.provider((provider) =>
      provider.create("azure-native:cognitiveservices:Deployment", {
        accountName: account,
        deploymentName: "model",
        resourceGroupName: "rg",
        sku: { name: "GlobalStandard", capacity: 9999 },
        properties: { model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" } },
      }),
    );
  },
  "DeploymentModelNotSupported/DeploymentModelNotSupported": async () =>
    cloud.deploy(await cloud.account(), { name: "gpt-none" }),
  "DeploymentModelNotSupported/ServiceModelDeprecated": async () =>
    cloud.deploy(await cloud.account(), { name: "gpt-35-turbo", version: "0613", sku: "Standard" }),
  "DeploymentModelNotSupported/InvalidResourceProperties": async () =>
    cloud.deploy(await cloud.account(), { sku: "ProvisionedManaged" }),
  "SpecialFeatureOrQuotaIdRequired/SpecialFeatureOrQuotaIdRequired": () =>
    cloud.during({ openAiEntitled: false }, () => cloud.account()),
  "InvalidResourceLocation/InvalidResourceLocation": async () =>
    cloud.account({ name: await cloud.account(), location: "westus" }),
  "InvalidResourceGroupLocation/InvalidResourceGroupLocation": () =>
    cloud.resources().resourceGroups.createOrUpdate("rg", { location: "westus" }),

  "AlreadyExists/AlreadyExists": async () => {
    const accountName = await cloud.account();
    return cloud.provider((provider) =>
      provider.create("azure-native:cognitiveservices:Account", {
        accountName,
        resourceGroupName: "rg",
        location: "eastus",
        kind: "OpenAI",
        sku: { name: "S0" },
      }),
    );
  },
  "FlagMustBeSetForRestore/FlagMustBeSetForRestore": async () => {
    const name = await cloud.account();
    await cloud.cognitive().accounts.beginDeleteAndWait("rg", name);
    return cloud.account({ name });
  },
  "CanNotRestoreANonExistingResource/CanNotRestoreANonExistingResource": () =>
    cloud.account({ properties: { restore: true } }),
  "CustomDomainInUse/CustomDomainInUse": async () => {
    const properties = { customSubDomainName: "taken" };
    await cloud.account({ properties });
    return cloud.account({ properties });
  },
  "VaultAlreadyExists/VaultAlreadyExists": async () => {
    const name = await cloud.vault();
    await cloud.resources().resourceGroups.createOrUpdate("other", { location: "eastus" });
    return cloud.vault({ name, group: "other" });
  },
  "MethodNotAllowed/MethodNotAllowed": async () => {
    const name = await cloud.vault({ properties: { enablePurgeProtection: true } });
    await cloud.vaults().vaults.delete("rg", name);
    return cloud.vaults().vaults.purgeDeleted(name, "eastus");
  },
  "ObjectIsDeletedButRecoverable/ObjectIsDeletedButRecoverable": async () => {
    const { secrets } = await cloud.secrets();
    await secrets.setSecret("gone", "value");
    await (await secrets.beginDeleteSecret("gone")).pollUntilDone();
    return secrets.setSecret("gone", "value");
  },
  "ObjectIsBeingDeleted/ObjectIsBeingDeleted": async () => {
    const { secrets } = await cloud.secrets();
    await secrets.setSecret("going", "value");
    return cloud.during({ timings: { secretDelete: minute } }, async () => {
      await secrets.beginDeleteSecret("going");
      return secrets.setSecret("going", "value");
    });
  },
  "ObjectIsBeingDeleted/ObjectIsBeingRecovered": async () => {
    const { secrets } = await cloud.secrets();
    await secrets.setSecret("back", "value");
    await (await secrets.beginDeleteSecret("back")).pollUntilDone();
    return cloud.during({ timings: { secretRecover: minute } }, async () => {
      await secrets.beginRecoverDeletedSecret("back");
      return secrets.setSecret("back", "value");
    });
  },
  "BadParameter/BadParameter": async () => (await cloud.secrets()).secrets.setSecret("A_B", "value"),
  "ConflictError/ConflictError": async () => {
    const name = await cloud.vault();
    await cloud.vaults().vaults.delete("rg", name);
    return cloud.vault({ name });
  },

  "AccountProvisioningStateInvalid/AccountProvisioningStateInvalid": () =>
    cloud.during({ timings: { accountSettle: minute } }, async () => cloud.deploy(await cloud.account())),
  "RequestConflict/RequestConflict": async () => {
    const account = await cloud.account();
    return cloud.during({ timings: { deploymentCreate: minute } }, async () => {
      await cloud.cognitive().deployments.beginCreateOrUpdate("rg", account, "one", {
        sku: { name: "GlobalStandard", capacity: 1 },
        properties: { model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" } },
      });
      return cloud.deploy(account, {}, "two");
    });
  },
  "CannotDeleteResource/CannotDeleteResource": async () => {
    const account = await cloud.account();
    await cloud.deploy(account);
    return cloud.cognitive().accounts.beginDeleteAndWait("rg", account);
  },

  "AuthorizationFailed/AuthorizationFailed": () =>
    cloud.resources("reader").resourceGroups.createOrUpdate("not-mine", { location: "eastus" }),
  "Forbidden/ForbiddenByRbac": async () => cloud.secretsOf(await cloud.vault(), "stranger").getSecret("any"),
  "PrincipalNotFound/PrincipalNotFound": () =>
    cloud.grant({ objectId: "00000000-0000-0000-0000-00000000dead" }, "Reader"),
  "RoleAssignmentUpdateNotPermitted/RoleAssignmentUpdateNotPermitted": async () => {
    const id = "11111111-2222-3333-4444-555555555555";
    await cloud.grant("reader", "Key Vault Secrets User", undefined, id);
    return cloud.grant("stranger", "Key Vault Secrets User", undefined, id);
  },
  "RoleAssignmentExists/RoleAssignmentExists": async () => {
    await cloud.grant("contributor", "Reader");
    return cloud.grant("contributor", "Reader");
  },
  "ExpiredAuthenticationToken/ExpiredAuthenticationToken": async () =>
    cloud.resourcesWith(await cloud.token({ seconds: -60 })).resourceGroups.get("rg"),
  "ExpiredAuthenticationToken/InvalidAuthenticationToken": () =>
    cloud.resourcesWith("no.token.atall").resourceGroups.get("rg"),
  "ExpiredAuthenticationToken/InvalidAuthenticationTokenAudience": async () =>
    cloud.resourcesWith(await cloud.token({ audience: "https://vault.azure.net" })).resourceGroups.get("rg"),
  "SubscriptionNotFound/SubscriptionNotFound": async () =>
    cloud.resourcesWith(await cloud.token(), "00000000-0000-0000-0000-00000000beef").resourceGroups.get("rg"),

  "BadRequest/BadRequest": async () => {
    const name = await cloud.account({ properties: { disableLocalAuth: true } });
    return cloud.cognitive().accounts.listKeys("rg", name);
  },
  "AccessToKeyVaultDenied/AccessToKeyVaultDenied": async () => {
    const { vault, secrets } = await cloud.secrets();
    await secrets.setSecret("key", "value");
    return cloud.settle(reference(vault));
  },
  "MSINotEnabled/MSINotEnabled": async () =>
    cloud.settle(reference((await cloud.secrets()).vault), { type: "None" }),
  "InvalidSyntax/InvalidSyntax": () => cloud.settle("@Microsoft.KeyVault(Nonsense)"),
  "VaultNotFound/VaultNotFound": () => cloud.settle(reference("nowhere-to-be-found")),
  "SecretNotFound/SecretNotFound": settledAs("SecretNotFound"),
  "SecretNotFound/SecretVersionNotFound": settledAs("SecretVersionNotFound"),
  "OtherReasons/OtherReasons": settledAs("OtherReasons"),
  "OtherReasons/FetchTimedOut": settledAs("FetchTimedOut"),
  "OtherReasons/UnauthorizedClient": settledAs("UnauthorizedClient"),
  "OtherReasons/Initialized": settledAs("Initialized"),
};

for (const [name, [status, message]] of Object.entries(refusals))
  cases[name] = () => cloud.refused(status, name.split("/")[1] ?? "", message);

const entries = catalogue.flatMap((entry) =>
  entry.codes.map((code) => ({ name: `${entry.codes[0]}/${code}`, code, entry })),
);

/** What Kiln tells of what was thrown: by an SDK, by a provider to the engine, or by a step on its standard error. */
function told(error: unknown): KilnError {
  if (error instanceof KilnError)
    return explain([`${error.message}\n  why: ${error.cause}\n  next: ${error.next}`]);
  const { details } = error as { details?: unknown };
  return typeof details === "string" ? explain([details]) : toKilnError(error);
}

describe("each code of the catalogue, as the cloud really gives it", () => {
  it("there is a case for each, and none for what is not in it", () => {
    expect(Object.keys(cases).sort()).toEqual(entries.map(({ name }) => name).sort());
  });

  it.each(entries)("$name", async ({ name, code, entry }) => {
    const thrown = await (cases[name] ?? (async () => undefined))().then(
      () => new Error("the cloud did not refuse"),
      (error: unknown) => error,
    );
    const error = told(thrown);
    expect(error).toMatchObject({ code, exitCode: entry.exitCode ?? 1 });
    expect(error.message).toBe(inARegion(entry.what));
    // The plain words first, then the cloud's own.
    const [why = "", ...raw] = error.cause.split("\n");
    expect(why).toBe(inARegion(`${entry.why} ${entry.consequence}`));
    expect(raw.join("\n")).toMatch(/Message="[^"]|cannot create already existing resource/);
    expect(error.next).toBe(inARegion(entry.next));
  });
});

const inARegion = (text: Explanation["what"]) => text.replaceAll("{region}", "the region");
