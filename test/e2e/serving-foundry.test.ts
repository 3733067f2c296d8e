import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestCheckout, testCheckout } from "../harness/checkout.ts";
import { controlPlane } from "../harness/control-plane.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { RecordedRuns } from "../harness/recorded-runs.ts";
import { DIGEST, SIZE } from "../stacks/serving-samples.ts";
import { project, serve } from "./serving-configuration.ts";

const same = { create: 0, update: 0, delete: 0, replace: 0 };
const agent = {
  image: `quay.io/example/agent@sha256:${DIGEST}`,
  database: { image: `quay.io/sclorg/postgresql-16-c9s@sha256:${DIGEST}` },
  network: { apiServer: { cidrs: ["10.0.0.10/32"] } },
};
const connection = {
  name: "models",
  type: "s3",
  endpoint: "https://s3.example.com",
  bucket: "models",
  accessKeyId: { secret: "fraud-s3-id" },
  secretAccessKey: { secret: "fraud-s3-key" },
};

let checkout: TestCheckout;
let kiln: TestKiln;
let runs: RecordedRuns;
const run = (...args: string[]) => runs.run(...args);
const shell = (script: string) => runs.shell(script);

beforeAll(async () => {
  await controlPlane();
  checkout = testCheckout();
  kiln = await testKiln({ project: checkout.folder });
  runs = new RecordedRuns(kiln, checkout.folder);
});
afterAll(async () => {
  await kiln?.dispose();
  checkout?.dispose();
});

let vault: string;

test("the foundry, a project and the agent come up together: the agent has the foundry's model and its key", async () => {
  serve(checkout, "dev", [project("fraud")], { foundry: {}, serving: { agent } });
  const { stdout } = await run("up", "dev", "--json");
  expect(stdout).toContain('"result": "succeeded"');
  const up = JSON.parse(stdout) as Record<string, unknown>;
  expect(up).toMatchObject({
    region: "eastus",
    violations: [],
    outputs: {
      resourceGroupName: "rg-kiln-dev",
      namespaces: { fraud: "kiln-dev-fraud", agent: "kiln-dev-agent" },
      agentUrl: expect.stringMatching(/^https:/),
    },
  });
  const { keyVaultSecretUri } = up.outputs as { keyVaultSecretUri: string };
  vault = new URL(keyVaultSecretUri).origin;
  expect((await run("preview", "dev", "--json")).json()).toMatchObject({ changes: same });
  const status = (await run("status", "dev", "--json")).json();
  expect(status).toMatchObject({ systems: [{ name: "foundry" }, { name: "serving" }] });
});

test("a connection's keys go from the vault to the project, past everything else", async () => {
  await shell(
    `node --input-type=module -e '
      import { DefaultAzureCredential } from "@azure/identity";
      import { SecretClient } from "@azure/keyvault-secrets";
      const vault = new SecretClient("${vault}", new DefaultAzureCredential());
      await vault.setSecret("fraud-s3-id", "id-of-the-access-key-" + "7".repeat(12));
      await vault.setSecret("fraud-s3-key", "value-of-the-access-key-" + "9".repeat(24));
    '`,
  );
  const fraud = project("fraud");
  const fromStorage = {
    name: "ranker",
    format: { name: "onnx" },
    runtime: "ovms",
    source: { connection: "models", path: "ranker/1" },
    resources: SIZE,
  };
  const network = { egress: [{ cidr: "203.0.113.0/24", ports: [443], pods: "models" }] };
  const projects = [{ ...fraud, network, connections: [connection], models: [...fraud.models, fromStorage] }];
  serve(checkout, "dev", projects, { foundry: {}, serving: { agent } });
  const up = await run("up", "dev", "--json");
  expect(up.stdout).toContain('"result": "succeeded"');
  const keys = await shell(
    "kubectl get secret models -n kiln-dev-fraud -o json | jq -r '.data | keys[]' 2>/dev/null || kubectl get secret models -n kiln-dev-fraud -o jsonpath='{.data}' | tr ',' '\\n' | cut -d'\"' -f2",
  );
  expect(keys.split("\n").sort()).toEqual([
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_S3_BUCKET",
    "AWS_S3_ENDPOINT",
    "AWS_SECRET_ACCESS_KEY",
  ]);
});

test("smoke is content with all of it", async () => {
  const smoke = (await run("smoke", "dev", "--json")).json();
  expect(smoke).toMatchObject({
    result: "passed",
    checks: [{ name: "health" }, { name: "chat" }, { name: "cluster" }],
  });
});

test("no secret is in state, logs or output: neither the key, nor passwords, nor what a person put into the vault", async () => {
  const output = runs.write();
  const scan = await kiln.run(["sandbox", "leak-scan", kiln.home, "--json"]);
  expect(scan.json()).toMatchObject({ leaks: [] });
  const hits = await execa(
    "grep",
    ["-rlE", "7{12}|9{24}", path.join(kiln.home, "sandbox", "state"), output],
    {
      reject: false,
    },
  );
  expect(hits.stdout).toBe("");
});

test("down leaves nothing, in the cloud or in the cluster", async () => {
  expect((await run("down", "dev", "--json")).json()).toMatchObject({ existed: true, remaining: [] });
  expect(await shell("kubectl get namespaces,clusterrole,clusterrolebinding -l env=dev -o name")).toBe("");
});
