import { accessSync, constants, existsSync, readdirSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isListening } from "../appservice/ports.ts";
import { Processes } from "../appservice/processes.ts";
import type { ControlPlaneFiles, KubernetesStatus } from "../client/kubernetes.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { PlainApi } from "./api.ts";
import { setUp } from "./bootstrap.ts";
import { commandsOf, type KubernetesPorts, type PartName, partNames } from "./commands.ts";
import { contextName } from "./kubeconfig.ts";
import { ensureCertificates, tokenOf, writeSignIns } from "./material.ts";
import { kubernetesPaths } from "./paths.ts";
import { freePorts, isFree } from "./ports.ts";
import { Supervised } from "./supervisor.ts";
import { people, systemUsers } from "./users.ts";

/** How long the API server may take to be ready, in milliseconds: a slow machine with much else to do. */
const readyWithinMs = 120_000;
/** How long a process may take to end when asked to, in milliseconds. */
const graceMs = 2_000;
/** So often may a part end by itself before a start counts as failed. */
const mostEnds = 3;

/** What a control plane was last started with, and whether it is to run. */
interface Wanted {
  readonly files: ControlPlaneFiles;
  readonly running: boolean;
}

/**
 * The sandbox's Kubernetes: etcd, the API server, the controller manager, the scheduler, kwok for nodes and pods, and the
 * controllers of what OpenShift AI adds. They live and die with the sandbox's process, are started again when one of them
 * ends, and come up again with the sandbox when they ran before.
 */
export class KubernetesControlPlane {
  readonly #cloud: Cloud;
  readonly #processes: Processes;
  readonly #environment: () => Record<string, string>;
  #parts: Supervised[] = [];
  #state: KubernetesStatus["state"] = "stopped";
  #reason: string | undefined;
  /** One start, stop or reset after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #abort = new AbortController();

  /** @param options.environment how the network is reached, for the controllers */
  constructor(cloud: Cloud, options: { environment: () => Record<string, string> }) {
    this.#cloud = cloud;
    this.#environment = options.environment;
    this.#processes = new Processes(cloud.store.collection("kubernetes-processes"));
  }

  /** Ends what a crash left behind, and starts again, in the background, what ran when the sandbox last ended. */
  resume(): void {
    this.#processes.reap();
    const wanted = this.#wanted.get("control-plane");
    if (wanted?.running === true) this.start(wanted.files).catch((error: unknown) => console.error(error));
  }

