import { createHash } from "node:crypto";
import resourceProto from "@pulumi/pulumi/proto/resource_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import type { AzureNative } from "../../sandbox/providers/azure-native.ts";
import { PartialFailure, type Provider, type Session } from "../../sandbox/providers/provider.ts";
import { decodeMap, encodeMap, type ValueMap } from "../../sandbox/providers/values.ts";
import type { Actor } from "../harness/world/actor.ts";
import { type Program, type RegisterRequest, runProgram } from "./program.ts";
import type { Backend, Deployment, Recorded } from "./record.ts";

/** What an operation came to, by the engine's names. */
export interface Told {
  readonly changes: Record<string, number>;
  readonly errors: { readonly urn: string; readonly message: string }[];
  /** Resources whose making failed. */
  readonly failedCreates: Recorded[];
  outputs: Record<string, unknown>;
}

/**
 * The engine's work on one stack as far as Kiln relies on it: the record before and after each operation, dependencies,
 * updates, replacements, deletions in reverse. The program is the real one, and so are the sandbox's providers.
 */
export class MiniEngine {
  readonly told: Told = { changes: {}, errors: [], failedCreates: [], outputs: {} };
  readonly #backend: Backend;
  readonly #environment: string;
  readonly #actor: Actor;
  readonly #providers: Readonly<Record<string, Provider>>;
  readonly #running = new Set<Promise<unknown>>();
  #failed = false;

  constructor(
    backend: Backend,
    environment: string,
    actor: Actor,
    providers: { readonly azure: AzureNative; readonly command: Provider },
  ) {
    this.#backend = backend;
    this.#environment = environment;
    this.#actor = actor;
    this.#providers = { "azure-native": providers.azure, command: providers.command };
  }

  /** Runs a program to its end. @throws Error when a resource failed */
  async up(program: Program, config: Readonly<Record<string, string>>): Promise<void> {
    const seen = new Set<string>();
    try {
      this.told.outputs = await runProgram(program, {
        environment: this.#environment,
        config,
        register: (request) => this.#track(this.#register(request, seen)),
        call: async (token, args) =>
          (await this.#providerOf(token).invoke(token, args, this.#session)).result,
      });
    } catch (error) {
      this.#failed = true;
      throw error;
    } finally {
      await Promise.allSettled([...this.#running]);
    }
    this.#keepOutputs();
    await this.#deleteAll((each) => !isStack(each) && (each.delete === true || !seen.has(each.urn)));
  }

  async destroy(): Promise<void> {
    await this.#deleteAll(() => true);
  }

  /** Reads everything on record from the cloud; what is gone goes from the record. */
  async refresh(): Promise<void> {
    await Promise.all(
      this.#stack.resources.map(async (each) => {
        if (!each.custom || each.id === undefined || isStack(each)) return;
        const found = await this.#providerOf(each.type).read(
          {
            ...named(each),
            id: each.id,
            outputs: this.#backend.unseal(each.outputs),
            inputs: this.#backend.unseal(each.inputs),
          },
          this.#session,
        );
        this.#requireLife();
        if (found === undefined) this.#forget(each);
        else {
          const inputs = this.#backend.seal(found.inputs);
          const { initErrors: _over, ...rest } = each;
          this.#put(each, { ...rest, id: found.id, inputs, outputs: this.#backend.seal(found.outputs) });
        }
      }),
    );
  }

