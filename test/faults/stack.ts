import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { AzureNative } from "../../sandbox/providers/azure-native.ts";
import type { ArmTransport } from "../../sandbox/providers/transport.ts";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { type ExportedState, emptyState, parseState, type State } from "../../scripts/lib/state.ts";
import { program } from "../../stacks/program.ts";
import type { Actor } from "../harness/world/actor.ts";
import type { World } from "../harness/world/world.ts";
import { Steps } from "./commands.ts";
import { MiniEngine } from "./engine.ts";
import type { Backend } from "./record.ts";

interface Options {
  readonly world: World;
  readonly actor: Actor;
  readonly backend: Backend;
  readonly environment: string;
  /** The stack's configuration, as the engine hands it over. */
  readonly config: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

/** What the engine's provider sends its requests by. */
function transportOf({ world, actor }: Options): ArmTransport {
  return async ({ method, host, path, query, body, token }) => {
    const audience = host.endsWith(".vault.azure.net")
      ? "https://vault.azure.net"
      : "https://management.azure.com";
    const bearer = token ?? (await world.token(audience));
    const request = createPipelineRequest({
      url: `https://${host}${encodeURI(path)}?${new URLSearchParams(query)}`,
      method,
      headers: createHttpHeaders({
        authorization: `Bearer ${bearer}`,
        "content-type": "application/json",
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await actor.sendRequest(request);
    return { status: answer.status, headers: answer.headers.toJSON(), body: answer.bodyAsText ?? "" };
  };
}

/** What Kiln does with a stack, on the engine of these tests. A killed process does nothing more. */
class Stack {
  state: State = emptyState;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async read(): Promise<boolean> {
    this.#requireLife();
    const { backend, environment } = this.#options;
    if (!backend.stacks.has(environment)) return false;
    this.state = parseState(JSON.stringify(backend.exported(environment)));
    return true;
  }

  async glance(): Promise<State> {
    return (await this.read()) ? this.state : emptyState;
  }

  refuseLocked(): void {}

  async history() {
    const { backend, environment } = this.#options;
    return backend.histories.get(environment) ?? [];
  }

  get pinnedLocation(): string | undefined {
    return this.#options.backend.pins.get(this.#options.environment);
  }

  pin(location: string | undefined): void {
    this.#requireLife();
    const { backend, environment } = this.#options;
    if (location === undefined) backend.pins.delete(environment);
    else backend.pins.set(environment, location);
  }

  async create(): Promise<void> {
    this.#requireLife();
    const { backend, environment } = this.#options;
    backend.stacks.set(environment, { resources: [], pending_operations: [] });
    backend.histories.set(environment, []);
  }

  async edit(change: (exported: ExportedState) => ExportedState): Promise<void> {
    this.#requireLife();
    const { backend, environment } = this.#options;
    backend.imported(environment, change(backend.exported(environment)));
  }

  async run(args: readonly string[]): Promise<string> {
    this.#requireLife();
    const { backend, environment } = this.#options;
    const words = args.filter((each) => !each.startsWith("--")).join(" ");
    if (words === "refresh") await this.#engine().refresh();
    else if (words === "stack rm") {
      const left = backend.stacks.get(environment)?.resources.filter(({ custom }) => custom) ?? [];
      if (left.length > 0) throw new Error(`stack '${environment}' still has resources`);
      backend.stacks.delete(environment);
    } else throw new Error(`the engine of these tests has no command ${words}`);
    return "";
  }

  async stack() {
    return {
      up: (options: { onEvent: (event: EngineEvent) => void }) =>
        this.#operation("update", options, (engine) => engine.up(program, this.#options.config)),
      destroy: (options: { onEvent: (event: EngineEvent) => void }) =>
        this.#operation("destroy", options, (engine) => engine.destroy()),
    };
  }

  async #operation(
    kind: string,
    { onEvent }: { onEvent: (event: EngineEvent) => void },
    work: (engine: MiniEngine) => Promise<void>,
  ): Promise<void> {
    this.#requireLife();
    const { backend, environment, actor } = this.#options;
    const engine = this.#engine();
    const { told } = engine;
    const event = (each: object) => onEvent({ sequence: 0, timestamp: 0, ...each } as EngineEvent);
    const over = (result: string) => backend.histories.get(environment)?.unshift({ kind, result });
    try {
      await work(engine);
      over("succeeded");
    } catch (error) {
      if (actor.dead) throw error;
      over("failed");
      for (const { urn, type, inputs, parent = "" } of told.failedCreates) {
        const wanted = { urn, type, custom: true, inputs, parent, provider: "" };
        event({ resOpFailedEvent: { metadata: { op: "create", urn, type, new: wanted } } });
      }
      for (const { urn, message } of told.errors) {
        event({ diagnosticEvent: { severity: "error", message, urn, color: "never" } });
      }
      throw error;
    } finally {
      const metadata = { op: "same", type: "pulumi:pulumi:Stack", urn: "", new: { outputs: told.outputs } };
      if (kind === "update") event({ resOutputsEvent: { metadata } });
      event({ summaryEvent: { resourceChanges: told.changes } });
    }
  }

  #engine(): MiniEngine {
    const { world, actor, backend, environment, say } = this.#options;
    const azure = new AzureNative({
      subscriptionId: world.cloud.subscriptionId,
      tenantId: world.cloud.tenantId,
      transport: transportOf(this.#options),
      getToken: (scope) => world.token(scope.replace(/\/\.default$/, "")),
    });
    return new MiniEngine(backend, environment, actor, { azure, command: new Steps(world, actor, say) });
  }

  #requireLife(): void {
    if (this.#options.actor.dead) throw this.#options.actor.gone.reason;
  }
}

/** A stack in place of the one that needs the engine's command. */
export function stackOf(options: Options): StackHandle {
  return new Stack(options) as unknown as StackHandle;
}
