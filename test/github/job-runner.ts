/** Runs the jobs of a workflow's definition on this machine: what they run is what GitHub's runner would. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import type { Step, Workflow } from "../../components/github/model/workflow.ts";

type Values = { readonly [name: string]: string };

/** What expressions of a job can name. */
export interface Contexts {
  readonly inputs: Values;
  readonly vars: Values;
  readonly github: Values;
  /** `job.output`, from the jobs before. */
  readonly needs: Values;
  readonly matrix?: Values;
}

export interface JobOptions {
  readonly contexts: Contexts;
  /** The checkout. */
  readonly folder: string;
  /** Where the runner keeps its files. */
  readonly temp: string;
  /** The machine's environment, to which steps add. */
  readonly env: Values;
  /** What stands for an action: it may add to the environment of the steps after it. */
  readonly actions: { readonly [action: string]: (inputs: Values) => Promise<Values> };
}

export interface JobResult {
  readonly failed: boolean;
  readonly outputs: Values;
  /** What each step that ran came to. */
  readonly steps: readonly { readonly name: string; readonly failed: boolean; readonly log: string }[];
  readonly summary: string;
}

/** Runs a job to its end, as GitHub does: after a failure only what says so still runs. */
export async function runJob(definition: Workflow, id: string, options: JobOptions): Promise<JobResult> {
  const job = definition.jobs[id];
  if (job === undefined) throw new Error(`${definition.name} has no job ${id}`);
  const files = {
    GITHUB_OUTPUT: path.join(options.temp, "output"),
    GITHUB_STEP_SUMMARY: path.join(options.temp, "summary"),
  };
  mkdirSync(options.temp, { recursive: true });
  for (const file of Object.values(files)) writeFileSync(file, "");
  const known = new Map<string, string>(
    Object.entries(options.contexts).flatMap(([context, values]) =>
      Object.entries(values as Values).map(([name, value]): [string, string] => [
        `${context}.${name}`,
        value,
      ]),
    ),
  );
  known.set("needs.check.outputs.environment", options.contexts.needs["check.environment"] ?? "");
  known.set("runner.temp", options.temp);
  let added: Values = {};
  let failed = false;
  const steps: { name: string; failed: boolean; log: string }[] = [];
  const jobEnv = filledAll(job.env, known);
  for (const step of job.steps) {
    if (!wanted(step, known, failed)) continue;
    const before = readFileSync(files.GITHUB_OUTPUT, "utf8");
    const env = {
      ...options.env,
      ...added,
      ...jobEnv,
      ...filledAll(step.env, known),
      ...files,
      RUNNER_TEMP: options.temp,
    };
    const { ok, log, more } = await runStep(step, { ...options, env }, known);
    added = { ...added, ...more };
    steps.push({ name: step.name, failed: !ok, log });
    if (!ok && step["continue-on-error"] !== true) failed = true;
    if (step.id === undefined) continue;
    known.set(`steps.${step.id}.outcome`, ok ? "success" : "failure");
    const written = readFileSync(files.GITHUB_OUTPUT, "utf8").slice(before.length);
    for (const line of written.split("\n").filter((each) => each !== "")) {
      const [name = "", ...value] = line.split("=");
      known.set(`steps.${step.id}.outputs.${name}`, value.join("="));
    }
  }
  return {
    failed,
    outputs: filledAll(job.outputs, known),
    steps,
    summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8"),
  };
}

async function runStep(
  step: Step,
  options: JobOptions,
  known: ReadonlyMap<string, string>,
): Promise<{ ok: boolean; log: string; more: Values }> {
  if (step.uses !== undefined) {
    const inputs = Object.fromEntries(
      Object.entries(step.with ?? {}).map(([name, value]) => [name, filled(String(value), known)]),
    );
    const action = options.actions[step.uses.action];
    if (action === undefined) throw new Error(`nothing stands for ${step.uses.action}`);
    return { ok: true, log: "", more: await action(inputs) };
  }
  // As GitHub runs `shell: bash`.
  const done = await execa("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run], {
    cwd: path.join(options.folder, step["working-directory"] ?? ""),
    env: options.env,
    extendEnv: false,
    reject: false,
    all: true,
  });
  return { ok: done.exitCode === 0, log: done.all, more: {} };
}

function wanted(step: Step, known: ReadonlyMap<string, string>, failed: boolean): boolean {
  const condition = step.if ?? "success()";
  const holds = condition.split("&&").every((part) => {
    const text = part.trim();
    if (text === "always()" || text === "!cancelled()") return true;
    if (text === "success()") return !failed;
    const found = /^(?<name>[\w.-]+) == '(?<value>[^']*)'$/.exec(text)?.groups;
    if (found === undefined) throw new Error(`what does ${text} mean?`);
    return (known.get(found.name ?? "") ?? "") === found.value;
  });
  const asksForStatus = /\b(always|cancelled|failure|success)\(\)/.test(condition);
  return holds && (asksForStatus || !failed);
}

function filledAll(values: Values | undefined, known: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [name, filled(value, known)]),
  );
}

/** Puts values in for expressions; what nobody knows is empty, as on GitHub. */
function filled(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => known.get(name) ?? "");
}
