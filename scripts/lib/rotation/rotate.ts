import { randomUUID } from "node:crypto";
import { exitCodes, KilnError } from "../errors.ts";
import type { KeyMaterial } from "../keys/key-material.ts";
import { OutOfPatience } from "../keys/patience.ts";
import { type Phase, type SecretVersion, type SettingReference, SLOTS, type Slot } from "../keys/ports.ts";
import { expiryOf, slotOf } from "../keys/sync.ts";
import { Calls } from "./calls.ts";
import { Claim, locked } from "./claim.ts";
import { prove, refresh, requireReferences } from "./consumers.ts";
import { type Journal, readJournal, writeJournal } from "./journal.ts";
import { judgeKnock, judgeReferences, surplus } from "./judge.ts";
import { drainLeft, otherSlot, type Plan, planRotation } from "./plan.ts";
import type { RotationPorts } from "./ports.ts";
import type { ConsumerResult, RotationOptions, RotationResult } from "./types.ts";

/** How often in a row the model has to know a new key: its front ends learn of it one by one. */
const KNOCKS = 3;

/** After how many refusals it looks whether another run took over. */
const KNOCKS_PER_LOOK = 10;

/**
 * Gives the account's consumers a new key, while the one they hold stays valid at every instant: the idle slot gets a new
 * key, which is proved, written as a new version of the secret, and brought to each consumer. The phases are
 * written into the tags of the secret's versions; a run that was killed is gone on with.
 * @throws KilnError exit code 4 when another run works on it, 5 when the time is up or the secret holds no live key
 */
export async function rotate(ports: RotationPorts, options: RotationOptions): Promise<RotationResult> {
  const rotation = new Rotation(ports, options);
  try {
    return await rotation.run();
  } catch (error) {
    if (!(error instanceof OutOfPatience)) throw error;
    throw new KilnError(
      {
        code: "RotationTimeout",
        message: `${error.message} (phase "${rotation.phase}")`,
        cause: `${error.cause} The key in use is still valid.`,
        next: "Run it again: it goes on from there.",
      },
      exitCodes.check,
    );
  }
}

class Rotation {
  phase: Phase = "prepare";
  readonly #ports: RotationPorts;
  readonly #options: RotationOptions;
  readonly #phases: { phase: Phase; began: number; openMs: number }[] = [];
  readonly #calls: Calls;
  #id: string | undefined;
  /** Whether the slot that is left gets a new key as well. */
  #revokes = false;

  constructor(ports: RotationPorts, options: RotationOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#calls = new Calls(options);
  }

  get #context() {
    return { calls: this.#calls, options: this.#options };
  }

