import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestCheckout, testCheckout } from "../harness/checkout.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { refusal } from "../harness/refusal.ts";

/** The real command with wrong words and wrong configuration: it ends before anything is touched. */

describe("a command line that is wrong", () => {
  let kiln: TestKiln;
  beforeAll(async () => {
    kiln = await testKiln();
  });
  afterAll(() => kiln.dispose());

  it.each([
    ["Dev", "dev"],
    ["production", "prod"],
    ["pr-007", "pr-7"],
    ["PR_12", "pr-12"],
    ["pr-0", undefined],
    ["pr-1000000", undefined],
    ["qa", undefined],
    ["", undefined],
    ["../x", undefined],
    ["dev\nprod", undefined],
  ])("%j: the allowed names are told, and the nearest: %s", async (name, near) => {
    const error = await refusal(kiln, 2, ["up", name]);
    expect(error).toMatchObject({
      code: "InvalidConfiguration",
      message: expect.stringContaining("allowed: dev, staging, prod, pr-<1..999999>"),
      problems: [{ file: "", key: "environment" }],
    });
    if (near === undefined) expect(error.message).not.toContain("did you mean");
    else expect(error.message).toContain(`(did you mean ${near}?)`);
  });

  it.each(["preview", "down", "status", "smoke", "env", "rotate-key"])("%s refuses it too", async (verb) => {
    expect((await refusal(kiln, 2, [verb, "qa"])).message).toContain('environment is "qa"');
  });

  it.each([
    [["up", "dev", "--ttl", "2h"], /dev/],
    [["up", "pr-3", "--ttl", "soon"], /A span is a number/],
    [["up", "pr-3", "--cloud", "aws"], /Allowed choices are sandbox, azure/],
    [["up", "pr-3", "pr-4"], /too many arguments/],
    [["up"], /missing required argument 'env'/],
    [["up", "pr-3", "--jsno"], /unknown option '--jsno'/],
    [["upp", "pr-3"], /unknown command 'upp'/],
    [[], /no command was given|unknown option/],
  ])("%j is told what the command line lacks", async (args, message) => {
    expect((await refusal(kiln, 2, args)).message).toMatch(message);
  });

  it("is told people in four lines on stderr, so that `eval $(kiln env …)` does nothing", async () => {
    const { exitCode, stdout, stderr } = await kiln.run(["env", "Dev"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(
      /^error: .*\n +environment is "Dev".*\n {2}why: .*\n {2}next: .*\n {2}code: \w+\n$/,
    );
  });

  it("leaves nothing behind", () => {
    expect(readdirSync(kiln.home)).toEqual([]);
  });
});

describe("a wrong configuration", () => {
  let checkout: TestCheckout;
  let kiln: TestKiln;
  beforeAll(async () => {
    checkout = testCheckout();
    kiln = await testKiln({ project: checkout.folder });
  });
  afterAll(async () => {
    await kiln.dispose();
    checkout.dispose();
  });

  it("is told whole, each problem with file, key and what is allowed", async () => {
    checkout.write(
      "Pulumi.dev.yaml",
      `secretprovider: passphrase
config:
  location: eastus
  kiln:locaton: eastus
  kiln:workload: TooLongName
  kiln:owner: ""
  kiln:foundry:
    modle: {}
    model: { name: gpt-5.1, capacty: 3, capacity: ten, sku: Standrad }
    vault: { softDeleteRetentionDays: 5, purgeProtection: "yes" }
    functionApp: { mode: make }
`,
    );
    const { code, message, next, problems = [] } = await refusal(kiln, 2, ["up", "dev"]);
    expect(code).toBe("InvalidConfiguration");
    expect(message).toContain('The configuration of "dev" has 12 problems:');
    expect(next).toBe("Correct Pulumi.dev.yaml and run it again.");
    expect(new Set(problems.map(({ file }) => file))).toEqual(new Set(["Pulumi.dev.yaml"]));
    expect(Object.fromEntries(problems.map(({ key, message: what }) => [key, what]))).toEqual({
      secretprovider: "is not a known key (did you mean secretsprovider?)",
      location: "lacks its namespace; write kiln:location",
      "kiln:locaton": "is not a known key (did you mean kiln:location?)",
      "kiln:workload": 'is "TooLongName"; allowed: 2 to 6 characters of a-z and 0-9, the first a letter',
      "kiln:owner": expect.stringMatching(/^is ""; allowed: the team or person .*1 to 256 characters$/),
      "kiln:foundry.modle": "is not a known key (did you mean kiln:foundry.model?)",
      "kiln:foundry.model.capacty": "is not a known key (did you mean kiln:foundry.model.capacity?)",
      "kiln:foundry.model.capacity": expect.stringMatching(/^is "ten"; allowed: .* from 1 to 10000$/),
      "kiln:foundry.model.sku": 'is "Standrad"; allowed: one of GlobalStandard, DataZoneStandard, Standard',
      "kiln:foundry.vault.softDeleteRetentionDays": "is 5; allowed: a whole number of days from 7 to 90",
      "kiln:foundry.vault.purgeProtection": 'is "yes"; allowed: true or false',
      "kiln:foundry.functionApp.mode": 'is "make"; allowed: one of create, adopt',
    });
  });

  it.each([
    ["no YAML", "config: [", /Pulumi\.dev\.yaml is not valid YAML: .*line 1/],
    ["no map", "- a list", /Pulumi\.dev\.yaml is not a map of keys and values/],
    ["a section that is no map", "config: 3", /Pulumi\.dev\.yaml: config is not a map/],
    ["a value where there are keys", "config: { kiln:foundry: 7 }", /kiln:foundry is "7"; allowed: a map/],
  ])("%s", async (_what, text, message) => {
    checkout.write("Pulumi.dev.yaml", text);
    expect((await refusal(kiln, 2, ["preview", "dev"])).message).toMatch(message);
  });

  it("a folder in a file's place", async () => {
    rmSync(path.join(checkout.folder, "Pulumi.dev.yaml"));
    mkdirSync(path.join(checkout.folder, "Pulumi.dev.yaml"));
    expect((await refusal(kiln, 2, ["preview", "dev"])).message).toContain("cannot be read: EISDIR");
  });

  it("what every environment needs is missing, or the project is another's", async () => {
    checkout.restore();
    checkout.replace("Pulumi.yaml", "name: kiln", "name: klin");
    checkout.replace("Pulumi.yaml", "  costCenter:", "  costCentre:");
    const { problems } = await refusal(kiln, 2, ["up", "pr-3"]);
    expect(problems).toEqual([
      { file: "Pulumi.yaml", key: "name", message: 'is "klin"; allowed: kiln, the namespace of every key' },
      expect.objectContaining({
        key: "kiln:costCenter",
        message: expect.stringContaining("is missing; allowed:"),
      }),
      expect.objectContaining({
        key: "kiln:costCentre",
        message: "is not a known key (did you mean kiln:costCenter?)",
      }),
    ]);
    rmSync(path.join(checkout.folder, "Pulumi.yaml"));
    expect(await refusal(kiln, 2, ["up", "pr-3"])).toMatchObject({
      code: "Usage",
      message: expect.stringContaining("there is no Pulumi.yaml in"),
    });
    checkout.restore();
  });

  it("variables that choose what is not configured", async () => {
    const env = { KILN_LOCATION: "mars", KILN_VAULT_CREATE_MODE: "x", KILN_MODEL: "gpt" };
    const { message, next } = await refusal(kiln, 2, ["up", "dev"], env);
    expect(message).toContain(
      'KILN_LOCATION is "mars"; allowed: one of the configured locations, eastus, westus',
    );
    expect(message).toContain('KILN_VAULT_CREATE_MODE is "x"; allowed: default, recover');
    expect(message).toContain('KILN_MODEL is "gpt"; allowed:');
    for (const name of Object.keys(env)) expect(next).toContain(name);
  });

  it("leaves nothing behind", () => {
    expect(readdirSync(kiln.home).filter((name) => name !== ".cache")).toEqual([]);
  });
});

describe("the real cloud, without a sign-in", () => {
  let kiln: TestKiln;
  beforeAll(async () => {
    kiln = await testKiln();
  });
  afterAll(() => kiln.dispose());

  /** No variable, no file, no tool and no network that could sign anybody in. */
  const nobody = (): Record<string, string> => {
    const closed = "http://127.0.0.1:9";
    const names = Object.keys(process.env).filter((name) => /^(AZURE|ARM|IDENTITY|MSI|IMDS)_/.test(name));
    return {
      ...Object.fromEntries(names.map((name) => [name, ""])),
      HOME: kiln.home,
      KILN_ENGINE_CACHE:
        process.env.KILN_ENGINE_CACHE ?? path.join(String(process.env.HOME), ".cache", "kiln", "engine"),
      PATH: path.dirname(process.execPath),
      HTTPS_PROXY: closed,
      HTTP_PROXY: closed,
    };
  };

  it.each(["preview", "status", "up", "down"])("%s ends before anything is touched", async (verb) => {
    const yes = verb === "up" || verb === "down" ? ["--yes"] : [];
    const error = await refusal(kiln, 1, [verb, "dev", "--cloud", "azure", ...yes], nobody());
    expect(error).toMatchObject({
      code: "NotSignedIn",
      message: "nobody is signed in to Azure",
      next: expect.stringMatching(/az login.*Nothing was touched\./s),
    });
    expect(readdirSync(kiln.home).filter((name) => !name.startsWith("."))).toEqual([]);
  });

  it("a workload whose proof is gone is not signed in either", async () => {
    const env = {
      ...nobody(),
      AZURE_TOKEN_CREDENTIALS: "WorkloadIdentityCredential",
      AZURE_TENANT_ID: "8b7c8f40-0000-4000-8000-3d2f5a6b7c8d",
      AZURE_CLIENT_ID: "1c2d3e4f-0000-4000-8000-5a6b7c8d9e0f",
      AZURE_FEDERATED_TOKEN_FILE: path.join(kiln.home, "no-such-file"),
    };
    const error = await refusal(kiln, 1, ["status", "dev", "--cloud", "azure"], env);
    expect(error).toMatchObject({ code: "NotSignedIn", cause: expect.stringContaining("no-such-file") });
  });

  it.each(["up", "down"])("%s wants to be confirmed", async (verb) => {
    expect(await refusal(kiln, 2, [verb, "dev", "--cloud", "azure"], nobody())).toMatchObject({
      code: "Usage",
      next: "Add --yes.",
    });
  });
});
