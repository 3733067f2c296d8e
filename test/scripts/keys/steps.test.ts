import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RestError } from "@azure/core-rest-pipeline";
import { unzipSync } from "fflate";
import { afterEach, describe, expect, it } from "vitest";
import { stepLine } from "../../../components/azure/step.ts";
import { KilnError } from "../../../scripts/lib/errors.ts";
import { adopt } from "../../../scripts/steps/adopt-settings.ts";
import { deployBackend } from "../../../scripts/steps/deploy-backend.ts";
import { keySync } from "../../../scripts/steps/key-sync.ts";
import { zipFolder } from "../../../scripts/steps/lib/package.ts";
import { publishZip } from "../../../scripts/steps/lib/publish.ts";
import { runStep, type Step, type StepContext, usage } from "../../../scripts/steps/lib/run.ts";
import { settle } from "../../../scripts/steps/settle-references.ts";
import { KEY1, patience } from "./fakes.ts";
import { ARM_TOKEN, credential, Wire } from "./wire.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folder(files: Record<string, string>): string {
  const made = mkdtempSync(join(tmpdir(), "kiln-steps-"));
  folders.push(made);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(made, name, ".."), { recursive: true });
    writeFileSync(join(made, name), content);
  }
  return made;
}

/** Runs a step against a cloud on a wire. */
async function runOn(wire: Wire, step: Step, ...args: string[]) {
  const out: string[] = [];
  const context: StepContext = {
    credential: async () => credential,
    patience: () => patience(),
    clientOptions: { httpClient: wire },
  };
  const streams = { out: (line: string) => out.push(line), err: (line: string) => out.push(line) };
  expect([await runStep("a-step", step, args, streams, context), out]).toEqual([0, [expect.any(String)]]);
  return JSON.parse(out[0] ?? "");
}

async function run(step: Step, ...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runStep("a-step", step, args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err: err.join("\n") };
}

const echo: Step = {
  summary: "Gives back its flags.",
  flags: {
    name: { value: "NAME" },
    tag: { value: "K=V", many: true, optional: true },
    days: { value: "DAYS", optional: true },
  },
  run: async (flags) => ({
    name: flags.one("name"),
    tags: flags.pairs("tag"),
    days: flags.whole("days", 7, 1, 9),
  }),
};

describe("runStep", () => {
  it("prints one line of JSON and nothing else", async () => {
    const done = await run(echo, "--name=x", "--tag=a=1=2", "--tag=b=", "--days=9");
    expect(done).toEqual({ code: 0, out: ['{"name":"x","tags":{"a":"1=2","b":""},"days":9}'], err: "" });
    expect((await run(echo, "--name=x")).out).toEqual(['{"name":"x","tags":{},"days":7}']);
  });

  it.each([
    [[], /--name missing/],
    [["--name="], /--name empty/],
    [["--name=x", "--nmae=y"], /Unknown option '--nmae'/],
    [["--name=x", "extra"], /positional/],
    [["--name=x", "--tag=noequals"], /--tag takes NAME=VALUE/],
    [["--name=x", "--days=10"], /--days takes a whole number from 1 to 9/],
    [["--name=x", "--days=1.5"], /--days takes a whole number/],
  ])("is wrong usage, 2, with %j", async (args, message) => {
    const { code, out, err } = await run(echo, ...args);
    expect([code, out]).toEqual([2, []]);
    expect(err).toMatch(message);
    expect(err).toContain(usage("a-step", echo));
  });

  it("tells a failure in three parts and without keys", async () => {
    const failing = (error: unknown): Step => ({ ...echo, run: () => Promise.reject(error) });
    const own = new KilnError({ code: "C", message: "It failed", cause: "Because", next: "Do this" });
    expect(await run(failing(own), "--name=x")).toEqual({
      code: 1,
      out: [],
      err: "It failed\n  why: Because\n  next: Do this",
    });
    const other = await run(failing(new Error(`request had ${KEY1}`)), "--name=x");
    expect([other.code, other.err.includes(KEY1)]).toEqual([1, false]);
  });
});

