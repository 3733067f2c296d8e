import { randomBytes } from "node:crypto";
import path from "node:path";
import { type Finished, runProcess } from "./child-process.ts";
import { within } from "./deadline.ts";
import { diffInputs } from "./diff.ts";
import type {
  CheckFailure,
  CheckRequest,
  CreateRequest,
  DeleteRequest,
  Difference,
  Provider,
  ReadRequest,
  Session,
  UpdateRequest,
} from "./provider.ts";
import {
  hasSecret,
  isList,
  isMap,
  mapValues,
  plainMap,
  redact,
  reveal,
  Secret,
  secretTexts,
  unknown,
  type Value,
  type ValueMap,
} from "./values.ts";

export interface CommandOptions {
  readonly commandEnv: () => Promise<Record<string, string>> | Record<string, string>;
  readonly projectDir: string;
}

const resourceToken = "command:local:Command";
const functionToken = "command:local:run";
const common = ["addPreviousOutputInEnv", "dir", "environment", "interpreter", "logging", "stdin"];
const properties: Readonly<Record<string, readonly string[]>> = {
  [resourceToken]: [...common, "create", "update", "delete", "triggers"],
  [functionToken]: [...common, "command"],
};
const loggings = ["stdout", "stderr", "stdoutAndStderr", "none"];
/** The only variables that a command has of the sandbox's own environment. */
const inherited = ["PATH", "HOME", "TMPDIR", "LANG"];
/** How much of a failed command's output its error shows, in characters. */
const shownOutput = 8_000;

/**
 * `command`: `local.Command` and `local.run`, as github.com/pulumi/pulumi-command runs them, with an environment and a
 * process group of their own. Assets of a command's output are not collected.
 */
export class Command implements Provider {
  readonly name = "command";
  readonly version = "1.2.1";
  readonly #options: CommandOptions;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Resolves when no command runs any more. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#running]);
  }

  configure(): void {}

  async check(request: CheckRequest): Promise<{ inputs: ValueMap; failures: CheckFailure[] }> {
    if (request.type !== resourceToken) {
      const reason = `the sandbox does not serve resource type '${request.type}'`;
      return { inputs: request.news, failures: [{ property: "", reason }] };
    }
    return { inputs: request.news, failures: failuresOf(resourceToken, request.news) };
  }

  diff(request: { oldInputs: ValueMap; inputs: ValueMap }): Difference {
    const changes = diffInputs(request.oldInputs, request.inputs, (names) => names[0] === "triggers");
    return { changes, deleteBeforeReplace: false };
  }

  async create(request: CreateRequest, session: Session): Promise<{ id: string; outputs: ValueMap }> {
    const id = `${request.name}${randomBytes(4).toString("hex")}`;
    if (request.preview) return { id: "", outputs: { ...request.inputs, stdout: unknown, stderr: unknown } };
    const outputs = await this.#run(request.inputs.create, request, {}, session);
    return { id, outputs: { ...request.inputs, ...outputs } };
  }

  async update(request: UpdateRequest, session: Session): Promise<ValueMap> {
    if (request.preview) return { ...request.inputs, stdout: unknown, stderr: unknown };
    const script = request.inputs.update ?? request.inputs.create;
    return { ...request.inputs, ...(await this.#run(script, request, request.oldOutputs, session)) };
  }

  async delete(request: DeleteRequest, session: Session): Promise<void> {
    await this.#run(request.inputs.delete, request, request.outputs, session);
  }

  /** What a command did cannot be looked up: state is what is known of it. */
  async read(request: ReadRequest): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap }> {
    return { id: request.id, outputs: request.outputs, inputs: request.inputs ?? {} };
  }

  async invoke(
    token: string,
    args: ValueMap,
    session: Session,
  ): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
    if (token !== functionToken) throw new Error(`the sandbox does not serve function '${token}'`);
    const failures = failuresOf(functionToken, args);
    if (failures.length > 0) return { result: {}, failures };
    const outputs = await this.#run(args.command, { urn: "", timeout: 0, inputs: args }, {}, session);
    return { result: { ...args, ...outputs }, failures: [] };
  }

  /** Runs a script; without one, the outputs of before stand. */
  async #run(
    script: Value | undefined,
    request: { urn: string; timeout: number; inputs: ValueMap },
    before: ValueMap,
    session: Session,
  ): Promise<ValueMap> {
    const outputs = plainMap(before);
    const previous = { stdout: textOf(outputs.stdout), stderr: textOf(outputs.stderr) };
    const secret = hasSecret(request.inputs);
    const shown = (output: { stdout: string; stderr: string }): ValueMap =>
      mapValues({ stdout: output.stdout, stderr: output.stderr }, (text) =>
        secret ? new Secret(text) : text,
      );
    const text = script === undefined ? undefined : reveal(script);
    if (typeof text !== "string") return shown(previous);

    const inputs = plainMap(request.inputs);
    const secrets = secretTexts(request.inputs);
    const { logging = "stdoutAndStderr" } = inputs;
    let logged = Promise.resolve();
    const env = await this.#environment(inputs, previous);
    const running = within(request.timeout, session.signal, (signal) =>
      runProcess({
        command: [...interpreterOf(inputs), text],
        cwd: path.resolve(this.#options.projectDir, textOf(inputs.dir)),
        env,
        stdin: textOf(inputs.stdin),
        signal,
        onLine: (stream, line) => {
          if (logging === stream || logging === "stdoutAndStderr") {
            logged = session.log(request.urn, "info", redact(line, secrets));
          }
        },
      }),
    );
    const finished = await this.#track(running);
    await logged;
    if (finished.failure !== undefined) throw failed(finished, redact(text, secrets), secrets);
    return shown({ stdout: trimmed(finished.stdout), stderr: trimmed(finished.stderr) });
  }

  async #environment(
    inputs: ValueMap,
    previous: { stdout: string; stderr: string },
  ): Promise<Record<string, string>> {
    const own: [string, string][] = inherited.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    });
    const asked = isMap(inputs.environment) ? Object.entries(inputs.environment) : [];
    return {
      ...Object.fromEntries(own),
      ...(await this.#options.commandEnv()),
      KILN_PROJECT_DIR: this.#options.projectDir,
      ...Object.fromEntries(asked.map(([name, value]) => [name, textOf(value)])),
      ...(inputs.addPreviousOutputInEnv === false ? {} : previousOutput(previous)),
    };
  }

  async #track(run: Promise<Finished>): Promise<Finished> {
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }
}

