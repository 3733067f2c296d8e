import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rules } from "../../policies/index.ts";
import { type EchoProvider, startEchoProvider } from "../harness/echo-provider.ts";
import { type TestEngine, testEngine } from "../harness/engine.ts";
import { cases, OPENAI_KEY } from "./cases.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACK = join(HERE, "../../policies");
const FAULTY_PACK = join(HERE, "fixtures/faulty-pack");
const PROGRAM = join(HERE, "fixtures/program");

interface PolicyEvent {
  policyName: string;
  policyPackName: string;
  enforcementLevel: string;
  message: string;
  resourceUrn?: string;
}

let engine: TestEngine;
let provider: EchoProvider;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "kiln-policies-"));
  provider = await startEchoProvider((type, { create }) =>
    type === "command:local:Command" ? { stdout: [...String(create)].reverse().join("") } : {},
  );
  engine = await testEngine();
  const { exitCode, stderr } = await pulumi(["stack", "init"]);
  if (exitCode !== 0) throw new Error(`no stack to preview in: ${stderr}`);
});

afterAll(async () => {
  provider?.stop();
  if (home) await rm(home, { recursive: true, force: true });
});

async function pulumi(args: string[], more: Record<string, string> = {}) {
  const env = {
    PATH: [engine.binDir, dirname(process.execPath), process.env.PATH].join(":"),
    HOME: home,
    PULUMI_HOME: join(home, "pulumi"),
    PULUMI_BACKEND_URL: `file://${home}`,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DEBUG_PROVIDERS: provider.attach("azure-native", "command", "kubernetes"),
    // The engine writes one event per line with this switch; plain --json gives one document without the violations.
    PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
    ...more,
  };
  const options = { cwd: PROGRAM, env, extendEnv: false, reject: false };
  return execa(engine.pulumi, [...args, "--stack", "prod", "--non-interactive"], options);
}

/** Previews one set of cases in the stack `prod` and gives back what the policies said. */
async function preview(set: "pass" | "fail" | "stack" | "project", pack: string) {
  const { exitCode, stdout, stderr } = await pulumi(
    ["preview", "--config-file", join(home, "Pulumi.prod.yaml"), "--policy-pack", pack, "--json"],
    { KILN_TEST_CASES: set },
  );
  const events = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { policyEvent?: PolicyEvent; resourcePreEvent?: unknown });
  return {
    exitCode,
    output: stdout + stderr,
    resources: events.filter(({ resourcePreEvent }) => resourcePreEvent).length,
    violations: events.flatMap(({ policyEvent }) => (policyEvent ? [policyEvent] : [])),
  };
}

const inProd = (kind: "pass" | "fail") =>
  Object.entries(cases).flatMap(([rule, each]) =>
    Object.entries(each[kind])
      .filter(([, { stack = "prod" }]) => stack === "prod")
      .map(([name]) => [rule, name] as const),
  );

describe("the pack on the real engine", () => {
  it("lets every passing case pass", async () => {
    const { exitCode, output, resources, violations } = await preview("pass", PACK);
    expect(violations, output).toEqual([]);
    expect(exitCode, output).toBe(0);
    expect(resources).toBeGreaterThanOrEqual(inProd("pass").length);
  });

  it("stops every failing case, by a mandatory violation that names the resource", async () => {
    const { exitCode, output, violations } = await preview("fail", PACK);
    const said = violations.map(({ policyName, message }) => `${policyName}: ${message}`);
    for (const [rule, name] of inProd("fail"))
      expect(said, `${rule} about ${name}`).toContainEqual(
        expect.stringMatching(new RegExp(`^${rule}: [\\s\\S]*\\n${name} \\(`)),
      );
    for (const name of ["command-wrapped", "command-derived"])
      expect(said).toContainEqual(
        expect.stringMatching(new RegExp(`^no-raw-secrets: [\\s\\S]*\\n${name} \\(`)),
      );
    expect(new Set(violations.map(({ enforcementLevel }) => enforcementLevel))).toEqual(
      new Set(["mandatory"]),
    );
    for (const message of said) expect(message).not.toContain(OPENAI_KEY);
    expect(exitCode, output).not.toBe(0);
  });

  it("judges the finished stack: deployments side by side, a secret that came out", async () => {
    const { exitCode, violations } = await preview("stack", PACK);
    const said = violations.map(({ policyName, message }) => `${policyName}: ${message}`);
    expect(said).toHaveLength(2);
    expect(said).toContainEqual(expect.stringMatching(/^serial-deployments: [\s\S]*\ndeployment-[12] \(/));
    expect(said).toContainEqual(
      expect.stringMatching(
        /^no-raw-secrets: [\s\S]*\ncommand-that-prints \(.*, stdout: an Azure OpenAI key/,
      ),
    );
    for (const message of said) expect(message).not.toContain(OPENAI_KEY);
    expect(exitCode).not.toBe(0);
  });

  it("judges a project of Kubernetes as a whole, before anything of it is made", async () => {
    const { exitCode, violations } = await preview("project", PACK);
    const said = violations.map(({ policyName, message }) => `${policyName}: ${message}`);
    for (const expected of [
      /^quota-with-limit-range: [\s\S]*\nquota \(kubernetes:core\/v1:ResourceQuota/,
      /^inference-within-quota: [\s\S]*\nquota .*need 8Gi \(model 8Gi\)/,
      /^network-reach: [\s\S]*\nproject \(.*egress \(internet\)/,
      /^network-reach: [\s\S]*\nmodel \(.*egress \(API server\): .* since no policy selects it/,
    ])
      expect(said).toContainEqual(expect.stringMatching(expected));
    expect(exitCode).not.toBe(0);
  });

  it("has run every rule both ways", () => {
    const ofStacks = ["serial-deployments", "quota-with-limit-range", "inference-within-quota"];
    const tried = [...Object.keys(cases), ...ofStacks, "exemptions-in-order"];
    expect(tried.sort()).toEqual(rules.map(({ name }) => name).sort());
  });

  it("does not let a broken rule, a broken exemption or an expired one pass", async () => {
    const { exitCode, violations } = await preview("fail", FAULTY_PACK);
    const of = (rule: string) =>
      violations.filter(({ policyName }) => policyName === rule).map(({ message }) => message);
    expect(of("broken")).toContainEqual(
      expect.stringContaining("web-http (azure-native:web:WebApp) could not be judged"),
    );
    expect(of("https-only")).toContainEqual(expect.stringMatching(/web-http .*expired on 2020-02-29/));
    expect(of("exemptions-in-order")).toEqual([
      expect.stringContaining("gives no reason"),
      expect.stringContaining("no readable date"),
    ]);
    expect(violations.map(({ message }) => message).join()).not.toContain("not for the eyes");
    expect(exitCode).not.toBe(0);
  });
});
