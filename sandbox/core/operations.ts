import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";
import { CloudError } from "./errors.ts";
import type { Collection, Store } from "./store.ts";

/** A long-running operation as the cloud keeps it. Times are in sandbox milliseconds since the epoch. */
export interface Operation {
  readonly id: string;
  /** Which completion runs at `doneAt`, such as `account.create`. */
  readonly kind: string;
  /** Lower-case ARM id of the resource that is being worked on. */
  readonly target: string;
  readonly startedAt: number;
  readonly doneAt: number;
  readonly status: "InProgress" | "Succeeded" | "Failed";
  readonly error?: { code: string; message: string };
  readonly data?: unknown;
}

type Completion = (operation: Operation) => void;

/**
 * Long-running operations. Nothing waits on a timer: an operation whose time has come is completed before the next
 * request is looked at, so that a restart, a scaled clock or an advanced one changes nothing.
 */
export class Operations {
  readonly #all: Collection<Operation>;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #completions = new Map<string, Completion>();
  readonly #pending = new Set<string>();

  constructor(store: Store, clock: Clock) {
    this.#all = store.collection<Operation>("operations");
    this.#store = store;
    this.#clock = clock;
    for (const [id, operation] of this.#all.entries())
      if (operation.status === "InProgress") this.#pending.add(id);
  }

  /** Says what happens to the cloud when an operation of this kind is over. */
  on(kind: string, completion: Completion): void {
    this.#completions.set(kind, completion);
  }

  /** Starts an operation; one without duration is over when this returns. */
  start(kind: string, target: string, durationMs: number, data?: unknown): Operation {
    const startedAt = this.#clock.now();
    const operation: Operation = {
      id: randomUUID(),
      kind,
      target: target.toLowerCase(),
      startedAt,
      doneAt: startedAt + durationMs,
      status: "InProgress",
      ...(data === undefined ? {} : { data }),
    };
    this.#all.put(operation.id, operation);
    this.#pending.add(operation.id);
    if (durationMs <= 0) this.#complete(operation);
    return this.#all.get(operation.id) ?? operation;
  }

  get(id: string): Operation | undefined {
    return this.#all.get(id);
  }

  /** The operation under way on exactly this resource, if any. */
  pendingOn(target: string): Operation | undefined {
    const wanted = target.toLowerCase();
    return this.pending().find((operation) => operation.target === wanted);
  }

  pending(): Operation[] {
    return [...this.#pending].flatMap((id) => this.#all.get(id) ?? []);
  }

  /** The cloud was reset: nothing is under way any more. */
  forget(): void {
    this.#pending.clear();
  }

  /** Completes, oldest first, everything whose time has come. */
  settle(): void {
    if (this.#pending.size === 0) return;
    const now = this.#clock.now();
    const due = this.pending().filter((operation) => operation.doneAt <= now);
    due.sort((a, b) => a.doneAt - b.doneAt);
    for (const operation of due) this.#complete(operation);
  }

  #complete(operation: Operation): void {
    const completion = this.#completions.get(operation.kind);
    if (completion === undefined)
      throw new Error(`no completion is registered for operations of kind ${operation.kind}`);
    try {
      this.#store.transaction(() => {
        completion(operation);
        this.#all.put(operation.id, { ...operation, status: "Succeeded" });
      });
    } catch (error) {
      if (!(error instanceof CloudError) || error.status === 507) throw error;
      this.#all.put(operation.id, {
        ...operation,
        status: "Failed",
        error: { code: error.code, message: error.message },
      });
    }
    this.#pending.delete(operation.id);
  }
}
