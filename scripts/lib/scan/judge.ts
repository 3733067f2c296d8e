import { posix } from "node:path";
import type { Allowance, BaselineEntry, Scope } from "./config.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Hit } from "./hits.ts";
import { faultOf, type InlineAllowance, speaksFor } from "./inline.ts";
import { catalogue } from "./linter.ts";
import { shownPath } from "./paths.ts";

/** A secret that nothing lets pass. It names the place and holds nothing of the secret. */
export interface Finding {
  readonly rule: string;
  /** What it is, in words. */
  readonly title: string;
  /** From the top folder; of a log, as it was given. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly fingerprint: string;
  /** Where it came into the history. */
  readonly commit?: string;
  /** In how many versions of the file it stands, in the history. */
  readonly versions?: number;
}

/** What something lets pass, counted. */
export interface Allowed {
  readonly inline: number;
  readonly list: number;
  readonly baseline: number;
}

export interface JudgeOptions {
  readonly scope: Scope;
  readonly allowances: readonly Allowance[];
  readonly baseline: readonly BaselineEntry[];
  /** `YYYY-MM-DD`, in UTC. */
  readonly today: string;
  /** Whether everything of its scope is seen, so that an allowance that nothing needed is idle. */
  readonly whole: boolean;
}

/** Where hits were found. */
export interface Source {
  readonly path: string;
  readonly commit?: string;
  readonly inline?: readonly InlineAllowance[];
}

/** The rule of an inline allowance that does not hold. */
export const FAULTY_ALLOWANCE = "faulty-allowance";

/** After so many in one source the rest are only counted: nobody reads them, and guessing-proof fingerprints take time. */
const MOST = 1000;