function previousOutput(previous: { stdout: string; stderr: string }): Record<string, string> {
  return {
    ...(previous.stdout === "" ? {} : { PULUMI_COMMAND_STDOUT: previous.stdout }),
    ...(previous.stderr === "" ? {} : { PULUMI_COMMAND_STDERR: previous.stderr }),
  };
}

function failed(finished: Finished, script: string, secrets: readonly string[]): Error {
  const output = redact(finished.both, secrets);
  const cut = output.length > shownOutput ? `[…]${output.slice(-shownOutput)}` : output;
  return new Error(`${finished.failure}: running ${JSON.stringify(script)}:\n${cut}`);
}

function interpreterOf(inputs: ValueMap): [string, ...string[]] {
  const asked = isList(inputs.interpreter) ? inputs.interpreter.map(textOf) : [];
  const [program, ...args] = asked;
  return program === undefined ? ["/bin/sh", "-c"] : [program, ...args];
}

function trimmed(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

function failuresOf(token: string, inputs: ValueMap): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const fail = (property: string, reason: string) => failures.push({ property, reason });
  const known = properties[token] ?? [];
  for (const [name, marked] of Object.entries(inputs)) {
    const value = reveal(marked);
    if (value === unknown) continue;
    if (name === "assetPaths" || name === "archivePaths") {
      fail(name, `the sandbox's command provider does not collect '${name}'`);
    } else if (!known.includes(name)) fail(name, `${token} has no property '${name}'`);
    else if (!fits(name, value)) fail(name, `'${name}' should be ${expectations[name] ?? "a string"}`);
  }
  if (token === functionToken && inputs.command === undefined)
    fail("command", "missing required property 'command'");
  return failures;
}

const expectations: Readonly<Record<string, string>> = {
  addPreviousOutputInEnv: "true or false",
  environment: "a map of strings",
  interpreter: "a list of strings",
  triggers: "a list",
  logging: `one of ${loggings.join(", ")}`,
};

function fits(name: string, value: Value): boolean {
  const text = (each: Value) => typeof reveal(each) === "string" || reveal(each) === unknown;
  switch (name) {
    case "addPreviousOutputInEnv":
      return typeof value === "boolean";
    case "environment":
      return isMap(value) && Object.values(value).every(text);
    case "interpreter":
      return isList(value) && value.every(text);
    case "triggers":
      return isList(value);
    case "logging":
      return typeof value === "string" && loggings.includes(value);
    default:
      return typeof value === "string";
  }
}
