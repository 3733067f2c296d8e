/**
 * The only reader of configuration and of the environment variables that steer the program. It serves the program, which
 * gets its values from the engine, and the kiln command, which reads the same values from the YAML files.
 */
import {
  ConfigError,
  type ConfigProblem,
  ENVIRONMENT_VARIABLE,
  keyText,
  problemsOf,
  type RawConfig,
  unknownKey,
} from "./config-problems.ts";
import { ENVIRONMENT_NAMES, type Environment, nearestEnvironment, parseEnvironment } from "./environment.ts";
import { MODEL_CHOICE, parseModelChoice, withModel } from "./model-choice.ts";
import { withProjectFiles } from "./project-files.ts";
import { configSchema, type KilnConfig } from "./schema.ts";
import { servingProblems } from "./serving-checks.ts";
import { readYamlMap } from "./yaml-file.ts";

export { ConfigError, type ConfigProblem, type RawConfig } from "./config-problems.ts";
export {
  ENVIRONMENT_NAMES,
  type Environment,
  type EnvironmentKind,
  nearest,
  nearestEnvironment,
  parseEnvironment,
} from "./environment.ts";
export { type EnvironmentResources, resolveEnvironment } from "./resolve.ts";
export type {
  FoundryConfig,
  FunctionAppConfig,
  KilnConfig,
  ModelConfig,
  PrincipalType,
  VaultCreateMode,
} from "./schema.ts";
export { EXPIRY_ANNOTATION, type ProjectConfig, type ServingConfig } from "./serving-config.ts";

/** The Pulumi project's name, and so the namespace of its configuration keys. */
export const PROJECT = "kiln";

/** The environment variables that steer the program. All are set by kiln and may be set by hand. */
export const STEERING_VARIABLES = {
  /** `default` or `recover`: how the vault is made. */
  vaultCreateMode: "KILN_VAULT_CREATE_MODE",
  /** One of the configured locations, when the first was full. */
  location: "KILN_LOCATION",
  /** `name@version`: another model than the configured one, for this run. */
  model: "KILN_MODEL",
  /** When a pr-<number> environment expires, as `2026-03-01T12:00:00Z`. */
  expiresOn: "KILN_EXPIRES_ON",
  /** Context of the kubeconfig, in place of the configured one: the sandbox has its own. */
  kubeContext: "KILN_KUBE_CONTEXT",
  /** Issuer of the cluster's service account tokens, in place of the configured one. */
  serviceAccountIssuer: "KILN_SERVICE_ACCOUNT_ISSUER",
  /** `1` brings stack traces back, which the program switches off because they are slow. */
  stackTraces: "KILN_STACK_TRACES",
} as const;

type Variables = Readonly<Record<string, string | undefined>>;

/** Whether someone asked for the program's stack traces. */
export function wantsStackTraces(variables: Variables): boolean {
  return variables[STEERING_VARIABLES.stackTraces] === "1";
}

/** The file that overrides values for one environment. */
export function stackFile(environment: string): string {
  return `Pulumi.${environment}.yaml`;
}

/**
 * Reads an environment name as a person types it.
 * @throws {ConfigError} naming the allowed names and the nearest one.
 */
export function requireEnvironment(name: string): Environment {
  const environment = parseEnvironment(name);
  if (environment !== undefined) return environment;
  const near = nearestEnvironment(name);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  const message = `is ${JSON.stringify(name)}; allowed: ${ENVIRONMENT_NAMES}${hint}`;
  const problem = { file: "", key: "environment", message };
  throw new ConfigError(name, [problem], "There is no such environment:");
}

/**
 * Checks raw configuration. Pure.
 * @param variables the process environment, or whatever stands for it.
 * @throws {ConfigError} with every problem at once.
 */