  async run(): Promise<RotationResult> {
    this.#begin("prepare", "looking for the active slot");
    const { keys, secret } = this.#ports;
    const [current, live, references] = await Promise.all([
      this.#calls.call("Reading the secret", () => secret.read()),
      this.#calls.call("Reading the account's keys", () => keys.list()),
      Promise.all(this.#ports.consumers.map((each) => requireReferences(each, this.#context))),
    ]);
    const plan = planRotation({ current, live, now: this.#options.now() }, this.#options);
    // The plan refuses where there is none.
    const held = current as SecretVersion;
    if (plan.kind === "young") return this.#young(plan, held);
    const claim = new Claim(this.#calls, secret, this.#options, held);
    if (plan.kind === "adopt") return this.#adopt(claim, held, live);
    const before = readJournal(held.tags);
    this.#id = plan.resumed ? (before.rotation ?? randomUUID()) : randomUUID();
    this.#revokes = this.#options.revokeOld || (plan.resumed && before.revoke);
    if (plan.resumed) this.#options.tell(`going on with a rotation that stopped at "${before.phase}"`);

    if (plan.kind === "revoke" || plan.kind === "refresh") {
      // The version in use is the new one already.
      const wrote = { version: held.version, slot: plan.active, key: held.value };
      await claim.take(plan.kind === "revoke" ? "drained" : "refresh", this.#journal(plan.active));
      return this.#finish(claim, plan, otherSlot(plan.active), wrote);
    }
    const target = otherSlot(plan.active);
    if (plan.kind === "rotate") {
      const ms = await this.#vacate(claim, held, plan.active, references);
      await claim.take("regenerate", this.#journal(plan.active), { ms, reason: drainReason(ms) });
    } else {
      await claim.take("test", this.#journal(plan.active));
    }
    await this.#requireKeys(live);
    const key = plan.kind === "rotate" ? await this.#regenerate(claim, plan.active) : live[target];
    await this.#test(claim, key, target);
    this.#begin("write", "a new version of the secret");
    await claim.mark("write", this.#journal(plan.active));
    const wrote = await this.#write(claim, key, target);
    return this.#finish(claim, plan, plan.active, wrote);
  }

  /** What was planned was planned on these keys. */
  async #requireKeys(live: Readonly<Record<Slot, KeyMaterial>>): Promise<void> {
    const now = await this.#calls.call("Reading the account's keys", () => this.#ports.keys.list());
    if (SLOTS.every((slot) => now[slot].equals(live[slot]))) return;
    throw locked("A key of the account was regenerated while this run began.");
  }

  /**
   * Makes sure that nobody uses the idle slot's key any more. Whoever holds an older version may hold it, and gets the
   * current one.
   * @returns how long requests that began with it may still run, in milliseconds
   */
  async #vacate(
    claim: Claim,
    held: SecretVersion,
    active: Slot,
    references: readonly (readonly SettingReference[])[],
  ): Promise<number> {
    const { drainMs, now, tell } = this.#options;
    const behind = this.#ports.consumers.filter(
      (_, at) => !judgeReferences(references[at] ?? [], held.version).done,
    );
    // A run that goes on after this one was killed has to know that requests with the idle key may still run.
    if (behind.length > 0) await claim.mark("prepare", this.#journal(active));
    await Promise.all(
      behind.map(async (each) => {
        tell(`${each.app} does not have the current key yet; it gets it first`);
        await refresh(each, held.version, this.#context);
        await prove(each, held.value, this.#context);
      }),
    );
    return behind.length > 0 ? drainMs : drainLeft(held, now(), drainMs);
  }

  /** Waits for requests that began with a key that nobody holds any more. */
  async #drain(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { clock } = this.#options;
    const over = clock.now() + ms;
    const reason = drainReason(ms);
    await this.#calls.until("Letting go of the key before", async () => {
      const left = over - clock.now();
      return left <= 0
        ? { done: true, value: undefined }
        : { done: false, code: "Draining", reason, retryAfterMs: left };
    });
  }

  async #regenerate(claim: Claim, active: Slot): Promise<KeyMaterial> {
    const target = otherSlot(active);
    this.#begin("regenerate", `${target}, which nobody uses`);
    const key = await claim.change(`Regenerating ${target}`, () => this.#ports.keys.regenerate(target));
    this.#begin("test", "the new key, until the model knows it");
    await claim.mark("test", this.#journal(active));
    return key;
  }

  async #test(claim: Claim, key: KeyMaterial, target: Slot): Promise<void> {
    if (this.phase !== "test") this.#begin("test", `the key of ${target}`);
    let refused = 0;
    await this.#calls.until("Testing the new key", async () => {
      // In a row: a front end that knows the key says nothing of those that do not.
      for (let knock = 0; knock < KNOCKS; knock++) {
        const judged = judgeKnock(await this.#calls.once(() => this.#ports.model.knock(key)));
        if (judged.done) continue;
        // A key that is refused for long may have been replaced by another run.
        if (++refused % KNOCKS_PER_LOOK === 0) await claim.check();
        return judged;
      }
      return { done: true, value: undefined };
    });
  }

  async #write(claim: Claim, key: KeyMaterial, slot: Slot): Promise<Wrote> {
    const { tags, lifetimeDays, now } = this.#options;
    const journal = { ...this.#journal(slot), phase: "refresh" as const };
    const version = await claim.write(journal, (by) =>
      this.#ports.secret.write(key, {
        tags: writeJournal(tags, { ...journal, by }),
        slot,
        phase: "refresh",
        expiresOn: expiryOf(now(), lifetimeDays),
      }),
    );
    return { version, slot, key };
  }

  /** From the new version on: its consumers, what is too old, the end, and what is to come after it. */
  async #finish(claim: Claim, plan: Plan, from: Slot, wrote: Wrote): Promise<RotationResult> {
    let consumers: ConsumerResult[] = [];
    let disabled = 0;
    if (plan.kind !== "revoke") {
      this.#begin("refresh", `${this.#ports.consumers.length} consumer(s)`);
      const [settings, pruned] = await Promise.all([
        Promise.all(this.#ports.consumers.map((each) => refresh(each, wrote.version, this.#context))),
        this.#prune(claim, wrote.version),
      ]);
      disabled = pruned;
      this.#begin("prove", "that each consumer serves with the new key");
      await claim.mark("prove", this.#journal(wrote.slot));
      consumers = await Promise.all(
        this.#ports.consumers.map(async (each, at) => ({
          app: each.app,
          settings: settings[at] ?? [],
          proof: await prove(each, wrote.key, this.#context),
        })),
      );
      await claim.mark("drained", this.#journal(wrote.slot));
      this.#begin("drained", "");
    }
    if (this.#revokes) await this.#revoke(claim, from, wrote);
    const outcome =
      plan.kind === "adopt" ? "adopted" : "resumed" in plan && plan.resumed ? "resumed" : "rotated";
    return {
      outcome,
      slot: wrote.slot,
      from,
      version: wrote.version,
      rotation: this.#id,
      consumers,
      phases: this.#durations(),
      disabled,
      revoked: this.#revokes,
      calls: this.#calls.count,
    };
  }

  /** Ends the key that nobody holds any more. */
  async #revoke(claim: Claim, old: Slot, wrote: Wrote): Promise<void> {
    this.#options.tell(`revoking the key of ${old}`);
    await this.#drain(this.#options.drainMs);
    await Promise.all(this.#ports.consumers.map((each) => prove(each, wrote.key, this.#context)));
    await claim.change(`Regenerating ${old}`, () => this.#ports.keys.regenerate(old));
    await claim.mark("drained", { ...this.#journal(wrote.slot), revoke: false });
  }

  /** Writes the key that consumers most probably hold, if it is alive, else key1, and brings it to all of them. */
  async #adopt(
    claim: Claim,
    held: SecretVersion,
    live: Readonly<Record<Slot, KeyMaterial>>,
  ): Promise<RotationResult> {
    this.#id = randomUUID();
    const slot = (await this.#lastLiveSlot(held.version, live)) ?? "key1";
    this.#options.tell(`the secret gets the key of ${slot}`);
    await claim.take("write", this.#journal(slot));
    await this.#requireKeys(live);
    await this.#test(claim, live[slot], slot);
    this.#begin("write", "a new version of the secret");
    const wrote = await this.#write(claim, live[slot], slot);
    return this.#finish(claim, { kind: "adopt" }, slot, wrote);
  }

  async #lastLiveSlot(current: string, live: Readonly<Record<Slot, KeyMaterial>>): Promise<Slot | undefined> {
    const { secret } = this.#ports;
    const versions = await this.#calls.call("Reading the secret's versions", () => secret.versions());
    for (const { version, enabled } of versions) {
      if (!enabled || version === current) continue;
      const value = await this.#calls.call("Reading an older version", () => secret.readVersion(version));
      const slot = value === undefined ? undefined : slotOf(value, live);
      if (slot !== undefined) return slot;
    }
    return undefined;
  }

  async #prune(claim: Claim, current: string): Promise<number> {
    const { secret } = this.#ports;
    const versions = await this.#calls.call("Reading the secret's versions", () => secret.versions());
    const old = surplus(versions, current, this.#options.keepVersions);
    for (const { version } of old)
      await claim.change("Disabling an old version", () => secret.disable(version));
    return old.length;
  }

  #journal(slot: Slot): Omit<Journal, "by" | "phase"> {
    return { slot, rotation: this.#id, revoke: this.#revokes };
  }

  #young({ slot, ageMs }: Extract<Plan, { kind: "young" }>, held: SecretVersion): RotationResult {
    const none = { consumers: [], disabled: 0, revoked: false, rotation: undefined };
    const { version } = held;
    const phases = this.#durations();
    return { outcome: "young", slot, from: slot, version, ageMs, phases, calls: this.#calls.count, ...none };
  }

  #begin(phase: Phase, detail: string): void {
    this.phase = phase;
    this.#phases.push({ phase, began: this.#options.clock.now(), openMs: this.#calls.openMs });
    this.#options.onPhase(phase, detail);
  }

  #durations(): RotationResult["phases"] {
    const end = this.#options.clock.now();
    return this.#phases
      .map(({ phase, began, openMs }, at) => ({
        phase,
        durationMs: Math.round((this.#phases[at + 1]?.began ?? end) - began),
        cloudMs: Math.round((this.#phases[at + 1]?.openMs ?? this.#calls.openMs) - openMs),
      }))
      .filter(({ phase }) => phase !== "drained");
  }
}

function drainReason(ms: number): string {
  return `requests that began with the key before may run for ${Math.ceil(ms / 1000)} s`;
}

/** The new version, with what its consumers are compared with. */
interface Wrote {
  readonly version: string;
  readonly slot: Slot;
  readonly key: KeyMaterial;
}