/** Decides of each hit whether it is a finding. */
export class Judge {
  readonly #options: JudgeOptions;
  readonly #rules = new Map(catalogue().map((rule) => [rule.id, rule]));
  readonly #names = new Set(this.#rules.keys());
  readonly #known: ReadonlySet<string>;
  readonly #findings: Finding[] = [];
  readonly #byFingerprint = new Map<string, Finding & { versions: number }>();
  readonly #usedAllowances = new Set<Allowance>();
  readonly #usedBaseline = new Set<string>();
  readonly #expired = new Set<Allowance>();
  readonly #idle: string[] = [];
  readonly #allowed = { inline: 0, list: 0, baseline: 0 };
  readonly #more = new Map<string, number>();
  readonly #prints = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#known = new Set(options.baseline.map((entry) => entry.fingerprint));
  }

  /** Judges the hits of one source. In the history one secret in one path counts once, at its first commit. */
  async judge(source: Source, hits: AsyncIterable<Hit> | Iterable<Hit>): Promise<void> {
    const used = new Set<InlineAllowance>();
    const inline = (source.inline ?? []).filter((each) => this.#holds(each, source));
    const now = this.#options.scope === "files";
    for await (const hit of hits) {
      const spoken = inline.find((each) => speaksFor(each, hit.rule, hit.line));
      if (spoken === undefined) this.#decide(source, hit);
      else {
        used.add(spoken);
        this.#allowed.inline++;
      }
    }
    for (const each of inline) {
      if (!now || used.has(each)) continue;
      this.#idle.push(`${shownPath(source.path)}:${each.line} allows ${each.rule}, which is not there.`);
    }
  }

  /** What it came to. */
  verdict(): { findings: Finding[]; allowed: Allowed; notices: string[] } {
    return {
      findings: [...this.#findings, ...this.#byFingerprint.values()],
      allowed: { ...this.#allowed },
      notices: this.#notices(),
    };
  }

  /** Whether an inline allowance holds; one that does not is a finding itself. */
  #holds(each: InlineAllowance, source: Source): boolean {
    const title = faultOf(each, this.#names);
    if (title === undefined) return true;
    // What the past allowed wrongly was corrected, or is still in the files.
    if (this.#options.scope !== "files") return false;
    const { line, column } = each;
    this.#add(source, { rule: FAULTY_ALLOWANCE, secret: each.rule, line, column }, title);
    return false;
  }

  #decide(source: Source, hit: Hit): void {
    const rule = this.#rules.get(hit.rule);
    let known: string | undefined;
    const print = () => {
      known ??= this.#fingerprint(hit.rule, source.path, hit.secret, rule?.chosen === true);
      return known;
    };
    const allowance = this.#options.allowances.find((each) => this.#allows(each, source.path, hit, print));
    if (allowance !== undefined) {
      this.#usedAllowances.add(allowance);
      this.#allowed.list++;
      return;
    }
    const count = (this.#counts.get(source.path) ?? 0) + 1;
    this.#counts.set(source.path, count);
    if (count > MOST && this.#options.scope !== "history") {
      this.#more.set(source.path, count - MOST);
    } else if (this.#known.has(print())) {
      this.#usedBaseline.add(print());
      this.#allowed.baseline++;
    } else this.#add(source, hit, rule?.title ?? hit.rule, print());
  }

  /** A file's versions have the same secret over and over, and one that people chose takes its time. */
  #fingerprint(...of: Parameters<typeof fingerprint>): string {
    const key = JSON.stringify(of);
    const print = this.#prints.get(key) ?? fingerprint(...of);
    this.#prints.set(key, print);
    return print;
  }

  #allows(each: Allowance, path: string, hit: Hit, print: () => string): boolean {
    if (each.rule !== undefined && each.rule !== hit.rule) return false;
    if (each.in !== undefined && !each.in.includes(this.#options.scope)) return false;
    if (each.path !== undefined && each.path !== path && !posix.matchesGlob(path, each.path)) return false;
    if (each.pattern !== undefined && !each.pattern.test(hit.secret)) return false;
    if (each.fingerprint !== undefined && each.fingerprint !== print()) return false;
    if (each.expires === undefined || each.expires >= this.#options.today) return true;
    this.#expired.add(each);
    return false;
  }

  #add(
    source: Source,
    hit: Hit,
    title: string,
    print = fingerprint(hit.rule, source.path, hit.secret, false),
  ): void {
    const finding: Finding = {
      rule: hit.rule,
      title,
      path: shownPath(source.path),
      line: hit.line,
      column: hit.column,
      fingerprint: print,
      ...(source.commit === undefined ? {} : { commit: source.commit }),
    };
    if (this.#options.scope !== "history") {
      this.#findings.push(finding);
      return;
    }
    const first = this.#byFingerprint.get(print);
    if (first === undefined) this.#byFingerprint.set(print, { ...finding, versions: 1 });
    else first.versions++;
  }

  #notices(): string[] {
    const { allowances, baseline, scope, whole } = this.#options;
    const name = (entry: Allowance) =>
      `allow[${allowances.indexOf(entry)}] (${entry.path ?? entry.fingerprint ?? "a pattern"})`;
    const notices = [...this.#expired].map(
      (entry) =>
        `The allowance ${name(entry)} ended on ${entry.expires}; what it let pass is a finding again.`,
    );
    for (const [path, count] of this.#more)
      notices.push(`${shownPath(path)} has ${count} findings more than are listed.`);
    notices.push(...this.#idle);
    if (!whole) return notices;
    for (const entry of allowances) {
      const applies = entry.in === undefined || entry.in.includes(scope);
      if (applies && !this.#usedAllowances.has(entry) && !this.#expired.has(entry))
        notices.push(`The allowance ${name(entry)} lets nothing pass: it can go.`);
    }
    for (const { fingerprint: print, path } of baseline) {
      if (!this.#usedBaseline.has(print))
        notices.push(
          `The baseline's ${print.slice(0, 12)}… of ${shownPath(path)} is no longer found: it can go.`,
        );
    }
    return notices;
  }
}
