import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import type { TokenCredential } from "@azure/identity";
import { exitCodes, KilnError } from "../../lib/errors.ts";
import type { ClientOptions } from "../../lib/keys/azure-account-keys.ts";
import { asKilnError } from "../../lib/keys/cloud-answer.ts";
import { machineClock, type Patience } from "../../lib/keys/patience.ts";

/** A flag's values as given: a list for a flag that may repeat. */
export interface Flags {
  /** @throws UsageError when the flag is missing or empty. */
  one(name: string): string;
  /** A whole number within bounds, or the default. @throws UsageError when it is not one. */
  whole(name: string, fallback: number, min: number, max: number): number;
  /** Values of a flag that may repeat; none when it is missing. */
  many(name: string): readonly string[];
  /** Values of the form NAME=VALUE, by name. @throws UsageError when one has another form. */
  pairs(name: string): Readonly<Record<string, string>>;
}

/** What a step is. */
export interface Step {
  /** One line: what it does. */
  readonly summary: string;
  /** Its flags, each with the word that stands for its value in the usage. */
  readonly flags: Readonly<
    Record<string, { readonly value: string; readonly many?: true; readonly optional?: true }>
  >;
  /** Does it, and gives what is printed as one line of JSON: never a secret. */
  run(flags: Flags, context: StepContext): Promise<Readonly<Record<string, unknown>>>;
}

/** What a step works with. */
export interface StepContext {
  /** Whoever the environment says one is. */
  credential(): Promise<TokenCredential>;
  /** Patience with the given budget in minutes; its messages go to stderr. */
  patience(minutes: number): Patience;
  /** How the cloud is reached; the environment says it all. */
  readonly clientOptions: ClientOptions;
}

/** Wrong usage of a step. */
export class UsageError extends Error {}

/** Text for people on stderr; the result for programs on stdout. */
export interface StepStreams {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** Runs a step and gives its exit code: 0 done, 1 the cloud failed, 2 wrong usage. Never throws. */
export async function runStep(
  name: string,
  step: Step,
  args: readonly string[],
  streams: StepStreams,
  context: StepContext = environmentContext(streams),
): Promise<number> {
  try {
    const result = await step.run(readFlags(step, args), context);
    streams.out(JSON.stringify(result));
    return exitCodes.done;
  } catch (error) {
    if (error instanceof UsageError) {
      streams.err(`${name}: ${error.message}`);
      streams.err(usage(name, step));
      return exitCodes.usage;
    }
    const { message, cause, next } = asKilnError(
      error,
      `${name} failed`,
      "Mend the cause, then run it again.",
    );
    streams.err(`${message}\n  why: ${cause}\n  next: ${next}`);
    return error instanceof KilnError ? error.exitCode : exitCodes.failed;
  }
}

/** What the process's environment gives a step to work with. */
function environmentContext(streams: StepStreams): StepContext {
  return {
    credential: async () => new (await import("@azure/identity")).DefaultAzureCredential(),
    patience: (minutes) => ({ budgetMs: minutes * 60_000, clock: machineClock, tell: streams.err }),
    clientOptions: {},
  };
}

/** Runs a step as this process. */
export async function main(name: string, step: Step): Promise<void> {
  const streams = { out: (line: string) => console.log(line), err: (line: string) => console.error(line) };
  process.exitCode = await runStep(name, step, process.argv.slice(2), streams);
}

/** How a step is called. Pure. */
export function usage(name: string, step: Step): string {
  const words = Object.entries(step.flags).map(([flag, { value, many, optional }]) => {
    const word = `--${flag}=${value}${many === true ? "…" : ""}`;
    return optional === true ? `[${word}]` : word;
  });
  return `usage: node scripts/steps/${name}.ts ${words.join(" ")}\n${step.summary}`;
}

/** Reads the flags strictly. Pure. @throws UsageError */
export function readFlags(step: Step, args: readonly string[]): Flags {
  const values = parsedFlags(step, args);
  const missing = Object.entries(step.flags)
    .filter(([flag, { optional }]) => optional !== true && (values[flag] ?? []).length === 0)
    .map(([flag]) => `--${flag}`);
  if (missing.length > 0) throw new UsageError(`${missing.join(", ")} missing`);
  const empty = Object.keys(values).filter((flag) => values[flag]?.includes(""));
  if (empty.length > 0) throw new UsageError(`${empty.map((flag) => `--${flag}`).join(", ")} empty`);
  const many = (name: string): readonly string[] => values[name] ?? [];
  return {
    many,
    one(name) {
      const value = many(name).at(-1);
      if (value === undefined) throw new UsageError(`--${name} missing`);
      return value;
    },
    whole(name, fallback, min, max) {
      const value = Number(many(name).at(-1) ?? fallback);
      if (Number.isInteger(value) && value >= min && value <= max) return value;
      throw new UsageError(`--${name} takes a whole number from ${min} to ${max}`);
    },
    pairs(name) {
      return Object.fromEntries(many(name).map((pair) => splitPair(name, pair)));
    },
  };
}

function parsedFlags(step: Step, args: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const options: ParseArgsOptionsConfig = {};
  for (const flag of Object.keys(step.flags)) options[flag] = { type: "string", multiple: true };
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    return values as Record<string, string[]>;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function splitPair(flag: string, pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 1) throw new UsageError(`--${flag} takes NAME=VALUE`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}