describe("the steps", () => {
  const steps = {
    "key-sync": keySync,
    "settle-references": settle,
    "deploy-backend": deployBackend,
    "adopt-settings": adopt,
  };

  it.each(Object.entries(steps))("%s says how it is called", async (_, step) => {
    expect(await run(step)).toMatchObject({
      code: 2,
      out: [],
      err: expect.stringMatching(/missing\nusage: node scripts\/steps\//),
    });
  });

  it("run from the folder the engine runs them in", () => {
    const line = stepLine("key-sync", {});
    const env = { PATH: `${join(process.execPath, "..")}:${process.env.PATH ?? ""}` };
    const done = spawnSync("/bin/sh", ["-c", line], { cwd: join(ROOT, "stacks"), env, encoding: "utf8" });
    expect([done.status, done.stdout]).toEqual([2, ""]);
    expect(done.stderr).toMatch(/^key-sync: --subscription/);
    const elsewhere = spawnSync("/bin/sh", ["-c", line], {
      cwd: tmpdir(),
      env: { ...env, KILN_PROJECT_DIR: ROOT },
      encoding: "utf8",
    });
    expect(elsewhere.status).toBe(2);
  });

  const PROVIDERS = "management.azure.com/subscriptions/s/resourceGroups/rg/providers";
  const FUNC = `${PROVIDERS}/Microsoft.Web/sites/func`;
  const target = ["--subscription=s", "--resource-group=rg"];

  it("key-sync prints the slot and the address, and never the key", async () => {
    const wire = new Wire()
      .on(`POST ${PROVIDERS}/Microsoft.CognitiveServices/accounts/oai/listKeys`, {
        status: 200,
        body: { key1: "1", key2: KEY1 },
      })
      .on("GET kv.vault.azure.net/secrets/S/", {
        status: 200,
        body: { value: KEY1, id: "https://kv.vault.azure.net/secrets/S/v", attributes: { created: 1 } },
      });
    const flags = ["--account=oai", "--vault=https://kv.vault.azure.net/", "--secret=S", "--tag=env=dev"];
    expect(await runOn(wire, keySync, ...target, ...flags)).toEqual({
      slot: "key2",
      secretUri: "https://kv.vault.azure.net/secrets/S",
    });
  });

  it("settle-references prints what is settled", async () => {
    const wire = new Wire()
      .on(`POST ${FUNC}/config/configreferences/appsettings/refresh`, { status: 200 })
      .on(`GET ${FUNC}/config/configreferences/appsettings/A`, {
        status: 200,
        body: { properties: { status: "Resolved" } },
      });
    expect(await runOn(wire, settle, ...target, "--app=func", "--setting=A")).toEqual({ settled: ["A"] });
  });

  it("adopt-settings merges, and takes out again", async () => {
    const wire = new Wire()
      .on(`GET ${FUNC}`, { status: 200, body: { location: "x", identity: { type: "SystemAssigned" } } })
      .on(`POST ${FUNC}/config/appsettings/list`, {
        status: 200,
        body: { properties: { THEIRS: "1", OURS: "old" } },
      })
      .on(`PUT ${FUNC}/config/appsettings`, { status: 200, body: {} });
    const writes = () => wire.requests.filter(({ method }) => method === "PUT").map(({ body }) => body);
    expect(await runOn(wire, adopt, ...target, "--app=func", "--set=OURS=2")).toEqual({
      app: "func",
      changed: true,
    });
    expect(await runOn(wire, adopt, ...target, "--app=func", "--remove=OURS")).toEqual({
      app: "func",
      changed: true,
    });
    expect(writes()).toEqual([
      expect.objectContaining({ properties: { THEIRS: "1", OURS: "2" } }),
      expect.objectContaining({ properties: { THEIRS: "1" } }),
    ]);
  });

  it("deploy-backend publishes the folder", async () => {
    const wire = new Wire().on("POST func.scm.azurewebsites.net/api/publish", { status: 200 });
    const flags = ["--app=func", "--source=labs/foundry-backend", "--content-hash=h"];
    expect(await runOn(wire, deployBackend, ...flags)).toEqual({ app: "func", contentHash: "h" });
    const files = Object.keys(unzipSync(wire.requests[0]?.body as Uint8Array));
    expect(files).toEqual(
      expect.arrayContaining(["host.json", "server.ts", "chat/function.json", "health/function.json"]),
    );
  });

  it("adopt-settings wants either --set or --remove", async () => {
    const one = [...target, "--app=a"];
    expect(await run(adopt, ...one)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/either --set or --remove/),
    });
    expect(await run(adopt, ...one, "--set=A=1", "--remove=B")).toMatchObject({ code: 2 });
  });

  it("deploy-backend refuses a folder that is not there", async () => {
    const failed = await run(deployBackend, "--app=a", "--source=labs/none", "--content-hash=h");
    expect(failed).toMatchObject({ code: 1, err: expect.stringMatching(/ENOENT/) });
  });
});