  get #stack(): Deployment {
    const found = this.#backend.stacks.get(this.#environment);
    if (found === undefined) throw new Error(`no stack named '${this.#environment}' found`);
    return found;
  }

  get #session(): Session {
    return { config: {}, signal: this.#actor.gone, log: async () => undefined };
  }

  async #register(request: RegisterRequest, seen: Set<string>): Promise<unknown> {
    const urn = this.#urnOf(request);
    if (seen.has(urn)) throw new Error(`duplicate resource URN ${urn}`);
    seen.add(urn);
    const news = decodeMap(request.getObject()?.toJavaScript() ?? {});
    const base = { urn, type: request.getType(), parent: request.getParent() };
    const dependencies = request.getDependenciesList();
    const answer = new resourceProto.RegisterResourceResponse().setUrn(urn);
    if (!request.getCustom()) {
      const recorded = { ...base, custom: false, inputs: {}, outputs: {}, dependencies };
      this.#put(this.#live(urn), recorded);
      return answer.setObject(structProto.Struct.fromJavaScript({}));
    }
    const made = await this.#step({ ...base, custom: true, inputs: {}, outputs: {}, dependencies }, news, [
      ...request.getIgnorechangesList(),
    ]).catch((error: unknown) => {
      this.#tell(urn, error);
      throw error;
    });
    const outputs = encodeMap(this.#backend.unseal(made.outputs));
    return answer.setId(made.id ?? "").setObject(structProto.Struct.fromJavaScript(outputs));
  }

  /** One resource: made, changed, replaced or left as it is. */
  async #step(base: Recorded, news: ValueMap, ignore: readonly string[]): Promise<Recorded> {
    // Once something failed the engine begins nothing more.
    if (this.#failed) throw new Error("skipped, since something else failed");
    const provider = this.#providerOf(base.type);
    const old = this.#live(base.urn);
    const olds = old === undefined ? {} : this.#backend.unseal(old.inputs);
    const wanted = old === undefined ? news : ignoring(news, olds, ignore);
    const randomSeed = createHash("sha256").update(base.urn).digest();
    const checked = await provider.check({ ...named(base), olds, news: wanted, randomSeed }, this.#session);
    this.#requireLife();
    const [failure] = checked.failures;
    if (failure !== undefined) throw new Error(`${failure.property}: ${failure.reason}`);
    const inputs = checked.inputs;
    const next = { ...base, inputs: this.#backend.seal(inputs) };
    if (old === undefined) return this.#create(next, inputs, "create");
    const oldOutputs = this.#backend.unseal(old.outputs);
    const compared = { ...named(base), oldInputs: olds, oldOutputs, inputs };
    const { changes, deleteBeforeReplace } = await provider.diff(compared, this.#session);
    if (changes.some(({ replace }) => replace)) {
      if (deleteBeforeReplace) throw new Error(`${base.urn} would have to be deleted before it is replaced`);
      this.#put(old, { ...old, delete: true });
      return this.#create(next, inputs, "replace");
    }
    if (changes.length === 0 && (old.initErrors ?? []).length === 0) {
      this.#count("same");
      const { id, outputs } = old;
      return this.#put(old, { ...next, ...(id === undefined ? {} : { id }), outputs });
    }
    return this.#update(old, next, { olds, oldOutputs, inputs });
  }

  async #create(next: Recorded, inputs: ValueMap, count: string): Promise<Recorded> {
    const made = await this.#pending("creating", next, () =>
      this.#providerOf(next.type).create(
        { ...named(next), inputs, preview: false, timeout: 0 },
        this.#session,
      ),
    ).catch((error: unknown) => {
      this.told.failedCreates.push(next);
      throw error;
    });
    this.#count(count);
    return this.#put(undefined, { ...next, id: made.id, outputs: this.#backend.seal(made.outputs) });
  }

  async #update(
    old: Recorded,
    next: Recorded,
    { olds, oldOutputs, inputs }: { olds: ValueMap; oldOutputs: ValueMap; inputs: ValueMap },
  ): Promise<Recorded> {
    const id = old.id ?? "";
    const outputs = await this.#pending("updating", { ...next, id }, () =>
      this.#providerOf(next.type).update(
        { ...named(next), id, oldInputs: olds, oldOutputs, inputs, preview: false, timeout: 0 },
        this.#session,
      ),
    );
    this.#count("update");
    return this.#put(old, { ...next, id, outputs: this.#backend.seal(outputs) });
  }

  /** An operation whose beginning and end are on record; of one that is killed only the beginning is. */
  async #pending<T>(type: string, resource: Recorded, work: () => Promise<T>): Promise<T> {
    const operation = { resource, type };
    this.#stack.pending_operations.push(operation);
    const over = () => {
      this.#requireLife();
      const { pending_operations } = this.#stack;
      pending_operations.splice(pending_operations.indexOf(operation), 1);
    };
    try {
      const result = await work();
      over();
      return result;
    } catch (error) {
      over();
      if (error instanceof PartialFailure) {
        const outputs = this.#backend.seal(error.outputs);
        const kept = { ...resource, id: error.id, outputs, initErrors: [error.message] };
        this.#put(this.#live(resource.urn), kept);
      }
      throw error;
    }
  }

  async #deleteAll(wanted: (each: Recorded) => boolean): Promise<void> {
    for (const each of [...this.#stack.resources].reverse().filter(wanted)) {
      if (each.custom && !isStack(each) && each.id !== undefined) {
        const { id, inputs, outputs } = each;
        const request = {
          ...named(each),
          id,
          inputs: this.#backend.unseal(inputs),
          outputs: this.#backend.unseal(outputs),
          timeout: 0,
        };
        await this.#pending("deleting", each, () =>
          this.#providerOf(each.type).delete(request, this.#session),
        ).catch((error: unknown) => {
          this.#tell(each.urn, error);
          throw error;
        });
        this.#count("delete");
      }
      this.#forget(each);
    }
  }

  #keepOutputs(): void {
    const urn = `urn:pulumi:${this.#environment}::kiln::pulumi:pulumi:Stack::kiln-${this.#environment}`;
    const type = "pulumi:pulumi:Stack";
    const { outputs } = this.told;
    const stack = { urn, type, custom: false, inputs: {}, outputs, dependencies: [] };
    this.#put(this.#live(urn), stack);
  }

  #live(urn: string): Recorded | undefined {
    return this.#stack.resources.find((each) => each.urn === urn && each.delete !== true);
  }

  #put(old: Recorded | undefined, next: Recorded): Recorded {
    this.#requireLife();
    const { resources } = this.#stack;
    const at = old === undefined ? -1 : resources.indexOf(old);
    if (at < 0) resources.push(next);
    else resources[at] = next;
    return next;
  }

  #forget(resource: Recorded): void {
    this.#requireLife();
    const { resources } = this.#stack;
    const at = resources.indexOf(resource);
    if (at >= 0) resources.splice(at, 1);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const over = () => void this.#running.delete(work);
    work.then(over, over);
    return work;
  }

  #tell(urn: string, error: unknown): void {
    this.told.errors.push({ urn, message: error instanceof Error ? error.message : String(error) });
  }

  #count(what: string): void {
    this.told.changes[what] = (this.told.changes[what] ?? 0) + 1;
  }

  #requireLife(): void {
    if (this.#actor.dead) throw this.#actor.gone.reason;
  }

  #providerOf(token: string): Provider {
    const found = this.#providers[token.split(":")[0] ?? ""];
    if (found === undefined) throw new Error(`no provider serves ${token}`);
    return found;
  }

  #urnOf(request: RegisterRequest): string {
    const parent = request.getParent();
    const above = parent === "" ? "" : `${parent.split("::")[2]}$`;
    return `urn:pulumi:${this.#environment}::kiln::${above}${request.getType()}::${request.getName()}`;
  }
}

function isStack({ type }: Recorded): boolean {
  return type === "pulumi:pulumi:Stack";
}

function named({ urn, type }: Recorded): { urn: string; type: string; name: string } {
  return { urn, type, name: urn.split("::").at(-1) ?? "" };
}

type Nested = { [name: string]: unknown };

/** The inputs with what is to be ignored as it was: a value, or none. */
function ignoring(news: ValueMap, olds: ValueMap, paths: readonly string[]): ValueMap {
  const copy = structuredClone(encodeMap(news)) as Nested;
  const old = encodeMap(olds) as Nested;
  for (const path of paths) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    const [into, from] = [copy, old].map((map) =>
      names.reduce((at: Nested | undefined, name) => at?.[name] as Nested | undefined, map),
    );
    if (into === undefined) continue;
    if (from !== undefined && last in from) into[last] = from[last];
    else delete into[last];
  }
  return decodeMap(copy);
}
