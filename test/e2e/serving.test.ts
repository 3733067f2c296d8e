import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestCheckout, testCheckout } from "../harness/checkout.ts";
import { controlPlane } from "../harness/control-plane.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { RecordedRuns } from "../harness/recorded-runs.ts";
import { project, serve } from "./serving-configuration.ts";

const same = { create: 0, update: 0, delete: 0, replace: 0 };

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
  serve(checkout, "dev", [project("fraud"), project("churn", ["leaver"])]);
});
afterAll(async () => {
  await kiln?.dispose();
  checkout?.dispose();
});

test("up builds projects and models, and tells where they are", async () => {
  const up = await run("up", "dev", "--json");
  expect(up.stderr).toBe("");
  expect(up.json()).toMatchObject({
    result: "succeeded",
    violations: [],
    changes: { update: 0, delete: 0, replace: 0, same: 0 },
    outputs: {
      namespaces: { fraud: "kiln-dev-fraud", churn: "kiln-dev-churn" },
      modelUrls: {
        "fraud/scorer": expect.stringContaining("kiln-dev-fraud"),
        "churn/leaver": expect.stringContaining("kiln-dev-churn"),
      },
    },
  });
  expect(up.json()).not.toHaveProperty("region");
});

test("on record are the outputs of the environment and of its resources, and none of components", async () => {
  const { deployment } = JSON.parse(await shell("pulumi stack export --stack dev")) as {
    deployment: { resources: { type: string; outputs?: object }[] };
  };
  const told = deployment.resources.filter(({ outputs = {} }) => Object.keys(outputs).length > 0);
  const types = new Set(told.map(({ type }) => type.split(":")[0]));
  expect(types).toEqual(new Set(["pulumi", "kubernetes"]));
  expect(told.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs).toMatchObject({
    namespaces: { fraud: "kiln-dev-fraud" },
  });
});

test("up again, and a preview, change nothing", async () => {
  expect((await run("up", "dev", "--json")).json()).toMatchObject({ changes: same });
  expect((await run("preview", "dev", "--json")).json()).toMatchObject({ changes: same, violations: [] });
});

test("kubectl, in the shell that kiln env sets up, shows everything", async () => {
  const models = await shell("kubectl get inferenceservices -A -l env=dev -o name --show-kind");
  expect(models.split("\n").sort()).toEqual([
    "inferenceservice.serving.kserve.io/leaver",
    "inferenceservice.serving.kserve.io/scorer",
  ]);
  const all = JSON.parse(
    await shell("kubectl get resourcequota,limitrange,networkpolicy -n kiln-dev-fraud -o json"),
  );
  const kinds = new Set((all.items as { kind: string }[]).map(({ kind }) => kind));
  expect(kinds).toEqual(new Set(["ResourceQuota", "LimitRange", "NetworkPolicy"]));
});

test("status, list and smoke say how it is in the cluster", async () => {
  const status = (await run("status", "dev", "--json")).json();
  expect(status).toMatchObject({ result: "up", systems: [{ name: "serving" }] });
  const [serving] = status.systems as { resources: { type: string; state: string }[] }[];
  expect(new Set(serving?.resources.map(({ state }) => state))).toEqual(new Set(["Ready"]));
  expect((await run("smoke", "dev", "--json")).json()).toMatchObject({
    result: "passed",
    checks: [{ name: "cluster" }],
  });
  expect((await run("list", "--json")).json()).toMatchObject({
    environments: [
      { env: "dev", result: "up", ageMs: expect.any(Number), drift: { missing: [], unknown: [] } },
    ],
  });
});

test("there is no key to rotate, and it says so", async () => {
  const rotation = await run("rotate-key", "dev", "--json");
  expect(rotation.exitCode).toBe(1);
  expect(rotation.json()).toMatchObject({ error: { code: "NoKey" } });
});

test("a model is changed in place, and nothing else", async () => {
  const fraud = project("fraud");
  const models = fraud.models.map((model) => ({ ...model, displayName: "Fraud scores" }));
  serve(checkout, "dev", [{ ...fraud, models }, project("churn", ["leaver"])]);
  const up = (await run("up", "dev", "--json")).json();
  expect(up).toMatchObject({ changes: { ...same, update: 1 } });
  const name = await shell(
    "kubectl get inferenceservice scorer -n kiln-dev-fraud -o jsonpath='{.metadata.annotations.openshift\\.io/display-name}'",
  );
  expect(name).toBe("Fraud scores");
});

