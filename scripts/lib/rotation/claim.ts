import { exitCodes, KilnError } from "../errors.ts";
import type { Clock } from "../keys/patience.ts";
import type { Phase, SecretVersion, VersionedSecret } from "../keys/ports.ts";
import type { Calls } from "./calls.ts";
import { type Journal, readJournal, writeJournal } from "./journal.ts";

/** How old the last look at the journal may be when something is done on the strength of it, in milliseconds. */
const FRESH_MS = 500;

/**
 * How long whoever has written its name into the journal waits before it believes it: longer than another run's last
 * look and the call that followed it can take together, in milliseconds.
 */
const SETTLE_MS = 1_000;

/**
 * The right to work on a secret's rotation. A vault has no lock that could be held, so whoever wants to work on it writes
 * its name into the journal, waits until whatever others began before they could see it has happened, and looks
 * whether the name still stands. From then on it looks before each change: what it finds is what it left, or somebody
 * else has taken over and it changes nothing more.
 */
export class Claim {
  readonly #calls: Calls;
  readonly #secret: VersionedSecret;
  readonly #by: string;
  readonly #clock: Clock;
  /** What the journal must say. */
  #version: string;
  #journal: Journal;

  constructor(
    calls: Calls,
    secret: VersionedSecret,
    options: { readonly by: string; readonly clock: Clock },
    found: SecretVersion,
  ) {
    this.#calls = calls;
    this.#secret = secret;
    this.#by = options.by;
    this.#clock = options.clock;
    this.#version = found.version;
    this.#journal = readJournal(found.tags);
  }

  /**
   * Takes the right, and says in the same stroke what comes first.
   * @param wait what else is to be waited for before that, in milliseconds, and why
   * @throws KilnError `Locked`
   */
  async take(
    phase: Phase,
    journal: Omit<Journal, "by" | "phase">,
    wait: { readonly ms: number; readonly reason: string } = { ms: 0, reason: "" },
  ): Promise<void> {
    await this.mark(phase, journal);
    const over = this.#clock.now() + Math.max(SETTLE_MS, wait.ms);
    const reason = wait.ms > SETTLE_MS ? wait.reason : "others see it in a moment";
    await this.#calls.until("Making sure that no other run works on it", async () => {
      const left = over - this.#clock.now();
      if (left > 0) return { done: false, code: "Settling", reason, retryAfterMs: left };
      this.#require(await this.#read());
      return { done: true, value: undefined };
    });
  }

  /** Writes a phase into the journal. @throws KilnError `Locked` */
  async mark(phase: Phase, journal: Omit<Journal, "by" | "phase">): Promise<void> {
    const next: Journal = { ...journal, phase, by: this.#by };
    await this.change(
      "Writing the journal",
      ({ version, tags }) => this.#secret.updateTags(version, writeJournal(tags, next)),
      // It was written, and the answer was lost.
      (found) =>
        found.version === this.#version && same(readJournal(found.tags), next) ? written : undefined,
    );
    this.#journal = next;
  }

  /** Writes a new version of the secret, whose journal is this run's too. @throws KilnError `Locked` */
  async write(journal: Omit<Journal, "by">, work: (by: string) => Promise<string>): Promise<string> {
    const mine = { ...journal, by: this.#by };
    const version = await this.change(
      "Writing the new version",
      () => work(this.#by),
      // It was written, and the answer was lost.
      (found) => (same(readJournal(found.tags), mine) ? { value: found.version } : undefined),
    );
    this.#version = version;
    this.#journal = mine;
    return version;
  }

  /**
   * Changes something, having just made sure that nobody else took over.
   * @param already what the change comes to when it was made before, told by the secret
   * @throws KilnError `Locked`
   */
  change<T>(
    what: string,
    work: (current: SecretVersion) => Promise<T>,
    already: (current: SecretVersion) => { readonly value: T } | undefined = () => undefined,
  ): Promise<T> {
    return this.#calls.until(what, async () => {
      const began = this.#clock.now();
      const current = await this.#read();
      const before = current === undefined ? undefined : already(current);
      if (before !== undefined) return { done: true, ...before };
      const mine = this.#require(current);
      if (this.#clock.now() - began > FRESH_MS) {
        return { done: false, code: "VaultSlow", reason: "the vault answers too slowly to rely on" };
      }
      return { done: true, value: await this.#calls.once(() => work(mine)) };
    });
  }

  /** Looks whether the right still holds. @throws KilnError `Locked` */
  async check(): Promise<void> {
    this.#require(await this.#read());
  }

  #read(): Promise<SecretVersion | undefined> {
    return this.#calls.once(() => this.#secret.read());
  }

  #require(current: SecretVersion | undefined): SecretVersion {
    const journal = current === undefined ? undefined : readJournal(current.tags);
    if (current?.version === this.#version && journal !== undefined && same(journal, this.#journal)) {
      return current;
    }
    throw locked(`The journal in the vault names ${journal?.by ?? "nobody"}, not this run (${this.#by}).`);
  }
}

/** Another run is at work. */
export function locked(cause: string): KilnError {
  return new KilnError(
    {
      code: "Locked",
      message: "another run works on the same rotation",
      cause,
      next: "Let it finish, then run it again. The key in use is still valid.",
    },
    exitCodes.locked,
  );
}

const written = { value: undefined };

function same(a: Journal, b: Journal): boolean {
  return (["phase", "slot", "rotation", "by", "revoke"] as const).every((name) => a[name] === b[name]);
}
