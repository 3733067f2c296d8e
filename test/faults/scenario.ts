import { draw } from "../../sandbox/core/faults.ts";
import { Actor, type Kill, Killed } from "../harness/world/actor.ts";
import type { Fault } from "../harness/world/world.ts";
import { ENVIRONMENTS, Environments, type Name, type Verb } from "./environments.ts";

/** One run of a verb, with what goes wrong during it. */
export interface Step {
  readonly verb: Verb;
  readonly name: Name;
  readonly kill: Kill | undefined;
  /** What is wanted of a rotation. */
  readonly wanted: { readonly revokeOld: boolean; readonly restart: boolean };
  /** How probable a fault is at each request. */
  readonly trouble: number;
}

/** What a seed stands for. */
export interface Scenario {
  readonly seed: number;
  /** How many of the environments are up at the start. */
  readonly up: number;
  /** How long the cloud takes for some things, in milliseconds. */
  readonly timings: { readonly rolePropagation: number; readonly keyPropagation: number };
  readonly steps: readonly Step[];
}

/** Draws that depend on nothing but the seed. */
class Draws {
  readonly #seed: number;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  next(): number {
    return draw(this.#seed, this.#count++);
  }

  of<T>(all: readonly [T, ...T[]]): T {
    return all[Math.floor(this.next() * all.length)] ?? all[0];
  }

  upTo(most: number): number {
    return Math.floor(this.next() * (most + 1));
  }
}

/** The scenario of a seed. Pure. */
export function scenarioOf(seed: number): Scenario {
  const draws = new Draws(seed);
  const up = draws.upTo(ENVIRONMENTS.length);
  const timings = {
    rolePropagation: draws.of([0, 1_000, 300_000]),
    keyPropagation: draws.of([0, 300, 30_000]),
  };
  // What is tried again is what was tried before, more often than not.
  let name = draws.of(ENVIRONMENTS);
  let there = ENVIRONMENTS.indexOf(name) < up;
  const steps = Array.from({ length: 1 + draws.upTo(2) }, (_, at): Step => {
    if (draws.next() < 0.3) {
      name = draws.of(ENVIRONMENTS);
      there = ENVIRONMENTS.indexOf(name) < up;
    }
    const verb: Verb = there ? draws.of(["rotate-key", "rotate-key", "down", "down", "up"]) : "up";
    there = verb !== "down" || draws.next() < 0.5;
    const call = 1 + draws.upTo(LENGTHS[verb]);
    const moment = draws.of(["before", "after"] as const);
    const kill = draws.next() < 0.7 ? { call, moment } : undefined;
    const trouble = draws.of([0, 0, 0.03, 0.1]);
    const wanted = { revokeOld: draw(seed, 500 + at) < 0.3, restart: draw(seed, 600 + at) < 0.2 };
    return { verb, name, kill, trouble, wanted };
  });
  return { seed, up, timings, steps };
}

/** About how many requests a verb takes. */
const LENGTHS: Readonly<Record<Verb, number>> = { up: 68, "rotate-key": 36, down: 30 };

const FAULTS: readonly [Fault, ...Fault[]] = [
  "lost",
  { effect: "throttle", retryAfterSeconds: 2 },
  { effect: "server-error", status: 500 },
  { effect: "server-error", status: 503 },
  { effect: "conflict" },
];

/** Which fault strikes which request of a step. The SDK that publishes code waits in real time: it is only throttled. */
function faultsOf(seed: number, { trouble }: Step) {
  const draws = new Draws(seed);
  return (
    _: number,
    { url, method }: { readonly url: string; readonly method: string },
  ): Fault | undefined => {
    const strikes = draws.next() < trouble;
    const fault = draws.of(FAULTS);
    // Nothing is in the way of reading.
    const idle = method === "GET" && typeof fault === "object" && fault.effect === "conflict";
    if (!strikes || idle) return undefined;
    return new URL(url).hostname.includes(".scm.") ? { effect: "throttle", retryAfterSeconds: 2 } : fault;
  };
}

/** Runs scenarios, one after the other, on environments that are made once. */
export class Scenarios {
  readonly environments = new Environments();
  /** Moments at which none, one, two, all environments are up. */
  readonly #starts: (() => void)[] = [];
  readonly #leaving = new Set<Name>();

