import type { KubeConfig } from "@kubernetes/client-node";
import { type Api, ApiError } from "./api.ts";
import { Cluster } from "./cluster.ts";
import type { Kind } from "./kinds.ts";
import { controllerOf, type KubeObject, keyOf } from "./objects.ts";
import { realTimers, type Timers, WorkQueue } from "./queue.ts";
import { type Watching, watchKinds } from "./watches.ts";

/** Come back to a key later, without an event. */
export interface Later {
  readonly againInMs: number;
}

/** One operator: what it looks at and what it does about it. */
export interface Controller {
  readonly name: string;
  /** The kind whose objects it takes care of; each is looked at when it changes, and at each resync. */
  readonly of: Kind;
  /** Kinds of its children: a change of one is a change of what controls it. */
  readonly owns?: readonly Kind[];
  /** Other kinds that matter, with the keys of those that they matter to. */
  readonly also?: readonly {
    readonly kind: Kind;
    keysOf(object: KubeObject, cluster: Cluster, before: KubeObject | undefined): Iterable<string>;
  }[];
  /** Kinds that it reads without being woken by them. */
  readonly reads?: readonly Kind[];
  /** Objects worked on at once: enough that a slow API server is waited for side by side. @default 8 */
  readonly concurrency?: number;
  /** Brings one object's world in order. The key's object may be gone. */
  reconcile(key: string, cluster: Cluster): Promise<Later | undefined>;
}

export interface ManagerOptions {
  readonly api: Api;
  readonly controllers: readonly Controller[];
  readonly timers?: Timers;
  /** How often everything is looked at again, in milliseconds. @default 10 minutes */
  readonly resyncMs?: number;
  /** A line for the log. It never holds an object's content. */
  readonly log?: (line: string) => void;
}

/** Runs controllers on what the watches bring. */
export class Manager {
  readonly cluster: Cluster;
  readonly #controllers: readonly Controller[];
  readonly #queues = new Map<Controller, WorkQueue>();
  readonly #timers: Timers;
  readonly #resyncMs: number;
  #watching: Watching | undefined;
  #cancelResync = (): void => undefined;
  #reconciles = 0;

  constructor({ api, controllers, timers = realTimers, resyncMs = 600_000, log }: ManagerOptions) {
    this.cluster = new Cluster(api, timers);
    this.#controllers = controllers;
    this.#timers = timers;
    this.#resyncMs = resyncMs;
    for (const controller of controllers) {
      const work = async (key: string): Promise<Later | undefined> => {
        this.#reconciles += 1;
        return controller.reconcile(key, this.cluster);
      };
      const onError = (key: string, error: unknown, failures: number): void => {
        // A conflict, or a server that is away for a moment, is everyday life.
        if (failures > 1 || !isPassing(error)) log?.(`${controller.name} ${key}: ${wordsOf(error)}`);
      };
      this.#queues.set(
        controller,
        new WorkQueue({ work, onError, timers, held: true, concurrency: controller.concurrency ?? 8 }),
      );
    }
  }

  /** Every kind that has to be watched for these controllers. */
  get kinds(): Kind[] {
    return [
      ...new Set(
        this.#controllers.flatMap(({ of, owns = [], also = [], reads = [] }) => [
          of,
          ...owns,
          ...also.map(({ kind }) => kind),
          ...reads,
        ]),
      ),
    ];
  }

  /** How many times a controller looked at an object. */
  get reconciles(): number {
    return this.#reconciles;
  }

  /** Watches and works, until stopped. Returns when everything was listed once. */
  async start(config: KubeConfig): Promise<void> {
    this.#watching = watchKinds(
      config,
      this.cluster.api,
      this.cluster,
      this.kinds,
      (kind, now, before) => this.changed(kind, now, before),
      this.#timers,
    );
    await this.#watching.listed;
    this.release();
  }

  /** Begins to work: not before everything is known, or what is merely not seen yet would count as missing. */
  release(): void {
    for (const queue of this.#queues.values()) queue.release();
    this.#resync();
  }

  async stop(): Promise<void> {
    this.#cancelResync();
    for (const queue of this.#queues.values()) queue.stop();
    await this.#watching?.stop();
  }

  /** An object changed: whoever it matters to looks at it. */
  changed(kind: Kind, now: KubeObject | undefined, before: KubeObject | undefined): void {
    const object = now ?? before;
    if (object === undefined) return;
    for (const controller of this.#controllers) {
      const queue = this.#queues.get(controller);
      if (controller.of === kind) queue?.add(keyOf(object));
      if (controller.owns?.includes(kind)) {
        const owner = controllerOf(object);
        if (owner?.kind === controller.of.kind && owner.apiVersion === controller.of.apiVersion) {
          queue?.add(`${object.metadata.namespace}/${owner.name}`);
        }
      }
      for (const { kind: other, keysOf } of controller.also ?? []) {
        if (other !== kind) continue;
        for (const key of keysOf(object, this.cluster, before)) queue?.add(key);
      }
    }
  }

  /** When no queue has anything that waits for its turn. */
  async drained(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.drained();
  }

  #resync(): void {
    this.#cancelResync = this.#timers.after(this.#resyncMs, () => {
      for (const [controller, queue] of this.#queues) {
        for (const object of this.cluster.list(controller.of)) queue.add(keyOf(object));
      }
      this.#resync();
    });
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 409 || error.status === 404);
}

function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return `${error.reason}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
