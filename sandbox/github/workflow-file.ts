import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { matchesPattern } from "./ruleset-match.ts";

const inputSchema = z.looseObject({
  required: z.boolean().optional(),
  default: z.unknown().optional(),
  type: z.enum(["string", "boolean", "number", "choice", "environment"]).default("string"),
  options: z.array(z.coerce.string()).optional(),
});
export type InputSpec = z.infer<typeof inputSchema>;

const dispatchSchema = z.looseObject({ inputs: z.record(z.string(), inputSchema.nullable()).nullish() });
const patterns = z.union([z.string().transform((one) => [one]), z.array(z.string())]).optional();
const pushSchema = z.looseObject({
  branches: patterns,
  "branches-ignore": patterns,
  tags: patterns,
  "tags-ignore": patterns,
  paths: patterns,
  "paths-ignore": patterns,
});
const pullRequestSchema = z.looseObject({
  types: patterns,
  branches: patterns,
  "branches-ignore": patterns,
  paths: patterns,
  "paths-ignore": patterns,
});
const jobSchema = z.looseObject({ name: z.string().optional() });
const fileSchema = z.looseObject({
  name: z.string().optional(),
  on: z.union([z.string(), z.array(z.string()), z.record(z.string(), z.unknown())]),
  jobs: z.record(z.string(), jobSchema),
});

/** What the sandbox needs to know of a workflow. */
export interface Workflow {
  readonly name: string | undefined;
  /** What follows each event in `on`. */
  readonly events: ReadonlyMap<string, unknown>;
  /** By their ids, with the names shown. */
  readonly jobs: readonly { readonly id: string; readonly name: string }[];
}

/** Reads a workflow's file, or says why it is none. */
export function readWorkflow(text: string): Workflow | { readonly problem: string } {
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  const file = fileSchema.safeParse(parsed);
  if (!file.success) {
    const [issue] = file.error.issues;
    return { problem: `${issue?.path.join(".") || "the file"}: ${issue?.message}` };
  }
  const { on, jobs, name } = file.data;
  const events =
    typeof on === "string"
      ? [[on, null] as const]
      : Array.isArray(on)
        ? on.map((each) => [each, null] as const)
        : Object.entries(on);
  return {
    name,
    events: new Map(events),
    jobs: Object.entries(jobs).map(([id, job]) => ({ id, name: job.name ?? id })),
  };
}

/**
 * Checks what a dispatch gives against what the workflow asks for.
 * @returns the inputs with defaults, or what GitHub says is wrong
 */
export function checkInputs(
  workflow: Workflow,
  given: Readonly<Record<string, unknown>>,
): { inputs: Record<string, string> } | { problem: string } {
  if (!workflow.events.has("workflow_dispatch")) {
    return { problem: "Workflow does not have 'workflow_dispatch' trigger" };
  }
  const dispatch = dispatchSchema.safeParse(workflow.events.get("workflow_dispatch") ?? {});
  if (!dispatch.success)
    return { problem: `Invalid workflow_dispatch: ${dispatch.error.issues[0]?.message}` };
  const specs = Object.entries(dispatch.data.inputs ?? {});
  const known = new Set(specs.map(([name]) => name));
  const unexpected = Object.keys(given).filter((name) => !known.has(name));
  if (unexpected.length > 0) return { problem: `Unexpected inputs provided: ${JSON.stringify(unexpected)}` };
  const inputs: Record<string, string> = {};
  for (const [name, spec] of specs) {
    const value = given[name] ?? spec?.default;
    if (value === undefined || value === null || value === "") {
      if (spec?.required === true) return { problem: `Required input '${name}' not provided` };
      inputs[name] = spec?.type === "boolean" ? "false" : "";
      continue;
    }
    const text = String(value);
    const problem = spec === null ? undefined : valueProblem(name, text, spec);
    if (problem !== undefined) return { problem };
    inputs[name] = text;
  }
  return { inputs };
}

function valueProblem(name: string, value: string, spec: InputSpec): string | undefined {
  const allowed =
    spec.type === "boolean" ? ["true", "false"] : spec.type === "choice" ? spec.options : undefined;
  if (allowed !== undefined && !allowed.includes(value)) {
    return `Provided value '${value}' for input '${name}' not in the list of allowed values`;
  }
  if (spec.type === "number" && Number.isNaN(Number(value))) {
    return `Provided value '${value}' for input '${name}' is not a number`;
  }
  return undefined;
}

/** Whether a push to a ref that changed these files starts the workflow. */
export function startsOnPush(workflow: Workflow, ref: string, files: readonly string[]): boolean {
  if (!workflow.events.has("push")) return false;
  const filter = pushSchema.safeParse(workflow.events.get("push") ?? {});
  if (!filter.success) return false;
  const { data } = filter;
  const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  if (kind === undefined) return false;
  const [own, ownIgnored, others] =
    kind === "heads"
      ? [data.branches, data["branches-ignore"], data.tags ?? data["tags-ignore"]]
      : [data.tags, data["tags-ignore"], data.branches ?? data["branches-ignore"]];
  // A filter for branches alone leaves tags out, and the other way round.
  if (own === undefined && ownIgnored === undefined && others !== undefined) return false;
  if (own !== undefined && !selected(name, own)) return false;
  if (ownIgnored?.some((pattern) => matchesPattern(name, pattern))) return false;
  return kind === "tags" || touches(data, files);
}

/** Source: docs.github.com, "Events that trigger workflows". */
const usualTypes = ["opened", "synchronize", "reopened"];

/** Whether something that happened to a pull request onto a branch starts the workflow. */
export function startsOnPullRequest(
  workflow: Workflow,
  happened: { readonly action: string; readonly base: string; readonly files: readonly string[] },
): boolean {
  if (!workflow.events.has("pull_request")) return false;
  const filter = pullRequestSchema.safeParse(workflow.events.get("pull_request") ?? {});
  if (!filter.success) return false;
  const { types = usualTypes, branches, "branches-ignore": ignored, ...paths } = filter.data;
  if (!types.includes(happened.action)) return false;
  if (branches !== undefined && !selected(happened.base, branches)) return false;
  if (ignored?.some((pattern) => matchesPattern(happened.base, pattern))) return false;
  return touches(paths, happened.files);
}

function touches(
  filter: { paths?: readonly string[] | undefined; "paths-ignore"?: readonly string[] | undefined },
  files: readonly string[],
): boolean {
  const { paths, "paths-ignore": ignored } = filter;
  if (paths !== undefined && !files.some((file) => selected(file, paths))) return false;
  return (
    ignored === undefined || !files.every((file) => ignored.some((pattern) => matchesPattern(file, pattern)))
  );
}

/** The last pattern that matches decides; one with `!` takes away. */
function selected(name: string, wanted: readonly string[]): boolean {
  return wanted.reduce((is, pattern) => {
    const negative = pattern.startsWith("!");
    return matchesPattern(name, negative ? pattern.slice(1) : pattern) ? !negative : is;
  }, false);
}
