import { existsSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isListening } from "../appservice/ports.ts";
import { Processes } from "../appservice/processes.ts";
import type { ControlPlaneFiles, KubernetesStatus } from "../client/kubernetes.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Connection } from "../providers/kubernetes/connection.ts";
import { isPassing, openApi } from "./api.ts";
import { defineEarly, setUp } from "./bootstrap.ts";
import { commandsOf, type KubernetesPorts, type PartName, partNames } from "./commands.ts";
import { definitionFiles, requireFiles } from "./files.ts";
import { ensureCertificates, tokenOf, writeSignIns } from "./material.ts";
import { kubernetesPaths } from "./paths.ts";
import { choosePorts } from "./ports.ts";
import { serverOf, statusOf } from "./status.ts";
import { Supervised } from "./supervisor.ts";
import { systemUsers } from "./users.ts";

/**
 * How long a start may take, in milliseconds. On a machine with a dozen other things to do an empty cluster was ready after 70 s; a
 * part that ends by itself is noticed much sooner.
 */
const readyWithinMs = 300_000;
/** How long a process may take to end when asked to, in milliseconds. */
const graceMs = 2_000;
/** So often may a part end by itself before a start counts as failed. */
const mostEnds = 3;
/** So often is an API server set up anew that was not up to it yet. */
const mostTries = 10;

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
  /** In which of the API server's lives it was set up last. */
  #setUpIn: number | undefined;
  #state: KubernetesStatus["state"] = "stopped";
  #reason: string | undefined;
  /** One start, stop or reset after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #abort = new AbortController();
  #closed = false;

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
    // A failure is told by `start` itself, in the log and in the status.
    if (wanted?.running === true) this.start(wanted.files).catch(() => undefined);
  }

  /**
   * Starts it and returns when it is ready; at once when it runs from these files already.
   * @throws CloudError 400 when a file is missing, 409 when its port is taken, 500 when it does not become ready
   */
  start(files: ControlPlaneFiles): Promise<KubernetesStatus> {
    return this.#inTurn(async () => {
      const before = this.#wanted.get("control-plane");
      const same = JSON.stringify(before?.files) === JSON.stringify(files);
      if (this.#state === "running" && same) {
        // It may have been killed a moment ago, and be about to come back.
        const within = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(readyWithinMs)]);
        await this.#answering(within);
        if (this.#apiLives !== this.#setUpIn) await this.#setUpAgain(files, within);
        return this.status();
      }
      if (this.#closed) throw told();
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
        if (abort.signal.aborted) throw told();
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
      this.#forgetFailure();
      return this.status();
    });
  }

  /** Stops it and removes all that it holds. */
  reset(): Promise<void> {
    this.#abort.abort();
    return this.#inTurn(async () => {
      await this.#end();
      this.#forgetFailure();
      for (const [id] of this.#wanted.entries()) this.#wanted.delete(id);
      rmSync(kubernetesPaths(this.#cloud.dataDir).root, { recursive: true, force: true });
    });
  }

  /** Stops it for as long as the sandbox is not there. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#abort.abort();
    await this.#inTurn(() => this.#end());
    await this.#processes.close();
  }

  status(): KubernetesStatus {
    return statusOf({
      state: this.#state,
      reason: this.#reason,
      ports: this.#ports.get("ports"),
      paths: kubernetesPaths(this.#cloud.dataDir),
      parts: this.#parts,
    });
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
    const [ports] = await Promise.all([choosePorts(this.#ports), ensureCertificates(paths)]);
    writeSignIns(cloud, paths, serverOf(ports));
    const commands = commandsOf(files, ports, paths);
    this.#parts = partNames.map((name) => this.#part(name, commands[name]));
    const within = AbortSignal.any([stopped, AbortSignal.timeout(readyWithinMs)]);
    const start = (...names: PartName[]): void => {
      for (const part of this.#parts) if (names.includes(part.name as PartName)) part.start();
    };

    const isNew = !existsSync(paths.etcd);
    start("etcd");
    // The official client is loaded meanwhile.
    const opening = this.#api();
    opening.catch(() => undefined);
    await this.#until("etcd", () => isListening(ports.etcd), within);
    start("kube-apiserver");
    const api = await opening;
    try {
      const definitions = definitionFiles(files);
      const early = isNew ? defineEarly({ api, definitions, signal: within }) : undefined;
      await this.#answering(within);
      start("kube-controller-manager");
      await this.#setUp({ api, definitions, fresh: (await early) ?? new Set(), signal: within });
    } finally {
      await api.close();
    }
    start("kube-scheduler", "kwok", "controllers");
    for (const { name } of this.#parts) {
      const begun = async () => this.#parts.every((part) => part.name !== name || part.pid !== undefined);
      await this.#until(name as PartName, begun, within);
    }
  }

  /** Whatever ends meanwhile comes back, and what was done is not done again. */
  async #setUp(options: Parameters<typeof setUp>[0]): Promise<void> {
    for (let left = mostTries; ; left -= 1) {
      const lives = this.#apiLives;
      try {
        await setUp(options);
        this.#setUpIn = lives;
        return;
      } catch (error) {
        if (this.#abort.signal.aborted) throw told();
        if (left === 0 || !isPassing(error)) throw error;
        await this.#answering(options.signal);
      }
    }
  }

  /** The API server came back: what it serves it has to make ready anew. */
  async #setUpAgain(files: ControlPlaneFiles, signal: AbortSignal): Promise<void> {
    const api = await this.#api();
    try {
      await this.#setUp({ api, definitions: definitionFiles(files), fresh: new Set(), signal });
    } finally {
      await api.close();
    }
  }

  /** How often the API server was started again. */
  get #apiLives(): number | undefined {
    return this.#parts.find(({ name }) => name === "kube-apiserver")?.restarts;
  }

  #api(): Promise<Connection> {
    return openApi({
      port: this.#ports.get("ports")?.api ?? 0,
      caFile: kubernetesPaths(this.#cloud.dataDir).tls("ca.pem"),
      token: tokenOf(this.#cloud, systemUsers.bootstrap),
    });
  }

  /** Waits until the API server says that it is ready. */
  async #answering(within: AbortSignal): Promise<void> {
    const api = await this.#api();
    const ask = () => api.ask({ method: "GET", path: "/readyz", signal: within }).catch(() => undefined);
    try {
      await this.#until("kube-apiserver", async () => (await ask())?.status === 200, within);
    } finally {
      await api.close();
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
    const part = this.#parts.find((each) => each.name === name);
    const before = part?.restarts ?? 0;
    while (!(await done())) {
      if (part !== undefined && part.restarts - before >= mostEnds)
        throw failed("ends as soon as it is started");
      if (within.aborted && within.reason?.name !== "TimeoutError") throw told();
      if (within.aborted) throw failed(`was not ready within ${readyWithinMs / 1000} s`);
      await delay(25);
    }
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

  #forgetFailure(): void {
    this.#state = "stopped";
    this.#reason = undefined;
  }
}

function told(): CloudError {
  return new CloudError(409, "KubernetesStopped", "Kubernetes was told to stop.");
}
