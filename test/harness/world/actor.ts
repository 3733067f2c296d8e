import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import type { ClientOptions } from "../../../scripts/lib/keys/azure-account-keys.ts";
import type { Clock } from "../../../scripts/lib/keys/patience.ts";
import type { Fault, World } from "./world.ts";

/** The process is gone. Nobody catches this for an error of the cloud. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/** When a process is killed: at its n-th request, from 1, before it is processed or after, its answer not seen. */
export interface Kill {
  readonly call: number;
  readonly moment: "before" | "after";
}

/** Decides when a request or a sleeper goes on, where several processes are at work at once. */
export interface Turns {
  /** Resolves when it may go on. */
  take(actor: Actor, until: number | undefined): Promise<void>;
  /** A request that went on is over. */
  over(): void;
}

/** One process that works on the cloud: its way there, and its time. */
export class Actor implements HttpClient, Clock {
  /** Requests so far. */
  calls = 0;
  dead = false;
  readonly #world: World;
  readonly #kill: Kill | undefined;
  readonly #turns: Turns | undefined;
  readonly #fault: (call: number, request: PipelineRequest) => Fault | undefined;
  readonly #gone = new AbortController();

  constructor(
    world: World,
    options: {
      readonly kill?: Kill | undefined;
      readonly turns?: Turns;
      readonly fault?: (call: number, request: PipelineRequest) => Fault | undefined;
    } = {},
  ) {
    this.#world = world;
    this.#kill = options.kill;
    this.#turns = options.turns;
    this.#fault = options.fault ?? (() => undefined);
  }

  /** What SDK clients of this process are made with. Retries are the SDKs' own, but for the real time between them. */
  get clientOptions(): ClientOptions {
    return { httpClient: this, retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 1 } };
  }

  /** Aborted when the process is killed. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    this.#requireLife();
    await this.#turns?.take(this, undefined);
    try {
      return await this.#send(request);
    } finally {
      this.#turns?.over();
    }
  }

  async #send(request: PipelineRequest): Promise<PipelineResponse> {
    this.#requireLife();
    const call = ++this.calls;
    this.#killAt(call, "before");
    const answer = await this.#world.serve(request, this.#fault(call, request));
    this.#killAt(call, "after");
    this.#requireLife();
    return answer;
  }

  now(): number {
    return this.#world.now();
  }

  async sleep(ms: number): Promise<void> {
    this.#requireLife();
    if (this.#turns === undefined) await this.#world.sleep(ms);
    else await this.#turns.take(this, this.#world.now() + ms);
    this.#requireLife();
  }

  #killAt(call: number, moment: Kill["moment"]): void {
    if (this.#kill?.call !== call || this.#kill.moment !== moment) return;
    this.dead = true;
    this.#gone.abort(new Killed("killed"));
    throw new Killed(`killed ${moment} call ${call}`);
  }

  #requireLife(): void {
    if (this.dead) throw new Killed("killed");
  }
}
