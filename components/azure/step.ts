import { Command } from "@pulumi/command/local/command.js";
import { all, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";

/**
 * Where the steps are, seen from wherever the command runs. The engine starts a provider in the folder of the program's
 * entry, one below the project's, hence `..`; whoever runs commands elsewhere says so in KILN_PROJECT_DIR. The shell
 * resolves it, and no `dir` is set, so that no path of a machine enters the state: two checkouts see no difference.
 */
const PROJECT_DIR = `"\${KILN_PROJECT_DIR:-..}"`;

/** Flags of a step. A list repeats the flag; false and undefined leave it out, true gives it without a value. */
export type StepFlags = Readonly<
  Record<string, Input<string | number | boolean | readonly string[] | undefined>>
>;

/** Arguments of {@link runStep}. */
export interface StepArgs {
  /** File name of the step in scripts/steps, without its ending. */
  readonly step: string;
  /** Identifiers only. A secret has no place in a process's arguments, nor in the state, where these stand too. */
  readonly flags: StepFlags;
  /** A change of any of these runs the step again. So does a change of the flags. */
  readonly triggers?: readonly Input<string>[];
  /** Flags with which the step runs when the resource is deleted. @default nothing runs */
  readonly deleteFlags?: StepFlags;
}

/** Runs a step of Kiln as a command of the stack, with whatever identity and network the engine's environment has. */
export function runStep(name: string, args: StepArgs, options?: CustomResourceOptions): Command {
  return new Command(
    name,
    {
      create: resolvedLine(args.step, args.flags),
      ...(args.deleteFlags === undefined ? {} : { delete: resolvedLine(args.step, args.deleteFlags) }),
      ...(args.triggers === undefined ? {} : { triggers: [...args.triggers] }),
      // Progress goes to stderr; stdout is one line of JSON for whoever reads the output.
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    options,
  );
}

function resolvedLine(step: string, flags: StepFlags): Output<string> {
  return all(flags).apply((values) => stepLine(step, values));
}

/** A flag's value once it is known. */
export type FlagValue = string | number | boolean | readonly string[] | undefined;

/** The command line of a step for a POSIX shell. Pure. */
export function stepLine(step: string, flags: Readonly<Record<string, FlagValue>>): string {
  const words = Object.entries(flags).flatMap(([flag, value]) => {
    if (value === undefined || value === false) return [];
    if (value === true) return [`--${flag}`];
    const values = typeof value === "object" ? value : [String(value)];
    return values.map((each) => `--${flag}=${quote(each)}`);
  });
  return [`node ${PROJECT_DIR}/scripts/steps/${step}.ts`, ...words].join(" ");
}

/** One word for a POSIX shell, whatever it holds. Pure. */
export function quote(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
