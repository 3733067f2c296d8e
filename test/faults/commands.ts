import path from "node:path";
import { Command } from "../../sandbox/providers/command.ts";
import type { CreateRequest, DeleteRequest, UpdateRequest } from "../../sandbox/providers/provider.ts";
import { plainMap, type ValueMap } from "../../sandbox/providers/values.ts";
import { adopt } from "../../scripts/steps/adopt-settings.ts";
import { deployBackend } from "../../scripts/steps/deploy-backend.ts";
import { keySync } from "../../scripts/steps/key-sync.ts";
import { runStep, type Step } from "../../scripts/steps/lib/run.ts";
import { settle } from "../../scripts/steps/settle-references.ts";
import type { Actor } from "../harness/world/actor.ts";
import type { World } from "../harness/world/world.ts";

const steps: Readonly<Record<string, Step>> = {
  "key-sync": keySync,
  "settle-references": settle,
  "deploy-backend": deployBackend,
  "adopt-settings": adopt,
};

/** The provider of commands, whose commands are steps of Kiln that run in this process. */
export class Steps extends Command {
  readonly #world: World;
  readonly #actor: Actor;
  readonly #say: (line: string) => void;

  constructor(world: World, actor: Actor, say: (line: string) => void) {
    super({ commandEnv: () => ({}), projectDir: "." });
    this.#world = world;
    this.#actor = actor;
    this.#say = say;
  }

  override async create({ name, inputs }: CreateRequest): Promise<{ id: string; outputs: ValueMap }> {
    return { id: name, outputs: { ...inputs, ...(await this.#step(inputs.create)) } };
  }

  override async update({ inputs, oldOutputs }: UpdateRequest): Promise<ValueMap> {
    const ran = await this.#step(inputs.update ?? inputs.create);
    return { ...inputs, stdout: oldOutputs.stdout ?? "", stderr: "", ...ran };
  }

  override async delete({ inputs }: DeleteRequest): Promise<void> {
    await this.#step(plainMap(inputs).delete);
  }

  async #step(line: unknown): Promise<ValueMap> {
    if (typeof line !== "string") return {};
    const [, script = "", ...args] = words(line);
    const name = path.basename(script, ".ts");
    const step = steps[name];
    if (step === undefined) throw new Error(`there is no step ${name}`);
    const out: string[] = [];
    const err: string[] = [];
    const streams = { out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
    const exitCode = await runStep(name, step, args, streams, {
      credential: async () => this.#world.credential,
      patience: (minutes) => ({ budgetMs: minutes * 60_000, clock: this.#actor, tell: streams.err }),
      clientOptions: this.#actor.clientOptions,
    });
    for (const each of [...out, ...err]) this.#say(each);
    if (exitCode !== 0) throw new Error(`exit status ${exitCode}: running ${line}:\n${err.join("\n")}`);
    return { stdout: out.join("\n"), stderr: "" };
  }
}

/** The words of a command line as a POSIX shell takes them apart. */
function words(line: string): string[] {
  const found = line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*"|\\')+/g);
  return [...found].map(([word]) => word.replaceAll(/\\'|'([^']*)'|"([^"]*)"/g, (_, a, b) => a ?? b ?? "'"));
}
