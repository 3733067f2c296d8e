import type { Collection } from "./store.ts";

/** What the clock keeps between two lives of the sandbox. */
interface ClockState {
  /** Sandbox time, in milliseconds since the epoch, at the moment `real` of the wall clock. */
  readonly at: number;
  readonly real: number;
  /** Sandbox milliseconds per real millisecond. */
  readonly scale: number;
}

/** The last moment that every date format has: those of the services write a year in four digits. */
export const endOfTime = Date.parse("9999-12-31T23:59:59Z");

/**
 * The sandbox's own time. It runs with the wall clock until it is scaled (`scale` sandbox seconds per real second) or
 * advanced; every delay of the cloud (operations, role propagation, soft-delete retention, reference cache) counts in it.
 * Token lifetimes do not: clients judge those by their own wall clock.
 */
export class Clock {
  readonly #saved: Collection<ClockState>;
  readonly #wall: () => number;
  #state: ClockState;
  readonly #listeners = new Set<() => void>();

  constructor(saved: Collection<ClockState>, wall: () => number = Date.now) {
    this.#saved = saved;
    this.#wall = wall;
    this.#state = saved.get("clock") ?? { at: wall(), real: wall(), scale: 1 };
    if (saved.get("clock") === undefined) saved.put("clock", this.#state);
  }

  get scale(): number {
    return this.#state.scale;
  }

  /** Sandbox time in milliseconds since the epoch. It stands still at the end of the year 9999. */
  now(): number {
    const now = this.#state.at + (this.#wall() - this.#state.real) * this.#state.scale;
    return Math.min(Math.round(now), endOfTime);
  }

  iso(at: number = this.now()): string {
    return new Date(at).toISOString();
  }

  /** Unix seconds, as Key Vault and token bodies count. */
  seconds(at: number = this.now()): number {
    return Math.floor(at / 1000);
  }

  /** How long, in real milliseconds, until the sandbox time `at`; 0 when it has passed. */
  realMsUntil(at: number): number {
    return Math.max(0, Math.ceil((at - this.now()) / this.#state.scale));
  }

  /** @throws RangeError when that is past the end of time; nothing changes then */
  advance(ms: number): void {
    if (this.now() + ms > endOfTime)
      throw new RangeError(`the clock cannot go past ${this.iso(endOfTime)}; it is at ${this.iso()}`);
    this.#set({ at: this.now() + ms, real: this.#wall(), scale: this.#state.scale });
  }

  setScale(scale: number): void {
    this.#set({ at: this.now(), real: this.#wall(), scale });
  }

  /** Back to the wall clock. */
  reset(): void {
    this.#set({ at: this.#wall(), real: this.#wall(), scale: 1 });
  }

  /** Calls `listener` whenever the clock was moved by hand; returns how to stop that. */
  onMoved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #set(state: ClockState): void {
    this.#saved.put("clock", state);
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