describe("zipFolder", () => {
  it("gives the same bytes for the same content, and all files", () => {
    const one = folder({ "host.json": "{}", "health/function.json": "[]" });
    const two = folder({ "health/function.json": "[]", "host.json": "{}" });
    utimesSync(join(two, "host.json"), 1, 1);
    expect(zipFolder(two)).toEqual(zipFolder(one));
    expect(Object.keys(unzipSync(zipFolder(one)))).toEqual(["health/function.json", "host.json"]);
  });

  it("refuses an empty folder", () => {
    expect(() => zipFolder(folder({}))).toThrow(/nothing to deploy/);
  });
});

describe("publishZip", () => {
  const SITE = "func.scm.azurewebsites.net";
  const zip = new Uint8Array([1, 2, 3]);
  const publish = (wire: Wire, waiting = patience()) =>
    publishZip({ app: "func", credential, patience: waiting, httpClient: wire }, zip);

  it("is done where the site says so at once", async () => {
    const wire = new Wire().on(`POST ${SITE}/api/publish`, { status: 200 });
    await publish(wire);
    expect(wire.requests).toEqual([expect.objectContaining({ token: ARM_TOKEN, body: zip })]);
  });

  it("waits until an accepted deployment is in place", async () => {
    const wire = new Wire()
      .on(`POST ${SITE}/api/publish`, { status: 202 })
      .on(
        `GET ${SITE}/api/deployments/latest`,
        { status: 404 },
        { status: 202, body: { status: 1, complete: false } },
        { status: 200, body: { status: 4, complete: true } },
      );
    const waiting = patience();
    await publish(wire, waiting);
    expect(waiting.clock.sleeps).toHaveLength(2);
  });

  it("fails with what the site says of a failed deployment", async () => {
    const wire = new Wire()
      .on(`POST ${SITE}/api/publish`, { status: 202 })
      .on(`GET ${SITE}/api/deployments/latest`, {
        status: 200,
        body: { status: 3, status_text: "no host.json" },
      });
    await expect(publish(wire)).rejects.toMatchObject({
      code: "DeploymentFailed",
      cause: "the deployment failed: no host.json",
    });
  });

  it("waits for a site that is not up, or busy, and for no refusal", async () => {
    const wire = new Wire().on(`POST ${SITE}/api/publish`, { status: 404 }, { status: 409 }, { status: 200 });
    const waiting = patience();
    await publish(wire, waiting);
    expect(waiting.told).toEqual([
      expect.stringMatching(/not up yet/),
      expect.stringMatching(/another deployment/),
    ]);
    const refused = new Wire().on(`POST ${SITE}/api/publish`, { status: 403, body: "no" });
    await expect(publish(refused)).rejects.toMatchObject({
      cause: "its deployment site answered with status 403.",
    });
  });

  it("waits for a site that has no address yet", async () => {
    const wire = new Wire().on(`POST ${SITE}/api/publish`, { status: 200 });
    const send = wire.sendRequest.bind(wire);
    const unresolved = [new RestError("no address", { code: "ENOTFOUND" })];
    // The SDK itself would retry, in real time; what is left after that is thrown.
    const waiting = patience();
    await publishZip(
      {
        app: "func",
        credential: {
          getToken: (scopes, options) => {
            const error = unresolved.pop();
            return error === undefined ? credential.getToken(scopes, options) : Promise.reject(error);
          },
        },
        patience: waiting,
        httpClient: { sendRequest: send },
      },
      zip,
    );
    expect(waiting.told).toEqual([expect.stringMatching(/has no address yet/)]);
  });
});
