import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type TestCheckout, testCheckout } from "../harness/checkout.ts";
import { controlPlane } from "../harness/control-plane.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { project, serve } from "./serving-configuration.ts";

const nothing = { create: 0, update: 0, delete: 0, replace: 0 };

let checkout: TestCheckout;
let kiln: TestKiln;

beforeAll(async () => {
  await controlPlane();
  checkout = testCheckout();
  kiln = await testKiln({ project: checkout.folder });
  serve(checkout, "pr-7", [project("fraud"), project("churn", ["leaver"])]);
});
afterAll(async () => {
  await kiln?.dispose();
  checkout?.dispose();
});

/** Brings the environment up after whatever happened to it, and proves that it is whole. */
async function expectHealed(): Promise<void> {
  const up = await kiln.run(["up", "pr-7", "--json"]);
  expect(up.stdout).toContain('"result": "succeeded"');
  expect((await kiln.run(["up", "pr-7", "--json"])).json()).toMatchObject({ changes: nothing });
  expect((await kiln.run(["smoke", "pr-7"])).exitCode).toBe(0);
}

async function namespaces(): Promise<string> {
  const { kubectl } = (await controlPlane()).binaries;
  const { kubeconfig } = (await kiln.run(["sandbox", "kubernetes", "status", "--json"])).json();
  const args = ["--kubeconfig", String(kubeconfig), "get", "namespaces", "-l", "env=pr-7", "-o", "name"];
  return (await execa(kubectl, args)).stdout;
}

test("what a run made and could not record is the next one's own, and can be changed", async () => {
  const change = (displayName: string) => {
    const fraud = project("fraud");
    const models = fraud.models.map((model) => ({ ...model, displayName }));
    serve(checkout, "pr-7", [{ ...fraud, models }, project("churn", ["leaver"])]);
  };
  const shell = async (script: string) => {
    const options = { cwd: checkout.folder, env: { KILN_HOME: kiln.home } };
    return (await execa("sh", ["-c", `eval "$(node scripts/kiln.mjs env pr-7)"\n${script}`], options)).stdout;
  };
  await expectHealed();
  // As if the engine had been gone before it heard that the model was made.
  await shell(
    "pulumi state delete --yes \"$(pulumi stack --show-urns | grep -o 'urn:.*::fraud.scorer$' | tail -1)\"",
  );
  change("made anew");
  await expectHealed();
  change("and changed");
  await expectHealed();
  const managers = await shell(
    "kubectl get inferenceservice scorer -n kiln-pr-7-fraud --show-managed-fields -o jsonpath='{.metadata.managedFields[?(@.operation==\"Apply\")].manager}'",
  );
  expect(managers).toBe("kiln-pr-7");
  serve(checkout, "pr-7", [project("fraud"), project("churn", ["leaver"])]);
  expect((await kiln.run(["down", "pr-7", "--json"])).json()).toMatchObject({ remaining: [] });
});

describe("kill -9 in the middle of up, then up", () => {
  afterEach(async () => {
    expect((await kiln.run(["down", "pr-7", "--json"])).json()).toMatchObject({ remaining: [] });
    expect(await namespaces()).toBe("");
  });

  test.each([
    ["the command and the engine, while namespaces are made", /Bringing up/, 1],
    ["the command and the engine, while models get ready", /✓ created/, 20],
  ] as const)("%s", async (_what, pattern, times) => {
    const up = kiln.start(["up", "pr-7"]);
    await up.saw(pattern, times);
    await up.kill("group");
    await expectHealed();
  });

  test("and down at once, in place of up", async () => {
    const up = kiln.start(["up", "pr-7"]);
    await up.saw(/✓ created/, 6);
    await up.kill("group");
  });
});

test("the control plane killed in the middle of up: it comes back, and the environment is whole in the end", async () => {
  const up = kiln.start(["up", "pr-7", "--json"]);
  // Begun, as soon as a namespace is there.
  for (;;) {
    const found = await namespaces().catch(() => "");
    if (found !== "") break;
    if (up.child.exitCode !== null) break;
  }
  const { processes } = (await kiln.run(["sandbox", "kubernetes", "status", "--json"])).json() as {
    processes: { name: string; pid?: number }[];
  };
  for (const name of ["etcd", "kube-apiserver"]) {
    const pid = processes.find((each) => each.name === name)?.pid;
    expect(pid, name).toBeDefined();
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
  const { exitCode, stdout } = await up.done;
  // Either it waited until the server was back, or it says what is wrong.
  if (exitCode !== 0) expect(JSON.parse(stdout)).toMatchObject({ error: { code: expect.any(String) } });
  await expectHealed();
});

test("two runs at once: one works, the other says who holds the environment", async () => {
  serve(checkout, "pr-7", [project("fraud"), project("churn", ["leaver", "stayer"])]);
  const up = kiln.start(["up", "pr-7"]);
  await up.saw(/Bringing up/);
  const second = await kiln.run(["up", "pr-7", "--json"]);
  expect(second.exitCode).toBe(4);
  expect(second.json()).toMatchObject({ result: "failed", error: { code: "Locked" } });
  expect((await up.done).exitCode).toBe(0);
});

test("kill -9 in the middle of down, then down", async () => {
  const down = kiln.start(["down", "pr-7"]);
  await down.saw(/✓ deleted/);
  await down.kill("group");
  expect((await kiln.run(["down", "pr-7", "--json"])).json()).toMatchObject({
    result: "succeeded",
    remaining: [],
  });
  expect(await namespaces()).toBe("");
});

test("serving that is switched off is taken away by the next up", async () => {
  serve(checkout, "pr-7", [project("fraud")]);
  expect((await kiln.run(["up", "pr-7"])).exitCode).toBe(0);
  serve(checkout, "pr-7", [project("fraud")], { serving: { enabled: false } });
  expect((await kiln.run(["up", "pr-7", "--json"])).json()).toMatchObject({ result: "succeeded" });
  expect(await namespaces()).toBe("");
  expect((await kiln.run(["down", "pr-7", "--json"])).json()).toMatchObject({ remaining: [] });
});