  /**
   * Starts it and returns when it is ready; at once when it runs from these files already.
   * @throws CloudError 400 when a file is missing, 409 when its port is taken, 500 when it does not become ready
   */
  start(files: ControlPlaneFiles): Promise<KubernetesStatus> {
    return this.#inTurn(async () => {
      const before = this.#wanted.get("control-plane");
      const same = JSON.stringify(before?.files) === JSON.stringify(files);
      if (this.#state === "running" && same) return this.status();
      await this.#end();
      this.#state = "starting";
      this.#reason = undefined;
      const abort = new AbortController();
      this.#abort = abort;
      try {
        requireFiles(files);
        this.#wanted.put("control-plane", { files, running: true });
        await this.#begin(files, abort.signal);
        this.#state = "running";
      } catch (error) {
        await this.#end();
        if (abort.signal.aborted)
          throw new CloudError(409, "KubernetesStopped", "Kubernetes was told to stop.");
        this.#state = "failed";
        this.#reason = error instanceof Error ? error.message : String(error);
        console.error(`kubernetes: ${this.#reason}`);
        if (error instanceof CloudError) throw error;
        throw new CloudError(500, "KubernetesFailed", `Kubernetes does not start: ${this.#reason}`);
      }
      return this.status();
    });
  }

  /** Stops it; what it holds stays. */
  stop(): Promise<KubernetesStatus> {
    this.#abort.abort();
    return this.#inTurn(async () => {
      const wanted = this.#wanted.get("control-plane");
      if (wanted !== undefined) this.#wanted.put("control-plane", { ...wanted, running: false });
      await this.#end();
      return this.status();
    });
  }

  /** Stops it and removes all that it holds. */
  reset(): Promise<void> {
    this.#abort.abort();
    return this.#inTurn(async () => {
      await this.#end();
      for (const [id] of this.#wanted.entries()) this.#wanted.delete(id);
      rmSync(kubernetesPaths(this.#cloud.dataDir).root, { recursive: true, force: true });
    });
  }

  /** Stops it for as long as the sandbox is not there. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#inTurn(() => this.#end());
    await this.#processes.close();
  }

  status(): KubernetesStatus {
    const paths = kubernetesPaths(this.#cloud.dataDir);
    const ports = this.#ports.get("ports");
    const made = ports !== undefined && existsSync(paths.kubeconfigOf("owner"));
    return {
      running: this.#state === "running",
      state: this.#state,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      context: contextName,
      ...(made
        ? {
            server: serverOf(ports),
            caCertificate: paths.tls("ca.pem"),
            kubeconfig: paths.kubeconfigOf("owner"),
          }
        : {}),
      users: made ? people.map((user) => ({ ...user, kubeconfig: paths.kubeconfigOf(user.name) })) : [],
      processes: this.#parts.map(({ name, pid, restarts }) => ({
        name,
        pid,
        restarts,
        log: paths.logOf(name),
      })),
    };
  }

  get #wanted() {
    return this.#cloud.store.collection<Wanted>("kubernetes");
  }

  get #ports() {
    return this.#cloud.store.collection<KubernetesPorts>("kubernetes-ports");
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #begin(files: ControlPlaneFiles, stopped: AbortSignal): Promise<void> {
    const cloud = this.#cloud;
    const paths = kubernetesPaths(cloud.dataDir);
    const [ports] = await Promise.all([this.#choosePorts(), ensureCertificates(paths)]);
    writeSignIns(cloud, paths, serverOf(ports));
    const commands = commandsOf(files, ports, paths);
    this.#parts = partNames
      .filter((name) => name !== "controllers" || existsSync(commands[name].args[0] ?? ""))
      .map((name) => this.#part(name, commands[name]));
    const within = AbortSignal.any([stopped, AbortSignal.timeout(readyWithinMs)]);
    const start = (...names: PartName[]): void => {
      for (const part of this.#parts) if (names.includes(part.name as PartName)) part.start();
    };

    start("etcd");
    await this.#until("etcd", () => isListening(ports.etcd), within);
    start("kube-apiserver");
    const api = new PlainApi({
      port: ports.api,
      caFile: paths.tls("ca.pem"),
      token: tokenOf(cloud, systemUsers.bootstrap),
    });
    try {
      const ready = async () =>
        (await api.request("GET", "/readyz", { signal: within }).catch(() => undefined))?.status === 200;
      await this.#until("kube-apiserver", ready, within);
      start("kube-controller-manager");
      await setUp({
        api,
        definitions: [files.crds, `${import.meta.dirname}/crds`].flatMap(yamlFiles),
        signal: within,
      });
      start("kube-scheduler", "kwok", "controllers");
      for (const { name } of this.#parts) {
        await this.#until(
          name as PartName,
          async () => this.#parts.every(({ pid }) => pid !== undefined),
          within,
        );
      }
    } finally {
      api.close();
    }
  }

  #part(name: PartName, command: { file: string; args: readonly string[] }): Supervised {
    const { root, logOf } = kubernetesPaths(this.#cloud.dataDir);
    return new Supervised(
      name,
      () =>
        this.#processes.start({
          ...command,
          cwd: root,
          env: {
            HOME: root,
            PATH: process.env.PATH ?? "",
            ...(name === "controllers" ? this.#environment() : {}),
          },
          log: logOf(name),
          holdStdin: name === "controllers",
        }),
      (how) => console.error(`kubernetes: ${name} ended (${how}) and is started again`),
    );
  }

  /** @throws CloudError when a part ends again and again, or time is up */
  async #until(name: PartName, done: () => Promise<boolean>, within: AbortSignal): Promise<void> {
    const { logOf } = kubernetesPaths(this.#cloud.dataDir);
    const failed = (how: string) =>
      new CloudError(
        500,
        "KubernetesFailed",
        `Kubernetes does not start: ${name} ${how}. Its log is ${logOf(name)}.`,
      );
    while (!(await done())) {
      const part = this.#parts.find((each) => each.name === name);
      if (part !== undefined && part.restarts >= mostEnds) throw failed("ends as soon as it is started");
      if (within.aborted) throw failed(`was not ready within ${readyWithinMs / 1000} s`);
      await delay(25);
    }
  }

  /** The ports of last time; only the API server's stands in files that others may have open. */
  async #choosePorts(): Promise<KubernetesPorts> {
    const kept = this.#ports.get("ports");
    const [api = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
    const again = async (port: number | undefined, other: number): Promise<number> =>
      port !== undefined && (await isFree(port)) ? port : other;
    const ports = {
      api: kept?.api ?? api,
      etcd: await again(kept?.etcd, etcd),
      etcdPeer: await again(kept?.etcdPeer, etcdPeer),
    };
    if (kept !== undefined && !(await becomesFree(ports.api))) {
      throw new CloudError(
        409,
        "PortTaken",
        `Another program listens on 127.0.0.1:${ports.api}, the port of the sandbox's Kubernetes, which stands in its users' kubeconfigs. End that program, then try again.`,
      );
    }
    this.#ports.put("ports", ports);
    return ports;
  }

  /** Ends every part, those that only read first. */
  async #end(): Promise<void> {
    const parts = this.#parts;
    const data = parts.filter(({ name }) => name === "etcd");
    await Promise.all(
      parts
        .filter((part) => !data.includes(part))
        .map((part) => part.stop(part.name === "controllers" ? graceMs : 0)),
    );
    await Promise.all(data.map((part) => part.stop(graceMs)));
    this.#parts = [];
    if (this.#state !== "failed") this.#state = "stopped";
  }
}

function serverOf({ api }: KubernetesPorts): string {
  return `https://127.0.0.1:${api}`;
}

/** Processes that were just killed let go of their port in a moment. */
async function becomesFree(port: number): Promise<boolean> {
  const until = Date.now() + 5_000;
  while (!(await isFree(port))) {
    if (Date.now() > until) return false;
    await delay(20);
  }
  return true;
}

function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** @throws CloudError 400 which of the files is not there, or is no program */
function requireFiles({ binaries, crds }: ControlPlaneFiles): void {
  for (const file of Object.values(binaries)) {
    try {
      accessSync(file, constants.X_OK);
    } catch {
      throw missing(file);
    }
  }
  if (!existsSync(crds)) throw missing(crds);
}

function missing(file: string): CloudError {
  return new CloudError(
    400,
    "ControlPlaneMissing",
    `The Kubernetes control plane needs '${file}', which is not there, or cannot be run. \`kiln sandbox kubernetes start\` provides it again.`,
  );
}
