import { randomUUID } from "node:crypto";
import { exitCodes, KilnError } from "../errors.ts";
import type { KeyMaterial } from "../keys/key-material.ts";
import { OutOfPatience } from "../keys/patience.ts";
import type { Phase, SecretVersion, SettingReference, Slot } from "../keys/ports.ts";
import { expiryOf, slotOf } from "../keys/sync.ts";
import { Calls } from "./calls.ts";
import { prove, refresh, requireReferences } from "./consumers.ts";
import { type Journal, readJournal, writeJournal } from "./journal.ts";
import { judgeKnock, judgeReferences, surplus } from "./judge.ts";
import { otherSlot, type Plan, planRotation } from "./plan.ts";
import type { RotationPorts } from "./ports.ts";
import type { ConsumerResult, RotationOptions, RotationResult } from "./types.ts";

/** How often in a row the model has to know a new key: its front ends learn of it one by one. */
const KNOCKS = 3;

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
  readonly #phases: { phase: Phase; began: number }[] = [];
  readonly #calls: Calls;
  #id: string | undefined;

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
    if (plan.kind === "adopt") return this.#adopt(held, live);
    const before = readJournal(held.tags);
    this.#id = plan.resumed ? (before.rotation ?? randomUUID()) : randomUUID();
    const revoke = this.#options.revokeOld || (plan.resumed && before.revoke);
    if (plan.resumed) this.#options.tell(`going on with a rotation that stopped at "${before.phase}"`);

    if (plan.kind === "revoke" || plan.kind === "refresh") {
      // The version in use is the new one already.
      const from = otherSlot(plan.active);
      await this.#mark(held, plan.kind === "revoke" ? "drained" : "refresh", plan.active, revoke);
      const wrote = { version: held.version, tags: held.tags, slot: plan.active, key: held.value };
      return this.#finish(plan, from, wrote, revoke);
    }
    if (plan.kind === "rotate") await this.#catchUp(held, references);
    const target = otherSlot(plan.active);
    const key = plan.kind === "rotate" ? await this.#regenerate(held, plan.active, revoke) : live[target];
    if (plan.kind === "test") await this.#mark(held, "test", plan.active, revoke);
    await this.#test(key, target);
    this.#begin("write", "a new version of the secret");
    await this.#mark(held, "write", plan.active, revoke);
    await this.#guard(held.version);
    const wrote = await this.#write(key, target, revoke);
    return this.#finish(plan, plan.active, wrote, revoke);
  }

  /** Whoever holds an older version may hold the idle slot's key: they get the current one before that is regenerated. */
  async #catchUp(held: SecretVersion, references: readonly (readonly SettingReference[])[]): Promise<void> {
    const behind = this.#ports.consumers.filter(
      (_, at) => !judgeReferences(references[at] ?? [], held.version).done,
    );
    await Promise.all(
      behind.map(async (each) => {
        this.#options.tell(`${each.app} does not have the current key yet; it gets it first`);
        await refresh(each, held.version, this.#context);
        await prove(each, held.value, this.#context);
      }),
    );
  }

  /** Says first that it begins, and makes sure that no other run said so at the same time. */
  async #regenerate(held: SecretVersion, active: Slot, revoke: boolean): Promise<KeyMaterial> {
    const target = otherSlot(active);
    await this.#mark(held, "prepare", active, revoke);
    await this.#guard(held.version);
    this.#begin("regenerate", `${target}, which nobody uses`);
    await this.#mark(held, "regenerate", active, revoke);
    const key = await this.#calls.call(`Regenerating ${target}`, () => this.#ports.keys.regenerate(target));
    this.#begin("test", "the new key, until the model knows it");
    await this.#mark(held, "test", active, revoke);
    return key;
  }

  async #test(key: KeyMaterial, target: Slot): Promise<void> {
    if (this.phase !== "test") this.#begin("test", `the key of ${target}`);
    for (let knock = 0; knock < KNOCKS; knock++) {
      await this.#calls.until("Testing the new key", async () =>
        judgeKnock(await this.#calls.once(() => this.#ports.model.knock(key))),
      );
    }
  }

  async #write(key: KeyMaterial, slot: Slot, revoke: boolean): Promise<Wrote> {
    const { tags, lifetimeDays, now } = this.#options;
    const journal = writeJournal(tags, this.#journal("refresh", slot, revoke));
    const labels = {
      tags: journal,
      slot,
      phase: "refresh" as const,
      expiresOn: expiryOf(now(), lifetimeDays),
    };
    const version = await this.#calls.call("Writing the new version", () =>
      this.#ports.secret.write(key, labels),
    );
    return { version, tags: journal, slot, key };
  }

  /** From the new version on: its consumers, what is too old, the end, and what is to come after it. */
  async #finish(plan: Plan, from: Slot, wrote: Wrote, revoke: boolean): Promise<RotationResult> {
    let consumers: ConsumerResult[] = [];
    let disabled = 0;
    if (plan.kind !== "revoke") {
      this.#begin("refresh", `${this.#ports.consumers.length} consumer(s)`);
      const [settings, pruned] = await Promise.all([
        Promise.all(this.#ports.consumers.map((each) => refresh(each, wrote.version, this.#context))),
        this.#prune(wrote.version),
      ]);
      disabled = pruned;
      this.#begin("prove", "that each consumer serves with the new key");
      await this.#mark(wrote, "prove", wrote.slot, revoke);
      consumers = await Promise.all(
        this.#ports.consumers.map(async (each, at) => ({
          app: each.app,
          settings: settings[at] ?? [],
          proof: await prove(each, wrote.key, this.#context),
        })),
      );
      await this.#mark(wrote, "drained", wrote.slot, revoke);
      this.#begin("drained", "");
    }
    if (revoke) await this.#revoke(from, wrote);
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
      revoked: revoke,
      calls: this.#calls.count,
    };
  }

  /** Ends the key that nobody holds any more. */
  async #revoke(old: Slot, wrote: Wrote): Promise<void> {
    const { drainMs, tell, clock } = this.#options;
    tell(
      `revoking the key of ${old}; waiting ${Math.round(drainMs / 1000)} s for requests that began with it`,
    );
    const over = clock.now() + drainMs;
    await this.#calls.until("Waiting for requests with the old key", async () => {
      const left = over - clock.now();
      if (left <= 0) return { done: true, value: undefined };
      return {
        done: false,
        code: "Draining",
        reason: "requests with the old key may still run",
        retryAfterMs: left,
      };
    });
    await Promise.all(this.#ports.consumers.map((each) => prove(each, wrote.key, this.#context)));
    await this.#guard(wrote.version);
    await this.#calls.call(`Regenerating ${old}`, () => this.#ports.keys.regenerate(old));
    await this.#mark(wrote, "drained", wrote.slot, false);
  }

  /** Writes the key that consumers most probably hold, if it is alive, else key1, and brings it to all of them. */
  async #adopt(held: SecretVersion, live: Readonly<Record<Slot, KeyMaterial>>): Promise<RotationResult> {
    this.#id = randomUUID();
    const slot = (await this.#lastLiveSlot(held.version, live)) ?? "key1";
    this.#options.tell(`the secret gets the key of ${slot}`);
    await this.#test(live[slot], slot);
    this.#begin("write", "a new version of the secret");
    const wrote = await this.#write(live[slot], slot, false);
    return this.#finish({ kind: "adopt" }, slot, wrote, false);
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

  async #prune(current: string): Promise<number> {
    const { secret } = this.#ports;
    const versions = await this.#calls.call("Reading the secret's versions", () => secret.versions());
    const old = surplus(versions, current, this.#options.keepVersions);
    for (const { version } of old)
      await this.#calls.call("Disabling an old version", () => secret.disable(version));
    return old.length;
  }

  /** Puts a phase into the journal. */
  async #mark(
    { version, tags }: Pick<SecretVersion, "version" | "tags">,
    phase: Phase,
    slot: Slot,
    revoke: boolean,
  ): Promise<void> {
    const journal = writeJournal(tags, this.#journal(phase, slot, revoke));
    await this.#calls.call("Writing the journal", () => this.#ports.secret.updateTags(version, journal));
  }

  #journal(phase: Phase, slot: Slot, revoke: boolean): Journal {
    return { phase, slot, rotation: this.#id, by: this.#options.by, revoke };
  }

  /** Before what cannot be undone: makes sure that nobody else took over. The vault has no lock that could be held. */
  async #guard(version: string): Promise<void> {
    const now = await this.#calls.call("Reading the journal", () => this.#ports.secret.read());
    const by = now === undefined ? undefined : readJournal(now.tags).by;
    if (now?.version === version && by === this.#options.by) return;
    throw new KilnError(
      {
        code: "Locked",
        message: "another run works on the same rotation",
        cause: `The journal in the vault names ${by ?? "nobody"}, not this run (${this.#options.by}).`,
        next: "Let it finish. The key in use is still valid.",
      },
      exitCodes.locked,
    );
  }

  #young({ slot, ageMs }: Extract<Plan, { kind: "young" }>, held: SecretVersion): RotationResult {
    const none = { consumers: [], disabled: 0, revoked: false, rotation: undefined };
    const { version } = held;
    const phases = this.#durations();
    return { outcome: "young", slot, from: slot, version, ageMs, phases, calls: this.#calls.count, ...none };
  }

  #begin(phase: Phase, detail: string): void {
    this.phase = phase;
    this.#phases.push({ phase, began: this.#options.clock.now() });
    this.#options.onPhase(phase, detail);
  }

  #durations(): RotationResult["phases"] {
    const end = this.#options.clock.now();
    return this.#phases
      .map(({ phase, began }, at) => ({
        phase,
        durationMs: Math.round((this.#phases[at + 1]?.began ?? end) - began),
      }))
      .filter(({ phase }) => phase !== "drained");
  }
}

/** The new version, with what its journal and its consumers are compared with. */
interface Wrote {
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly slot: Slot;
  readonly key: KeyMaterial;
}