  static async open(): Promise<Scenarios> {
    const scenarios = new Scenarios();
    await scenarios.#prepare();
    return scenarios;
  }

  close(): Promise<void> {
    return this.environments.close();
  }

  /** @returns what was wrong, in words; nothing when all held. @param tell told what is done */
  async run(scenario: Scenario, tell: (line: string) => void = () => undefined): Promise<string[]> {
    const environments = this.environments;
    this.#starts[scenario.up]?.();
    this.#leaving.clear();
    environments.world.cloud.changeSettings({ timings: scenario.timings });
    const wrong: string[] = [];
    tell(`${scenario.up} up at the start, ${JSON.stringify(scenario.timings)}`);
    for (const [at, step] of scenario.steps.entries()) {
      const seed = scenario.seed * 101 + at;
      wrong.push(...(await this.#step(step, seed, tell)).map((each) => `step ${at + 1}: ${each}`));
    }
    const touched = [...new Set(scenario.steps.map(({ name }) => name))];
    for (const name of touched) wrong.push(...(await this.#recover(name, scenario, tell)));
    return [...wrong, ...environments.wrong];
  }

  async #prepare(): Promise<void> {
    this.#starts.push(this.environments.save());
    for (const name of ENVIRONMENTS) {
      await this.environments.run("up", name);
      this.#starts.push(this.environments.save());
    }
  }

  /** A step with its faults; what fails of them is no wrong, but what it leaves may be. */
  async #step(step: Step, seed: number, tell: (line: string) => void): Promise<string[]> {
    const environments = this.environments;
    const { verb, name, kill } = step;
    const others = ENVIRONMENTS.filter((each) => each !== name);
    const before = others.map((each) => environments.picture(each));
    const actor = new Actor(environments.world, { kill, fault: faultsOf(seed, step) });
    let end = "done";
    try {
      await environments.run(verb, name, actor, step.wanted);
    } catch (error) {
      end = error instanceof Killed ? "killed" : `failed: ${error instanceof Error ? error.message : error}`;
    }
    const shown = kill === undefined ? "" : `, to be killed ${kill.moment} call ${kill.call}`;
    tell(`${verb} ${name} (trouble ${step.trouble}${shown}): ${end} after ${actor.calls} calls`);
    const wrong = environments.mismatches(name, this.#isLeaving(name, verb, end === "done"));
    for (const [at, other] of others.entries()) {
      if (before[at] !== undefined && environments.picture(other) !== before[at])
        wrong.push(`${other} changed while ${name} was worked on`);
    }
    return wrong;
  }

  /** Whether a teardown was begun, and nothing has brought the environment up, or to its end, since. */
  #isLeaving(name: Name, verb: Verb, done: boolean): boolean {
    if (done && verb !== "rotate-key") this.#leaving.delete(name);
    else if (verb === "down") this.#leaving.add(name);
    return this.#leaving.has(name);
  }

  /** Without faults everything comes right: up, and up again changes nothing; a rotation; down, and nothing is left. */
  async #recover(name: Name, { seed }: Scenario, tell: (line: string) => void): Promise<string[]> {
    const environments = this.environments;
    const wrong: string[] = [];
    const run = async (verb: Verb) => {
      let done = false;
      try {
        const result = await environments.run(verb, name);
        done = true;
        return result as { changes?: Record<string, number>; outcome?: string };
      } catch (error) {
        wrong.push(
          `${verb} ${name} failed afterwards: ${error} ${(error as { cause?: string }).cause ?? ""}`,
        );
        return {};
      } finally {
        wrong.push(...environments.mismatches(name, this.#isLeaving(name, verb, done)));
        tell(`then ${verb} ${name}`);
      }
    };
    if (draw(seed, 1_000) < 0.7) {
      await run("up");
      const { changes = {} } = await run("up");
      const changed = Object.entries(changes).filter(([what, count]) => what !== "same" && count > 0);
      if (changed.length > 0) wrong.push(`a second up of ${name} changes ${JSON.stringify(changes)}`);
      if (draw(seed, 1_001) < 0.3) {
        const { outcome } = await run("rotate-key");
        if (outcome !== "rotated" && outcome !== "resumed") wrong.push(`a rotation of ${name}: ${outcome}`);
      }
    }
    if (draw(seed, 1_002) < 0.5) {
      await run("down");
      wrong.push(...environments.remains(name));
    }
    return wrong;
  }
}
