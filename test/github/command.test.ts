import { readFileSync } from "node:fs";
import path from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GitHub, githubClient } from "../../scripts/lib/github/client.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

/** `kiln github …` as people and jobs run it, against the sandbox's GitHub. */
let kiln: TestKiln;
let github: GitHub;

const state = [
  "--backend",
  "azblob://state?storage_account=stkilnstate",
  "--secrets-provider",
  "azurekeyvault://kv-kiln-state.vault.azure.net/keys/state",
];

beforeAll(async () => {
  kiln = await testKiln();
  const started = (await kiln.run(["sandbox", "start", "--profile", "instant", "--json"])).json();
  const url = new URL(String(started.proxy));
  const proxyOptions = { host: `${url.protocol}//${url.hostname}`, port: Number(url.port) };
  const ca = readFileSync(String(started.caCertificate), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), ca]);
  const token = readFileSync(path.join(kiln.home, "sandbox/principals/owner.github-token"), "utf8");
  github = githubClient(token.trim(), { proxyOptions });
});
afterAll(() => kiln?.dispose());

describe("kiln github connect", () => {
  it("connects, says so, and has nothing to do the second time", async () => {
    await github.repos.createInOrg({ org: "kiln", name: "app", auto_init: true });

    const verify = (env: string) =>
      kiln.run(["github", "verify-environment", env, "--repo", "kiln/app", "--json"]);
    const before = await verify("prod");
    expect(before.exitCode).toBe(5);
    expect(before.json()).toMatchObject({ result: "failed", error: { code: "Unprotected" } });

    const connect = (...more: string[]) =>
      kiln.run(["github", "connect", "kiln/app", "--env", "dev", "prod", ...state, ...more, "--json"]);
    const open = await connect();
    expect(open.exitCode).toBe(2);
    expect(open.json()).toMatchObject({ verb: "github connect", error: { cause: "nobody has to approve" } });
    const reviewer = ["--reviewer", "kiln-contributor"];
    const foreseen = await connect(...reviewer, "--dry-run");
    expect(foreseen.json()).toMatchObject({ result: "foreseen", changes: 24 });
    const first = await connect(...reviewer);
    expect(first.exitCode).toBe(0);
    expect(first.json()).toMatchObject({
      result: "succeeded",
      changes: 24,
      repository: { fullName: "kiln/app" },
      notes: expect.arrayContaining([expect.stringContaining("prod shares its subscription")]),
    });
    expect((await connect()).json()).toMatchObject({ changes: 0 });

    const after = await verify("prod");
    expect(after.exitCode).toBe(0);
    expect(after.json()).toMatchObject({ environment: "prod", protection: { preventSelfReview: true } });
    expect((await verify("pr-7")).json()).toMatchObject({ env: "pr-7", environment: "pr", result: "failed" });
  });

  it.each([
    [["--env", "pr-12", ...state], "pr-12 cannot be connected"],
    [["--env", "dev"], "nobody said where the state lives"],
    [["--env", "dev", ...state, "--cloud", "azure"], "nobody can be asked whether to connect"],
    [["--env", "dev", ...state, "--cloud", "azure", "--yes"], "nobody is signed in to GitHub"],
    [["--env", "prod", ...state, "--reviewer", ..."abcdefg"], "there are too many reviewers"],
  ])("refuses %j before it touches anything", async (args, message) => {
    const env = { GH_TOKEN: "", GITHUB_TOKEN: "", PULUMI_BACKEND_URL: "", KILN_SECRETS_PROVIDER: "" };
    const done = await kiln.run(["github", "connect", "kiln/app", ...args, "--json"], env);
    expect(done.json()).toMatchObject({ result: "failed", error: { message } });
    expect(done.exitCode).toBe(2);
  });

  it("says what it cannot find", async () => {
    const done = await kiln.run(["github", "connect", "kiln/gone", "--env", "dev", ...state, "--json"]);
    expect(done.json()).toMatchObject({ error: { code: "NotOnGitHub" } });
    expect(done.exitCode).toBe(1);
  });
});

describe("kiln github check-run", () => {
  it("tells the job which environment to go through", async () => {
    const output = path.join(kiln.home, "output");
    const env = { GITHUB_OUTPUT: output, KILN_LOCATION: "westus", KILN_MODEL: "gpt-4.1@2025-04-14" };
    const done = await kiln.run(["github", "check-run", "rotate-key", "pr-12", "--json"], env);
    expect(done.exitCode).toBe(0);
    expect(done.json()).toMatchObject({ environment: "pr", region: "westus", model: "gpt-4.1@2025-04-14" });
    expect(readFileSync(output, "utf8")).toBe("environment=pr\n");
  });

  it.each([
    [["destroy", "dev"], {}, '"destroy" is nothing to do'],
    [["up", "production"], {}, "There is no such environment"],
    [["up", "dev\nenvironment=prod"], {}, "There is no such environment"],
    [["up", "prod"], { KILN_LOCATION: "eastus" }, "KILN_LOCATION"],
    [["up", "dev"], { KILN_MODEL: "gpt-5.1" }, "KILN_MODEL"],
  ])("refuses %j with %j", async (args, env, message) => {
    const output = path.join(kiln.home, "refused");
    const done = await kiln.run(["github", "check-run", ...args, "--json"], {
      ...env,
      GITHUB_OUTPUT: output,
    });
    expect(done.exitCode).toBe(2);
    expect(JSON.stringify(done.json().error)).toContain(JSON.stringify(message).slice(1, -1));
    expect(() => readFileSync(output)).toThrow(/ENOENT/);
  });
});
