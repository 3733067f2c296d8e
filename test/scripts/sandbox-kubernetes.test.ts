import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlPlane } from "../harness/control-plane.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

let kiln: TestKiln;

beforeAll(async () => {
  await controlPlane();
  kiln = await testKiln();
});
afterAll(() => kiln?.dispose());

const kubernetes = (...args: string[]) => kiln.run(["sandbox", "kubernetes", ...args]);

test("start makes the sandbox and its cluster, and says where all is; stop keeps what there is", async () => {
  const early = await kubernetes("kubeconfig", "--json");
  expect(early.exitCode).toBe(1);
  expect(early.json()).toMatchObject({ error: { code: "SandboxNotRunning" } });
  expect((await kubernetes("stop")).exitCode).toBe(0);
  const none = await kubernetes("status", "--json");
  expect([none.exitCode, none.json()]).toEqual([0, { running: false, state: "stopped" }]);

  const started = await kubernetes("start", "--json");
  expect(started.stderr).toBe("");
  const status = started.json() as { server: string; kubeconfig: string };
  expect(status).toMatchObject({ running: true, state: "running", context: "kiln-sandbox" });
  expect(status.server).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(existsSync(status.kubeconfig)).toBe(true);

  const shown = await kubernetes("status");
  for (const line of [status.server, "owner (platform-admins)", "viewer (viewers)", "kube-apiserver"])
    expect(shown.stdout).toContain(line);
  expect(shown.stdout).not.toContain("sha256~");
  expect((await kiln.run(["sandbox", "status"])).stdout).toMatch(
    new RegExp(`^Kubernetes +${status.server}$`, "m"),
  );

  const file = path.join(path.dirname(status.kubeconfig), "data-scientist.yaml");
  expect((await kubernetes("kubeconfig", "--as", "data-scientist")).stdout.trim()).toBe(file);
  expect((await kubernetes("kubeconfig", "--json")).json()).toEqual({
    user: "owner",
    groups: ["platform-admins"],
    context: "kiln-sandbox",
    kubeconfig: status.kubeconfig,
  });
  expect((await kubernetes("kubeconfig", "--as", "stranger")).exitCode).toBe(2);

  expect((await kubernetes("stop", "--json")).json()).toMatchObject({ running: false, state: "stopped" });
  expect((await kubernetes("status")).stdout).toContain("Kubernetes is not running.");
  expect(existsSync(status.kubeconfig)).toBe(true);
  expect((await kiln.run(["sandbox", "reset"])).stdout).toMatch(/^Kubernetes +not running$/m);
  expect((await kubernetes("kubeconfig", "--json")).json()).toMatchObject({
    error: { code: "KubernetesNeverStarted" },
  });
});
