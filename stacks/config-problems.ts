import type { z } from "zod";
import type { EnvironmentKind } from "./environment.ts";
import { nearest } from "./environment.ts";
import { configSchema } from "./schema.ts";

/** What stands in for the file where a value came from the process's environment. */
export const ENVIRONMENT_VARIABLE = "environment variable";

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The file to edit, or what else holds the value; empty when it came from the command line. */
  readonly file: string;
  /** The key as it stands in the file, for example `kiln:foundry.model.capacity`; empty for the file as a whole. */
  readonly key: string;
  /** What is wrong, and what is allowed. */
  readonly message: string;
}

/** Configuration as it was found, before it is checked. */
export interface RawConfig {
  /** Values by key, without the namespace. */
  readonly values: Readonly<Record<string, unknown>>;
  /**
   * The file a key stands in; also for keys that stand nowhere yet, the file where they belong.
   * @param path the place within the key's value, the key itself first
   */
  readonly fileOf: (key: string, path?: readonly (string | number)[]) => string;
  /** What was already wrong with the files themselves. */
  readonly problems: readonly ConfigProblem[];
}

/** Everything that is wrong with an environment's configuration, in one readable message. */
export class ConfigError extends Error {
  readonly code = "InvalidConfiguration";
  readonly problems: readonly ConfigProblem[];
  /** Why, in plain words. */
  override readonly cause = "Configuration is checked as a whole before anything is touched.";
  /** What to do. */
  readonly next: string;

  /** @param headline what the problems are about. @default the configuration of the environment */
  constructor(environment: string, problems: readonly ConfigProblem[], headline?: string) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const lines = problems.map((problem) => `  ${describeProblem(problem)}`);
    super([headline ?? `The configuration of "${environment}" has ${count}:`, ...lines].join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
    const places = problems.map(({ file, key }) => (file === ENVIRONMENT_VARIABLE ? key : file));
    const files = [...new Set(places.filter((place) => place !== ""))];
    this.next =
      files.length === 0 ? "Use one of the allowed names." : `Correct ${files.join(", ")} and run it again.`;
  }
}

/** One problem as one line. */
export function describeProblem({ file, key, message }: ConfigProblem): string {
  const place = [file, key].filter((part) => part !== "").join(": ");
  return `${place} ${message}`;
}

/** A key nobody knows, with the nearest one somebody does. Pure. */
export function unknownKey(file: string, key: string, known: readonly string[], prefix = ""): ConfigProblem {
  const near = nearest(key, known);
  const hint =
    near === undefined ? `known: ${[...known].sort().join(", ")}` : `did you mean ${prefix}${near}?`;
  return { file, key: `${prefix}${key}`, message: `is not a known key (${hint})` };
}

/** Turns what the schema found into problems with file and key. Pure. */
export function problemsOf(
  error: z.ZodError,
  kind: EnvironmentKind,
  raw: Pick<RawConfig, "values" | "fileOf">,
): ConfigProblem[] {
  return error.issues.flatMap((issue): ConfigProblem[] => {
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    const file = raw.fileOf(String(path[0] ?? ""), path);
    if (issue.code === "unrecognized_keys") {
      const prefix = path.length === 0 ? "kiln:" : `${keyText(path)}.`;
      const known = knownKeys(kind, path, raw.values);
      return issue.keys.map((key) =>
        unknownKey(path.length === 0 ? raw.fileOf(key) : file, key, known, prefix),
      );
    }
    return [{ file, key: keyText(path), message: issue.message }];
  });
}

/** A place in the configuration as `pulumi config set --path` takes it: `kiln:serving.projects[0].name`. Pure. */
export function keyText(path: readonly (string | number)[]): string {
  const [first = "", ...rest] = path;
  return `kiln:${first}${rest.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("")}`;
}

/** The keys that are known at a path of the configuration. */
function knownKeys(
  kind: EnvironmentKind,
  path: readonly (string | number)[],
  values: Readonly<Record<string, unknown>>,
): string[] {
  if (path.join(".") === "foundry.functionApp") {
    const app = (values.foundry as { functionApp?: { mode?: unknown } }).functionApp;
    return app?.mode === "adopt" ? ["mode", "name", "resourceGroup"] : ["mode", "sku"];
  }
  let schema: unknown = configSchema(kind);
  let value: unknown = values;
  for (const part of path) {
    const inner = schemaFor(schema, value) as { element?: unknown; shape?: Record<string, unknown> };
    schema = typeof part === "number" ? inner.element : inner.shape?.[part];
    value = (value as Record<string, unknown> | undefined)?.[part];
  }
  return Object.keys((schemaFor(schema, value) as { shape: Record<string, unknown> }).shape);
}

/** The schema inside a default, and of several the one that the value says it is of. */
function schemaFor(schema: unknown, value: unknown): unknown {
  const { def } = schema as {
    def?: { innerType?: unknown; discriminator?: string; options?: readonly unknown[] };
  };
  if (def?.innerType !== undefined) return schemaFor(def.innerType, value);
  if (def?.discriminator === undefined) return schema;
  const said = (value as Record<string, unknown>)[def.discriminator];
  return def.options?.find((option) => {
    const { shape } = option as { shape: Record<string, { def: { values?: readonly unknown[] } }> };
    return shape[def.discriminator ?? ""]?.def.values?.includes(said) === true;
  });
}
