import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlaneFiles } from "../../../sandbox/client/index.ts";
import { kubernetesPaths } from "../../../sandbox/kubernetes/paths.ts";
import { controlPlane } from "../../harness/control-plane.ts";
import { type TestKubernetes, testKubernetes } from "../../harness/kubernetes.ts";

/** How long a condition may take to hold, in milliseconds: a busy machine. */
const patience = { timeout: 240_000, interval: 50 };

let cluster: TestKubernetes;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-life-"));
  cluster = await testKubernetes();
  await note("begun");
});
afterAll(async () => {
  await cluster?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const paths = () => kubernetesPaths(cluster.daemon.client.dataDir);

async function note(name: string): Promise<void> {
  const { exitCode, stderr } = await cluster.kubectl(["create", "configmap", name, "--from-literal=is=here"]);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
}

async function notes(): Promise<string> {
  return (await cluster.kubectl(["get", "configmaps", "-o", "name"])).stdout;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

const allGone = (pids: Record<string, number>) =>
  expect.poll(() => Object.entries(pids).filter(([, pid]) => isAlive(pid)), patience).toEqual([]);

const isRunning = () => expect.poll(async () => (await cluster.status()).state, patience).toBe("running");

/** What must be the same for as long as the sandbox lives. */
async function identity(): Promise<object> {
  const { server, caCertificate, users } = await cluster.status();
  const read = (file: string | undefined) => readFileSync(String(file), "utf8");
  return { server, ca: read(caCertificate), kubeconfigs: users.map(({ kubeconfig }) => read(kubeconfig)) };
}

describe("who may come near", () => {
  test("nothing listens beyond this machine, and etcd answers only a client with a certificate", async () => {
    const { etcd = 0 } = await cluster.pids();
    const args = readFileSync(`/proc/${etcd}/cmdline`, "utf8").split("\0");
    const url = args.find((each) => each.startsWith("--listen-client-urls="))?.split("=")[1] ?? "";
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const ca = readFileSync(paths().tls("ca.pem"));
    const get = async (more: https.RequestOptions): Promise<number | string | undefined> => {
      const request = https.get(`${url}/health`, { ca, ...more });
      try {
        const [response] = await once(request, "response");
        response.resume();
        return response.statusCode;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    };
    expect(await get({})).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET|EPIPE|BAD_CERTIFICATE/);
    const key = readFileSync(paths().tls("etcd-client.key"));
    const cert = readFileSync(paths().tls("etcd-client.pem"));
    expect(await get({ key, cert })).toBe(200);
  });

  test("only who runs the sandbox can read its keys and tokens, and no argument or environment holds one", async () => {
    const { root } = paths();
    for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
      const stat = statSync(path.join(root, name));
      if (name.startsWith(`etcd${path.sep}`)) continue;
      expect([name, stat.mode & 0o077]).toEqual([name, 0]);
    }
    const tokens = readFileSync(paths().tokens, "utf8").match(/sha256~[\w-]{43}/g) ?? [];
    expect(tokens).toHaveLength(9);
    for (const pid of Object.values(await cluster.pids())) {
      const seen =
        readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8");
      for (const token of tokens) expect(seen).not.toContain(token);
    }
  });

  test("a leak scan finds a user's token and the key that signs, and none in the logs", async () => {
    const scan = (...files: string[]) =>
      cluster.daemon.client.control("POST", "/leak-scan", { paths: files }) as Promise<{
        leaks: { kind: string; owner: string }[];
      }>;
    expect((await scan(cluster.daemon.client.dataDir)).leaks).toEqual([]);
    copyFileSync(cluster.kubeconfig("viewer"), path.join(folder, "copied"));
    copyFileSync(paths().tls("service-account.key"), path.join(folder, "key"));
    expect((await scan(folder)).leaks).toMatchObject([
      { kind: "kubernetes-token", owner: "Kubernetes user viewer" },
      { kind: "signing-key", owner: "Kubernetes service accounts" },
    ]);
  });
});

describe("a part that is killed", () => {
  test.each(["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "controllers"])(
    "%s comes back, and everything is there and works",
    async (name) => {
      const before = await cluster.pids();
      process.kill(before[name] ?? 0, "SIGKILL");
      await expect
        .poll(async () => (await cluster.status()).processes.find((each) => each.name === name), patience)
        .toMatchObject({ pid: expect.any(Number), restarts: 1 });
      expect((await cluster.pids())[name]).not.toBe(before[name]);
      await expect.poll(notes, patience).toContain("configmap/begun");
      // Every part has its share in a deployment that becomes available.
      const image = "--image=registry.example/app:1";
      await expect
        .poll(
          async () => (await cluster.kubectl(["create", "deployment", `after-${name}`, image])).stderr,
          patience,
        )
        .toMatch(/^$|already exists/);
      const rollout = ["rollout", "status", `deployment/after-${name}`, "--timeout=120s"];
      await expect
        .poll(async () => (await cluster.kubectl(rollout)).stdout, patience)
        .toContain("rolled out");
    },
  );

  test("a start that is asked for meanwhile returns when it answers again", async () => {
    const before = await cluster.pids();
    process.kill(before["kube-apiserver"] ?? 0, "SIGKILL");
    process.kill(before.etcd ?? 0, "SIGKILL");
    await cluster.start();
    expect(await notes()).toContain("configmap/begun");
  });

  test("is told in the log and counted", async () => {
    const log = readFileSync(path.join(cluster.daemon.client.dataDir, "sandbox.log"), "utf8");
    expect(log).toContain("kubernetes: etcd ended (SIGKILL) and is started again");
    const { processes } = await cluster.status();
    // On a busy machine a controller may end by itself, too, when the API server is away for long.
    const killed = {
      etcd: 2,
      "kube-apiserver": 2,
      "kube-controller-manager": 1,
      "kube-scheduler": 1,
      kwok: 1,
    };
    for (const [name, times] of Object.entries({ ...killed, controllers: 1 })) {
      const part = processes.find((each) => each.name === name);
      expect(part?.restarts, name).toBeGreaterThanOrEqual(times);
    }
  });
});

describe("the sandbox", () => {
  test("killed, it leaves no process; started again, it brings the cluster up as it was", async () => {
    await note("before-the-kill");
    const was = await identity();
    const pids = await cluster.pids();
    await cluster.daemon.kill();
    await allGone(pids);
    await cluster.daemon.start();
    await isRunning();
    expect(await identity()).toEqual(was);
    expect(await notes()).toContain("configmap/before-the-kill");
  });

  test("without the process that holds all parts, they end and come back", async () => {
    const pids = await cluster.pids();
    process.kill(parentOf(pids.etcd ?? 0), "SIGKILL");
    await allGone(pids);
    await expect.poll(async () => (await cluster.status()).running, patience).toBe(true);
    await cluster.start();
    expect(await notes()).toContain("configmap/begun");
  });

  test("killed together with that process, it ends at its next start what went on alone", async () => {
    const pids = await cluster.pids();
    process.kill(cluster.daemon.pid, "SIGSTOP");
    process.kill(parentOf(pids.etcd ?? 0), "SIGKILL");
    await cluster.daemon.kill();
    expect(Object.values(pids).some(isAlive)).toBe(true);
    await cluster.daemon.start();
    await allGone(pids);
    await isRunning();
    expect(await notes()).toContain("configmap/begun");
  });

  test("stopped and started, it brings the cluster up as well", async () => {
    const was = await identity();
    const pids = await cluster.pids();
    await cluster.daemon.client.stop();
    await allGone(pids);
    await cluster.daemon.start();
    await isRunning();
    expect(await identity()).toEqual(was);
  });
});

describe("starting and stopping", () => {
  test("many starts at once are one", async () => {
    const pids = await cluster.pids();
    const all = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
    expect(all.map(({ state }) => state)).toEqual(["running", "running", "running"]);
    expect(await cluster.pids()).toEqual(pids);
  });

  test("stop ends every process and keeps what there is, over a restart of the sandbox too", async () => {
    const was = await identity();
    const pids = await cluster.pids();
    expect(await cluster.daemon.client.stopKubernetes()).toMatchObject({
      running: false,
      state: "stopped",
      processes: [],
    });
    await allGone(pids);
    await cluster.daemon.kill();
    await cluster.daemon.start();
    expect(await cluster.status()).toMatchObject({ running: false, state: "stopped" });
    await cluster.start();
    expect(await identity()).toEqual(was);
    expect(await notes()).toContain("configmap/before-the-kill");
  });

  test("a stop that comes while it starts ends it", async () => {
    await cluster.daemon.client.stopKubernetes();
    const starting = cluster.start().then(
      () => "started",
      (error: { code: string }) => error.code,
    );
    await expect.poll(async () => (await cluster.status()).processes.length, patience).toBeGreaterThan(0);
    await cluster.daemon.client.stopKubernetes();
    expect(await starting).toBe("KubernetesStopped");
    expect(await cluster.status()).toMatchObject({ state: "stopped", processes: [] });
  });

  test("says which program is not there, and does so after a restart of the sandbox too", async () => {
    const { binaries, crds } = await controlPlane();
    const linked = Object.fromEntries(
      Object.entries(binaries).map(([name, file]) => {
        symlinkSync(file, path.join(folder, name));
        return [name, path.join(folder, name)];
      }),
    ) as unknown as ControlPlaneFiles["binaries"];
    const { client } = cluster.daemon;
    await client.startKubernetes({ binaries: linked, crds });
    await cluster.daemon.kill();
    rmSync(linked.kwok);
    await cluster.daemon.start();
    await expect.poll(async () => (await cluster.status()).state, patience).toBe("failed");
    const { reason, processes } = await cluster.status();
    expect(reason).toContain(`'${linked.kwok}', which is not there`);
    expect(processes).toEqual([]);
    expect(readFileSync(path.join(client.dataDir, "sandbox.log"), "utf8")).toContain(`kubernetes: ${reason}`);
    await expect(client.startKubernetes({ binaries: linked, crds })).rejects.toMatchObject({
      code: "ControlPlaneMissing",
      cause: expect.stringContaining(`'${linked.kwok}', which is not there`),
      next: expect.stringContaining("kiln engine --control-plane"),
      usage: false,
    });
    await expect(client.startKubernetes({ binaries, crds: "not/absolute" })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: "crds: must be an absolute path",
    });
  });

  test("a program that ends at once is no start", async () => {
    const { binaries, crds } = await controlPlane();
    const broken = { binaries: { ...binaries, kubeApiserver: "/bin/false" }, crds };
    await expect(cluster.daemon.client.startKubernetes(broken)).rejects.toMatchObject({
      code: "KubernetesFailed",
      message: expect.stringContaining("kube-apiserver ends as soon as it is started. Its log is"),
    });
    expect(await cluster.status()).toMatchObject({ state: "failed", processes: [] });
    const stopped = await cluster.daemon.client.stopKubernetes();
    expect(stopped).toMatchObject({ running: false, state: "stopped" });
    expect(stopped.reason).toBeUndefined();
  });

  test("a port that another program took is told, and nothing is left running", async () => {
    const { server = "" } = await cluster.status();
    const other = net.createServer();
    await once(other.listen(Number(new URL(server).port), "127.0.0.1"), "listening");
    try {
      await expect(cluster.start()).rejects.toMatchObject({
        code: "PortTaken",
        cause: expect.stringContaining("Another program listens on"),
        next: "End that program, then run it again.",
        usage: false,
      });
      expect(await cluster.status()).toMatchObject({ state: "failed", processes: [] });
    } finally {
      other.close();
    }
    await cluster.start();
    expect(await notes()).toContain("configmap/begun");
  });

  test("other definitions in the folder are taken over when it is started again", async () => {
    const provided = await controlPlane();
    const crds = path.join(folder, "definitions");
    const routes = "route.openshift.io_routes.yaml";
    const file = readdirSync(provided.crds).find((name) => name.includes("route")) ?? routes;
    const { cpSync, writeFileSync } = await import("node:fs");
    cpSync(provided.crds, crds, { recursive: true });
    const text = readFileSync(path.join(crds, file), "utf8").replace(
      /^metadata:$/m,
      "metadata:\n  labels:\n    changed: '1'",
    );
    writeFileSync(path.join(crds, file), text);
    await cluster.daemon.client.startKubernetes({ binaries: provided.binaries, crds });
    const { stdout } = await cluster.kubectl(["get", "crds", "-l", "changed=1", "-o", "name"]);
    expect(stdout).toContain("routes.route.openshift.io");
    expect(await notes()).toContain("configmap/begun");
  });
});

test("a reset removes all of it; the next start begins anew", async () => {
  const pids = await cluster.pids();
  const before = readFileSync(cluster.kubeconfig(), "utf8");
  await cluster.daemon.client.reset();
  await allGone(pids);
  expect(existsSync(paths().root)).toBe(false);
  expect(await cluster.status()).toMatchObject({ state: "stopped", users: [] });
  await cluster.start();
  expect(await notes()).not.toContain("begun");
  expect(readFileSync(cluster.kubeconfig(), "utf8")).not.toBe(before);
});
