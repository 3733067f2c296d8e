import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  ConfigError,
  fromEngine,
  type KilnConfig,
  loadConfig,
  parseConfig,
  requireEnvironment,
  resolveEnvironment,
  wantsStackTraces,
} from "../../stacks/config.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../..");
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function project(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "kiln-config-"));
  folders.push(folder);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const SHARED = `
name: kiln
config:
  repo: { value: example/kiln }
  owner: { default: platform }
  kiln:costCenter: 4711
  location: eastus
  fallbackLocations: { value: [westus] }
  azure-native:location: { value: ignored }
  workload: { type: string, description: not set }
`;

function problems(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message
        .split("\n")
        .slice(1)
        .map((line) => line.trim());
    throw error;
  }
  throw new Error("nothing was wrong");
}

describe("the checked-in configuration", () => {
  // One small golden for each kind of environment: what a change of it would change.
  const golden = ({ location, locations, costCenter, foundry }: KilnConfig) => {
    const { model, vault, functionApp, logRetentionDays, secretLifetimeDays } = foundry;
    const plan = functionApp.mode === "create" ? functionApp.sku : functionApp.mode;
    return [
      `${costCenter}: ${location} of ${locations.join(" ")}`,
      `${model.name} ${model.version} ${model.sku} ${model.capacity}k`,
      `vault ${vault.softDeleteRetentionDays} days${vault.purgeProtection ? ", purge-protected" : ""}`,
      `${plan}, logs ${logRetentionDays} days, secret ${secretLifetimeDays} days`,
    ];
  };

  it.each([
    [
      "dev",
      "ai-platform-shared: eastus of eastus westus",
      "GlobalStandard 10k",
      "vault 7 days",
      "B1, logs 30 days, secret 90 days",
    ],
    [
      "staging",
      "ai-platform-staging: eastus of eastus westus swedencentral",
      "GlobalStandard 30k",
      "vault 30 days",
      "P0v3, logs 60 days, secret 90 days",
    ],
    [
      "prod",
      "ai-platform-production: swedencentral of swedencentral francecentral",
      "Standard 60k",
      "vault 90 days, purge-protected",
      "P1v3, logs 90 days, secret 90 days",
    ],
    [
      "pr-7",
      "ai-platform-shared: eastus of eastus westus",
      "GlobalStandard 1k",
      "vault 7 days",
      "B1, logs 30 days, secret 30 days",
    ],
  ])("of %s", (name, place, capacity, vault, rest) => {
    const found = golden(loadConfig(PROJECT_DIR, name, {}));
    expect(found).toEqual([place, `gpt-5.1 2025-11-13 ${capacity}`, vault, rest]);
  });
});

