import { expect, test, vi } from "vitest";
import { KubeClient } from "../../sandbox/providers/kubernetes/client.ts";
import { expectNotOnDisk } from "../harness/engine-program.ts";
import { configFile, home, kube, pulumi, useKubernetesEngine } from "./kubernetes-engine.ts";

/*
 * The provider under the real engine with the real SDK, before a real API server: one stack's life, step by step.
 */

const word = "a-word-nobody-may-see";
const words = [word, Buffer.from(word).toString("base64")];
/** The namespace that the program made. */
let at: string;

useKubernetesEngine({ program: "kubernetes-program", secrets: words });

/** The program's configuration; the engine keeps what it is given. */
const given = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => ["--config", `${name}=${value}`]);

const run = (...args: string[]) => pulumi(...args, "--yes", "--skip-preview", ...configFile());

async function up(values: Record<string, string> = {}): Promise<string> {
  const { exitCode, all } = await run("up", ...given(values));
  expect(exitCode, all).toBe(0);
  return all;
}

/** What a preview would do, by resource name, without what stays. */
async function preview(values: Record<string, string> = {}): Promise<Record<string, string>> {
  const { exitCode, stdout, all } = await pulumi("preview", "--json", ...configFile(), ...given(values));
  expect(exitCode, all).toBe(0);
  const { steps } = JSON.parse(stdout) as {
    steps: { op: string; urn: string; detailedDiff?: Record<string, { kind: string }> }[];
  };
  const shown = steps.filter((step) => step.op !== "same" && !step.urn.includes("pulumi:pulumi:Stack"));
  return Object.fromEntries(
    shown.map((step) => {
      const diff = Object.entries(step.detailedDiff ?? {}).map(([at, { kind }]) => ` ${at}:${kind}`);
      return [
        step.urn.split("::").slice(2).join("::").split(":").slice(2).join(":"),
        `${step.op}${diff.join("")}`,
      ];
    }),
  );
}

interface Exported {
  readonly urn: string;
  readonly inputs?: Record<string, unknown>;
  readonly initErrors?: string[];
}

async function resource(name: string): Promise<Exported | undefined> {
  const { stdout } = await pulumi("stack", "export");
  const { deployment } = JSON.parse(stdout) as { deployment: { resources?: Exported[] } };
  return deployment.resources?.find((each) => each.urn.endsWith(`:${name}`));
}

async function outputs(): Promise<{ at: string; address: string; settings: string }> {
  return JSON.parse((await pulumi("stack", "output", "--json")).stdout) as Awaited<
    ReturnType<typeof outputs>
  >;
}