export function parseConfig(environment: Environment, raw: RawConfig, variables: Variables): KilnConfig {
  const problems: ConfigProblem[] = [...raw.problems];
  const wanted = variables[STEERING_VARIABLES.model] || undefined;
  const model = wanted === undefined ? undefined : parseModelChoice(wanted);
  if (wanted !== undefined && model === undefined)
    problems.push(variableProblem("model", wanted, MODEL_CHOICE));
  const values = withModel(raw.values, model);
  const parsed = configSchema(environment.kind).safeParse(values, { reportInput: true });
  if (!parsed.success) problems.push(...problemsOf(parsed.error, environment.kind, raw));
  else {
    const { serving, foundry, workload } = parsed.data;
    const around = { workload, environment: environment.name, foundry: foundry.enabled };
    for (const { path, message } of servingProblems(serving, around)) {
      const place = ["serving", ...path];
      problems.push({ file: raw.fileOf("serving", place), key: keyText(place), message });
    }
  }

  const mode = variables[STEERING_VARIABLES.vaultCreateMode] || "default";
  if (mode !== "default" && mode !== "recover") {
    problems.push(variableProblem("vaultCreateMode", mode, "default, recover"));
  }
  const chosen = variables[STEERING_VARIABLES.location] || undefined;
  const locations = [...new Set(locationsOf(raw.values))];
  if (chosen !== undefined && locations.length > 0 && !locations.includes(chosen)) {
    problems.push(
      variableProblem("location", chosen, `one of the configured locations, ${locations.join(", ")}`),
    );
  }
  const expiresOn = variables[STEERING_VARIABLES.expiresOn] || undefined;
  const wrongExpiry = expiresOn === undefined ? undefined : expiryProblem(expiresOn, environment);
  if (expiresOn !== undefined && wrongExpiry !== undefined)
    problems.push(variableProblem("expiresOn", expiresOn, wrongExpiry));
  const pinned = raw.values.pinnedLocation;
  if (typeof pinned === "string" && locations.length > 0 && !locations.includes(pinned)) {
    const message = `is ${JSON.stringify(pinned)}; allowed: one of the configured locations, ${locations.join(", ")}`;
    problems.push({ file: raw.fileOf("pinnedLocation"), key: `${PROJECT}:pinnedLocation`, message });
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(environment.name, problems);

  const { fallbackLocations, deployerType, location, pinnedLocation, serving, ...rest } = parsed.data;
  const context = variables[STEERING_VARIABLES.kubeContext] || serving.cluster.context;
  const issuer = variables[STEERING_VARIABLES.serviceAccountIssuer] || serving.cluster.serviceAccountIssuer;
  return {
    ...rest,
    serving: {
      ...serving,
      cluster: {
        ...(context === undefined ? {} : { context }),
        ...(issuer === undefined ? {} : { serviceAccountIssuer: issuer }),
      },
    },
    environment,
    location: chosen ?? pinnedLocation ?? location,
    locations: [...new Set([location, ...fallbackLocations])],
    deployerType,
    vaultCreateMode: mode === "recover" ? "recover" : "default",
    expiresOn,
  };
}

/** What an expiry may be, when it is not that. Pure. */
function expiryProblem(value: string, { kind }: Environment): string | undefined {
  if (kind !== "pr") return "nothing; only pr-<number> environments expire";
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/.test(value) && !Number.isNaN(Date.parse(value))
    ? undefined
    : "a time in UTC, like 2026-03-01T12:00:00Z";
}

/** Reads and checks the YAML files of an environment: what the kiln command does. @throws {ConfigError} */
export function loadConfig(projectDir: string, environmentName: string, variables: Variables): KilnConfig {
  const environment = requireEnvironment(environmentName);
  const raw = withProjectFiles(readConfigFiles(projectDir, environment), projectDir);
  return parseConfig(environment, raw, variables);
}

/** Takes the values the engine hands to the program, all of them text, lists and maps as JSON. Pure. */
export function fromEngine(environment: Environment, all: Readonly<Record<string, string>>): RawConfig {
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(all)) {
    if (!key.startsWith(`${PROJECT}:`)) continue;
    values[key.slice(PROJECT.length + 1)] = /^\s*[[{]/.test(value) ? (parseJson(value) ?? value) : value;
  }
  return { values, fileOf: () => `${stackFile(environment.name)} or Pulumi.yaml`, problems: [] };
}

/**
 * Reads `Pulumi.yaml` and, where there is one, `Pulumi.<env>.yaml`. A key of the second replaces the first's as a whole,
 * as the engine does it.
 * @param projectDir the folder of Pulumi.yaml.
 */
export function readConfigFiles(projectDir: string, environment: Environment): RawConfig {
  const values: Record<string, unknown> = {};
  const files: Record<string, string> = {};
  const problems: ConfigProblem[] = [];
  const own = stackFile(environment.name);

  const project = readYamlMap(
    projectDir,
    "Pulumi.yaml",
    "does not exist; it makes this folder a Pulumi project",
    problems,
  );
  if (Object.keys(project).length > 0 && project.name !== PROJECT) {
    problems.push({
      file: "Pulumi.yaml",
      key: "name",
      message: `is ${JSON.stringify(project.name)}; allowed: ${PROJECT}, the namespace of every key`,
    });
  }
  for (const [key, declared] of Object.entries(section(project, "Pulumi.yaml", problems))) {
    const name = key.startsWith(`${PROJECT}:`) ? key.slice(PROJECT.length + 1) : key;
    if (name.includes(":")) continue;
    const value = projectValue(declared);
    if (value === undefined) continue;
    values[name] = scalar(value);
    files[name] = "Pulumi.yaml";
  }

  const stack = readYamlMap(projectDir, own, undefined, problems);
  const known = ["config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"];
  for (const key of Object.keys(stack)) if (!known.includes(key)) problems.push(unknownKey(own, key, known));
  for (const [key, value] of Object.entries(section(stack, own, problems))) {
    if (!key.includes(":")) {
      problems.push({ file: own, key, message: `lacks its namespace; write ${PROJECT}:${key}` });
    } else if (key.startsWith(`${PROJECT}:`)) {
      const name = key.slice(PROJECT.length + 1);
      values[name] = scalar(value);
      files[name] = own;
    }
  }
  return { values, fileOf: (key) => files[key] ?? "Pulumi.yaml", problems };
}

/** A project-level entry is a plain value, or a declaration that carries it as `value` or `default`. */
function projectValue(declared: unknown): unknown {
  if (typeof declared !== "object" || declared === null || Array.isArray(declared)) return declared;
  const { value, default: fallback } = declared as { value?: unknown; default?: unknown };
  return value ?? fallback;
}

/** The engine hands plain values over as text, whatever YAML made of them; so does this reader. */
function scalar(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

function section(
  content: Record<string, unknown>,
  file: string,
  problems: ConfigProblem[],
): Record<string, unknown> {
  const config = content.config;
  if (config === undefined || config === null) return {};
  if (typeof config === "object" && !Array.isArray(config)) return config as Record<string, unknown>;
  problems.push({ file, key: "config", message: "is not a map of keys and values" });
  return {};
}

function locationsOf(values: Readonly<Record<string, unknown>>): string[] {
  const fallback: unknown[] = Array.isArray(values.fallbackLocations) ? values.fallbackLocations : [];
  return [values.location, ...fallback].filter((value) => typeof value === "string");
}

function variableProblem(
  name: keyof typeof STEERING_VARIABLES,
  value: string,
  allowed: string,
): ConfigProblem {
  const message = `is ${JSON.stringify(value)}; allowed: ${allowed}`;
  return { file: ENVIRONMENT_VARIABLE, key: STEERING_VARIABLES[name], message };
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