test("what someone deleted by hand up notices and makes anew", async () => {
  await shell("kubectl delete inferenceservice leaver -n kiln-dev-churn --wait");
  expect((await run("status", "dev", "--json")).stdout).toContain('"Missing"');
  expect((await run("smoke", "dev")).exitCode).toBe(5);
  const up = await run("up", "dev");
  expect(up.stderr).toMatch(/leaver: on record, but gone/);
  expect((await run("smoke", "dev")).exitCode).toBe(0);
});

test("a field that someone else manages is told as that, and stays theirs", async () => {
  await shell(
    "kubectl apply --server-side --field-manager=somebody --force-conflicts -f - <<'YAML'\n" +
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: { name: quota, namespace: kiln-dev-fraud }\nspec: { hard: { pods: '7' } }\nYAML",
  );
  const fraud = { ...project("fraud"), quota: { pods: 9 } };
  serve(checkout, "dev", [fraud, project("churn", ["leaver"])]);
  const up = await run("up", "dev", "--json");
  expect(up.exitCode).toBe(1);
  expect(up.json()).toMatchObject({
    error: { code: "FieldConflict", cause: expect.stringContaining("somebody") },
  });
  expect(
    await shell("kubectl get resourcequota quota -n kiln-dev-fraud -o jsonpath='{.spec.hard.pods}'"),
  ).toBe("7");
  await shell("kubectl delete resourcequota quota -n kiln-dev-fraud --wait");
  expect((await run("up", "dev")).exitCode).toBe(0);
});

test("a configuration that cannot fit is refused before anything is touched", async () => {
  const fraud = project("fraud", ["one", "two", "three", "four", "five"]);
  serve(checkout, "dev", [{ ...fraud, quota: { requests: { cpuCores: 1, memoryGib: 8 } } }]);
  const up = await run("up", "dev", "--json");
  expect(up.exitCode).toBe(2);
  expect(up.json()).toMatchObject({
    error: {
      code: "InvalidConfiguration",
      message: expect.stringContaining("kiln:serving.projects[0].quota.requests.cpuCores is 1"),
    },
  });
});

test("a quota that others have used up is told in plain words", async () => {
  serve(checkout, "dev", [project("fraud"), project("churn", ["leaver"])]);
  await run("up", "dev");
  // Someone's own pods in the project, which no configuration knows of.
  await shell(
    "kubectl create deployment theirs -n kiln-dev-churn --image=registry.example/theirs@sha256:" +
      `${"0".repeat(64)} --replicas=1 --dry-run=client -o json | ` +
      'sed \'s/"resources": {}/"resources": {"requests":{"cpu":"6","memory":"1Gi"},"limits":{"cpu":"14","memory":"1Gi"}}/\' | kubectl apply -f -',
  );
  await shell("kubectl wait --for=condition=Available deployment/theirs -n kiln-dev-churn --timeout=120s");
  const late = { ...project("churn", ["late"]).models[0], patienceSeconds: 10 };
  const churn = project("churn", ["leaver"]);
  serve(checkout, "dev", [
    project("fraud"),
    { ...churn, models: [...churn.models, { ...late, replicas: { min: 2 } }] },
  ]);
  const up = await run("up", "dev", "--json");
  expect(up.exitCode).toBe(1);
  expect(up.json()).toMatchObject({ error: { code: "ProjectQuotaExceeded" } });
  const status = await run("status", "dev", "--json");
  expect(status.stdout).toMatch(/exceeded quota/);
});

test("down leaves no namespace, and the receipt says so; a second one finds nothing", async () => {
  serve(checkout, "dev", [project("fraud"), project("churn", ["leaver"])]);
  const before = await shell("kubectl get namespaces -l env=dev -o name");
  expect(before.split("\n")).toHaveLength(2);
  const down = await run("down", "dev", "--json");
  expect(down.json()).toMatchObject({ existed: true, purged: [], remaining: [] });
  expect(await shell("kubectl get namespaces -l env=dev -o name")).toBe("");
  await run("down", "dev");
  expect((await run("status", "dev", "--json")).json()).toMatchObject({ result: "down", systems: [] });
});

test("a namespace that is there without a record is named in the receipt", async () => {
  await shell(
    "kubectl create namespace kiln-dev-stray && kubectl label namespace kiln-dev-stray env=dev app.kubernetes.io/managed-by=kiln",
  );
  const down = (await run("down", "dev", "--json")).json();
  expect(down).toMatchObject({ remaining: [{ what: "namespace", name: "kiln-dev-stray" }] });
  await shell("kubectl delete namespace kiln-dev-stray --wait");
});

test("no secret is in state, logs or output", async () => {
  runs.write();
  const scan = await kiln.run(["sandbox", "leak-scan", kiln.home, "--json"]);
  expect(scan.json()).toMatchObject({ leaks: [] });
});
