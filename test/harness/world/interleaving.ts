import { setImmediate } from "node:timers/promises";
import { draw } from "../../../sandbox/core/faults.ts";
import type { Actor, Turns } from "./actor.ts";
import type { World } from "./world.ts";

interface Waiting {
  readonly actor: Actor;
  readonly since: number;
  /** When a sleeper wakes; undefined for a request. */
  readonly until: number | undefined;
  readonly go: () => void;
}

/** Turns of the event loop after which whatever an answer leads to has been asked for. */
const QUIET_TURNS = 12;

/**
 * Lets several processes work at once, one request at a time, in an order drawn from a seed. No request is held up for
 * longer than `longestMs` of the world's time: that is how far a network and a machine are trusted.
 */
export class Interleaving implements Turns {
  readonly #world: World;
  readonly #seed: number;
  readonly #longestMs: number;
  /** How probable it is that another process goes on after a step; each seed has a pace of its own. */
  readonly #restless: number;
  #waiting: Waiting[] = [];
  #busy = 0;
  #draws = 0;
  #favourite: Actor | undefined;

  constructor(world: World, seed: number, longestMs: number) {
    this.#world = world;
    this.#seed = seed;
    this.#longestMs = longestMs;
    this.#restless = [0.5, 0.25, 0.1, 0.04][Math.floor(this.#draw() * 4)] ?? 0.5;
  }

  take(actor: Actor, until: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        if (until === undefined) this.#busy++;
        resolve();
      };
      this.#waiting.push({ actor, since: this.#world.now(), until, go });
    });
  }

  over(): void {
    this.#busy--;
  }

  /** Runs the processes to their ends. */
  async run<P, T>(
    processes: readonly P[],
    work: (process: P) => Promise<T>,
  ): Promise<PromiseSettledResult<T>[]> {
    let left = processes.length;
    const all = Promise.allSettled(processes.map((each) => work(each).finally(() => void left--)));
    while (this.#waiting.length < processes.length && left > 0) await setImmediate();
    while (left > 0) {
      await this.#quiet();
      this.#step();
    }
    return all;
  }

  async #quiet(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; turns++) {
      await setImmediate();
      if (this.#busy > 0) turns = 0;
    }
  }

  #step(): void {
    const chosen = this.#choose();
    if (chosen === undefined) return;
    this.#waiting = this.#waiting.filter((each) => each !== chosen);
    if (chosen.until !== undefined) this.#world.until(chosen.until);
    chosen.go();
  }

  #choose(): Waiting | undefined {
    const now = this.#world.now();
    const requests = this.#waiting.filter(({ until }) => until === undefined);
    const late = requests.find(({ since }) => now - since > this.#longestMs);
    if (late !== undefined) return late;
    const limit = Math.min(...requests.map(({ since }) => since + this.#longestMs));
    const able = this.#waiting.filter(({ until }) => until === undefined || until <= limit);
    // Of the sleepers only the first can wake.
    const wake = Math.min(...able.flatMap(({ until }) => until ?? []));
    const next = able.filter(({ until }) => until === undefined || until === wake);
    const actors = [...new Set(next.map(({ actor }) => actor))];
    if (this.#favourite === undefined || !actors.includes(this.#favourite) || this.#draw() < this.#restless) {
      this.#favourite = actors[Math.floor(this.#draw() * actors.length)];
    }
    const own = next.filter(({ actor }) => actor === this.#favourite);
    return own[Math.floor(this.#draw() * own.length)];
  }

  #draw(): number {
    return draw(this.#seed, this.#draws++);
  }
}