describe("loadConfig", () => {
  it("merges project and environment key by key, as the engine does", () => {
    const folder = project({
      "Pulumi.yaml": SHARED,
      "Pulumi.dev.yaml":
        "encryptionsalt: x\nconfig:\n  kiln:owner: someone\n  aws:region: ignored\n  kiln:fallbackLocations: []\n",
    });
    expect(loadConfig(folder, "dev", {})).toMatchObject({
      owner: "someone",
      costCenter: "4711",
      workload: "kiln",
      locations: ["eastus"],
      foundry: { enabled: true, functionApp: { mode: "create", sku: "B1" } },
    });
    expect(loadConfig(folder, "pr-1", {}).locations).toEqual(["eastus", "westus"]);
  });

  it("names file and key of every problem at once, with what is allowed", () => {
    const folder = project({
      "Pulumi.yaml": SHARED.replace("location: eastus", "location: East US"),
      "Pulumi.prod.yaml": `
confg: {}
config:
  owner: bare
  kiln:workload: Kiln!
  kiln:costCentre: 1
  kiln:foundry:
    modle: {}
    model: { capacity: "10", nam: x }
    vault: { softDeleteRetentionDays: 5, purgeProtection: false }
    functionApp: { mode: bogus }
`,
    });
    expect(
      problems(() => loadConfig(folder, "prod", { KILN_VAULT_CREATE_MODE: "x", KILN_LOCATION: "mars" })),
    ).toEqual([
      "Pulumi.prod.yaml: confg is not a known key (did you mean config?)",
      "Pulumi.prod.yaml: owner lacks its namespace; write kiln:owner",
      'Pulumi.prod.yaml: kiln:workload is "Kiln!"; allowed: 2 to 6 characters of a-z and 0-9, the first a letter',
      'Pulumi.yaml: kiln:location is "East US"; allowed: an Azure region in its short form, like eastus or swedencentral',
      'Pulumi.prod.yaml: kiln:foundry.model.capacity is "10"; allowed: a whole number of thousand tokens per minute from 1 to 10000',
      "Pulumi.prod.yaml: kiln:foundry.model.nam is not a known key (did you mean kiln:foundry.model.name?)",
      "Pulumi.prod.yaml: kiln:foundry.vault.softDeleteRetentionDays is 5; allowed: a whole number of days from 7 to 90",
      "Pulumi.prod.yaml: kiln:foundry.vault.purgeProtection is false; allowed: true in prod, where a key must not be lost by accident",
      'Pulumi.prod.yaml: kiln:foundry.functionApp.mode is "bogus"; allowed: one of create, adopt',
      "Pulumi.prod.yaml: kiln:foundry.modle is not a known key (did you mean kiln:foundry.model?)",
      "Pulumi.prod.yaml: kiln:costCentre is not a known key (did you mean kiln:costCenter?)",
      'environment variable: KILN_VAULT_CREATE_MODE is "x"; allowed: default, recover',
      'environment variable: KILN_LOCATION is "mars"; allowed: one of the configured locations, East US, westus',
    ]);
  });

  it("knows the keys of an adopted app", () => {
    const foundry = "{ functionApp: { mode: adopt, resorceGroup: rg } }";
    const folder = project({
      "Pulumi.yaml": SHARED,
      "Pulumi.dev.yaml": `config: { kiln:foundry: ${foundry} }`,
    });
    expect(problems(() => loadConfig(folder, "dev", {}))).toEqual([
      expect.stringMatching(/functionApp\.name is missing/),
      expect.stringMatching(/functionApp\.resourceGroup is missing/),
      expect.stringMatching(/did you mean kiln:foundry\.functionApp\.resourceGroup\?/),
    ]);
  });

  it.each([
    ["foundry: 7", 'kiln:foundry is "7"; allowed: a map of keys and values'],
    ["foundry: { functionApp: [] }", "kiln:foundry.functionApp is []; allowed: a map of keys and values"],
    ["foundry: { functionApp: x }", 'kiln:foundry.functionApp is "x"; allowed: a map of keys and values'],
    [
      "fallbackLocations: westus",
      'kiln:fallbackLocations is "westus"; allowed: a list of Azure regions, [] for none',
    ],
    ["foundry: { enabled: maybe }", 'kiln:foundry.enabled is "maybe"; allowed: true or false'],
    [
      "zzzzzzzzzz: 1",
      expect.stringMatching(/^kiln:zzzzzzzzzz is not a known key \(known: costCenter, deployerType/),
    ],
  ])("refuses %s", (line, message) => {
    const folder = project({ "Pulumi.yaml": SHARED, "Pulumi.dev.yaml": `config: { kiln:${line} }` });
    const [first] = problems(() => loadConfig(folder, "dev", {}));
    expect(first?.replace("Pulumi.dev.yaml: ", "")).toEqual(message);
  });

  it("refuses purge protection where nothing may be left behind", () => {
    const folder = project({
      "Pulumi.yaml": SHARED,
      "Pulumi.pr-3.yaml": "config: { kiln:foundry: { vault: { purgeProtection: true } } }",
    });
    expect(problems(() => loadConfig(folder, "pr-3", {}))[0]).toMatch(
      /purgeProtection is true; allowed: false in pr-\*/,
    );
  });

  it("tells what is wrong with the files themselves", () => {
    expect(problems(() => loadConfig(project({}), "dev", {}))[0]).toMatch(/^Pulumi.yaml does not exist/);
    const broken = project({ "Pulumi.yaml": "config: [", "Pulumi.dev.yaml": "- a list" });
    expect(problems(() => loadConfig(broken, "dev", {})).slice(0, 2)).toEqual([
      expect.stringMatching(/^Pulumi.yaml is not valid YAML/),
      "Pulumi.dev.yaml is not a map of keys and values",
    ]);
    const odd = project({ "Pulumi.yaml": `${SHARED}`, "Pulumi.dev.yaml": "config: text" });
    expect(problems(() => loadConfig(odd, "dev", {}))).toEqual([
      "Pulumi.dev.yaml: config is not a map of keys and values",
    ]);
    const empty = project({ "Pulumi.yaml": SHARED, "Pulumi.dev.yaml": "" });
    expect(loadConfig(empty, "dev", {}).owner).toBe("platform");
  });

  it("takes what steers it from the variables it is given", () => {
    const config = loadConfig(project({ "Pulumi.yaml": SHARED }), "dev", {
      KILN_LOCATION: "westus",
      KILN_VAULT_CREATE_MODE: "recover",
    });
    expect(config).toMatchObject({
      location: "westus",
      locations: ["eastus", "westus"],
      vaultCreateMode: "recover",
    });
    expect(wantsStackTraces({ KILN_STACK_TRACES: "1" })).toBe(true);
    expect(wantsStackTraces({})).toBe(false);
  });

  it("is held to one of its locations, unless a variable says otherwise, and to no other", () => {
    const held = (location: string) =>
      project({
        "Pulumi.yaml": SHARED,
        "Pulumi.dev.yaml": `config:\n  kiln:pinnedLocation: ${location}\n`,
      });
    const locations = ["eastus", "westus"];
    expect(loadConfig(held("westus"), "dev", {})).toMatchObject({ location: "westus", locations });
    expect(loadConfig(held("westus"), "dev", { KILN_LOCATION: "eastus" }).location).toBe("eastus");
    expect(problems(() => loadConfig(held("northeurope"), "dev", {}))).toEqual([
      'Pulumi.dev.yaml: kiln:pinnedLocation is "northeurope"; allowed: one of the configured locations, eastus, westus',
    ]);
  });

  it("refuses an unknown environment with the names there are", () => {
    expect(problems(() => loadConfig(PROJECT_DIR, "production", {}))).toEqual([
      'environment is "production"; allowed: dev, staging, prod, pr-<1..999999> (did you mean prod?)',
    ]);
    expect(() => requireEnvironment("zzzzzzzzzz")).toThrow(/pr-<1\.\.999999>$/);
  });
});

describe("fromEngine", () => {
  it("reads the same as the files", () => {
    const environment = requireEnvironment("dev");
    const all = {
      "kiln:repo": "example/kiln",
      "kiln:owner": "platform",
      "kiln:costCenter": "4711",
      "kiln:location": "eastus",
      "kiln:fallbackLocations": '["westus"]',
      "kiln:foundry": '{"model":{"capacity":3}}',
      "azure-native:location": "ignored",
    };
    const fromFiles = loadConfig(
      project({
        "Pulumi.yaml": SHARED,
        "Pulumi.dev.yaml": "config: { kiln:foundry: { model: { capacity: 3 } } }",
      }),
      "dev",
      {},
    );
    expect(parseConfig(environment, fromEngine(environment, all), {})).toEqual(fromFiles);
  });

  it("names both files that a key may stand in, and keeps what is no JSON", () => {
    const environment = requireEnvironment("dev");
    const raw = fromEngine(environment, { "kiln:foundry": "{no json" });
    expect(problems(() => parseConfig(environment, raw, {})).at(-1)).toBe(
      'Pulumi.dev.yaml or Pulumi.yaml: kiln:foundry is "{no json"; allowed: a map of keys and values',
    );
  });
});

describe("resolveEnvironment", () => {
  const subscription = "00000000-1111-2222-3333-444444444444";

  it("knows names, ids and addresses without asking the cloud", () => {
    const resolved = resolveEnvironment(
      loadConfig(project({ "Pulumi.yaml": SHARED }), "pr-12", {}),
      subscription,
    );
    expect(resolved.tags).toEqual({
      env: "pr-12",
      service: "openai",
      repo: "example/kiln",
      owner: "platform",
      costCenter: "4711",
    });
    expect(resolved.deploymentName).toBe("gpt-5-1");
    expect(resolved.openaiEndpoint).toBe(`https://${resolved.names.openaiAccount}.openai.azure.com/`);
    expect(resolved.secretUri).toBe(`${resolved.vaultUri}secrets/AZURE-OPENAI-API-KEY--pr-12`);
    expect(resolved.secretReference).toBe(`@Microsoft.KeyVault(SecretUri=${resolved.secretUri})`);
    expect(resolved.ids.vault).toBe(
      `/subscriptions/${subscription}/resourceGroups/rg-kiln-pr-12/providers/Microsoft.KeyVault/vaults/${resolved.names.vault}`,
    );
    expect(resolved.functionApp).toEqual({
      mode: "create",
      name: resolved.names.functionApp,
      resourceGroup: "rg-kiln-pr-12",
    });
  });

  it("points at the adopted app", () => {
    const foundry = "{ functionApp: { mode: adopt, name: theirs, resourceGroup: rg-theirs } }";
    const folder = project({
      "Pulumi.yaml": SHARED,
      "Pulumi.dev.yaml": `config: { kiln:foundry: ${foundry} }`,
    });
    const resolved = resolveEnvironment(loadConfig(folder, "dev", {}), subscription);
    expect(resolved.functionApp).toEqual({ mode: "adopt", name: "theirs", resourceGroup: "rg-theirs" });
    expect(resolved.ids.functionApp).toMatch(
      /resourceGroups\/rg-theirs\/providers\/Microsoft\.Web\/sites\/theirs$/,
    );
  });
});