async function kubectl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await kube.kubectl(args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

async function values(kind: string, name: string, jsonpath: string): Promise<string> {
  return kubectl("-n", at, "get", kind, name, "-o", `jsonpath=${jsonpath}`);
}

test("a preview of a first up makes nothing", async () => {
  const planned = await preview();
  expect(Object.keys(planned)).toHaveLength(9);
  expect(new Set(Object.values(planned))).toEqual(new Set(["create"]));
  expect(await kubectl("get", "namespaces", "-o", "name")).not.toContain("namespace/project-");
});

test("an up makes all of it, and waits for what has to be ready", async () => {
  await up();
  const made = await outputs();
  at = made.at;
  expect(at).toMatch(/^project-[0-9a-f]+$/);
  expect(made.address).toMatch(/^\d+\./);
  expect(await values("deployment", "web", "{.status.availableReplicas}")).toBe("1");
  expect(await values("secret", "key", "{.data.word}")).toBe(words[1]);
});

test("a second preview asks the API server for nothing", async () => {
  const sent = vi.spyOn(KubeClient.prototype, "send");
  expect(await preview()).toEqual({});
  expect(sent).not.toHaveBeenCalled();
  sent.mockRestore();
});

test("nothing drifts by itself", async () => {
  const { exitCode, all } = await run("refresh", "--expect-no-changes");
  expect(exitCode, all).toBe(0);
});

test("labels and replicas change in place; data of a ConfigMap takes a new one, the new name first", async () => {
  const before = await outputs();
  expect(await preview({ step: "2", team: "b", replicas: "2" })).toEqual({
    "Namespace::project": "update metadata.labels.team:update",
    "ConfigMap::named": "update metadata.labels.step:update",
    "ConfigMap::auto": expect.stringMatching(/^(create-)?replace.*data.step:update-replace/),
    "Deployment::web": expect.stringContaining("spec.replicas:update"),
  });
  await up();
  const after = await outputs();
  expect(after.at).toBe(before.at);
  expect(after.settings).not.toBe(before.settings);
  expect(await values("deployment", "web", "{.spec.template.spec.containers[0].env[0].value}")).toBe(
    after.settings,
  );
  expect((await kube.kubectl(["-n", at, "get", "configmap", before.settings])).exitCode).toBe(1);
});

test("what was changed by hand comes into state by a refresh, and the next up puts it right", async () => {
  await kubectl("-n", at, "patch", "deployment", "web", "-p", '{"spec":{"replicas":1}}');
  const { exitCode, all } = await run("refresh");
  expect(exitCode, all).toBe(0);
  expect((await resource("Deployment::web"))?.inputs).toMatchObject({ spec: { replicas: 1 } });
  // As with the real provider: a preview leaves kubectl its fields, and an update takes them over.
  expect((await pulumi("preview", ...configFile())).all).toContain('conflict with "kubectl-patch"');
  await up();
  expect(await values("deployment", "web", "{.spec.replicas}")).toBe("2");
});

test("a change that another made first is a conflict in preview and up, until it is forced", async () => {
  const rival = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: named, namespace: ${at}, labels: {step: rival}}\n`;
  const args = ["apply", "--server-side", "--force-conflicts", "--field-manager=rival", "-f", "-"];
  expect((await kube.kubectl(args, { input: rival })).exitCode).toBe(0);
  const conflict = /conflict with "rival": \.metadata\.labels\.step/;
  expect((await pulumi("preview", ...configFile(), ...given({ step: "3" }))).all).toMatch(conflict);
  const refused = await run("up");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.all).toMatch(conflict);
  await up({ force: "yes" });
  expect(await values("configmap", "named", "{.metadata.labels.step}")).toBe("3");
});

test("more than the quota allows fails with the quota's words; state keeps it, and the next up heals it", async () => {
  const { exitCode, all } = await run("up", ...given({ replicas: "6", patience: "10" }));
  expect(exitCode).not.toBe(0);
  expect(all).toContain("failed to fully initialize or become live");
  expect(all).toContain("exceeded quota: pods, requested: pods=1, used: pods=4, limited: pods=4");
  const { initErrors = [] } = (await resource("Deployment::web")) ?? {};
  expect(initErrors[0]).toMatch(/::web" was successfully created|"[^"]+\/web" failed to fully initialize/);
  expect(initErrors.join("\n")).toContain("exceeded quota");
  await up({ replicas: "2", patience: "60" });
  expect(await values("deployment", "web", "{.status.availableReplicas}")).toBe("2");
});

test("what the API server holds to be invalid is refused by the preview", async () => {
  const { exitCode, all } = await pulumi("preview", ...configFile(), ...given({ size: "10" }));
  expect(exitCode).not.toBe(0);
  expect(all).toContain("spec.size: Invalid value: 10");
});

test("what exists can be adopted by its id", async () => {
  await kubectl("-n", at, "create", "configmap", "adopted", "--from-literal=by=hand");
  await up({ adopted: `${at}/adopted`, size: "2" });
  expect((await resource("adopted"))?.inputs).toMatchObject({ data: { by: "hand" } });
});

test("an API server that is killed in the middle of an up is waited for", async () => {
  const { "kube-apiserver": pid = Number.NaN } = await kube.pids();
  const sent = vi.spyOn(KubeClient.prototype, "send");
  const going = up({ many: "40" });
  await vi.waitUntil(() => sent.mock.calls.length > 10, { timeout: 120_000, interval: 5 });
  process.kill(pid, "SIGKILL");
  sent.mockRestore();
  await going;
  expect((await values("configmap", "many-39", "{.data.index}")).trim()).toBe("39");
  expect(await preview()).toEqual({});
});

test("nothing on disk shows a secret", async () => {
  await expectNotOnDisk(home, words);
});

test("a destroy leaves nothing", async () => {
  const { exitCode, all } = await run("destroy");
  expect(exitCode, all).toBe(0);
  expect((await kube.kubectl(["get", "namespace", at])).stderr).toContain("NotFound");
  expect((await kube.kubectl(["get", "crd", "gadgets.probe.kiln"])).stderr).toContain("NotFound");
});
