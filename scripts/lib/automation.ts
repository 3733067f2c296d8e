// The Automation API is CommonJS and slow to load: this one place imports it, and others import this place when they
// need it.
import "./lean-sdk.cjs";

import path from "node:path";
import { LocalWorkspace, PulumiCommand, type PulumiFn, Stack } from "@pulumi/pulumi/automation/index.js";
import log from "@pulumi/pulumi/log/index.js";
import resource from "@pulumi/pulumi/resource.js";
import { SemVer } from "semver";

/** What the Automation API is to run on and with. */
export interface AutomationOptions {
  readonly environment: string;
  /** The folder of the project's files. */
  readonly workDir: string;
  readonly pulumiHome: string;
  readonly engine: { readonly pulumi: string; readonly version: string };
  readonly envVars: Record<string, string>;
  readonly program?: PulumiFn | undefined;
  /** Whether the engine gets each resource's stack trace. @default false */
  readonly stackTraces?: boolean;
  /** Called when a command of the engine has been started: it takes a while until it needs this process. */
  readonly onStarted?: (() => void) | undefined;
}

/** The part of the API's command that its declarations leave out. */
interface Runner {
  run(...args: unknown[]): Promise<unknown>;
}

/** The part of a component that its declarations leave out. */
interface Outputs {
  registerOutputs(this: { readonly __pulumiType: string }, outputs: unknown): void;
}

/** The SDK's own, which is replaced below. */
const { registerOutputs } = resource.ComponentResource.prototype as unknown as Outputs;

/** A stack in the Automation API, without the commands that the API would run only to ask what is known already. */
export async function automationStack(options: AutomationOptions): Promise<Stack> {
  // The SDK tells the engine of every step of every registration, each in a call of its own, for a `--debug` of the
  // command line that Kiln does not have.
  log.debug = async () => {};
  recordOutputsOfStackOnly();
  // As in stacks/index.ts.
  if (options.stackTraces !== true) Object.assign(resource.Resource, { stackTrace: () => [] });
  const { environment, engine, onStarted, workDir, pulumiHome, envVars } = options;
  // The engine was checked when it was found: asking it for its version once more would cost a third of a second.
  const pulumiCommand = Object.assign(Object.create(PulumiCommand.prototype) as PulumiCommand, {
    // By its name: of a path, the API would put the folder first on PATH, before Kiln's policy host.
    command: path.basename(engine.pulumi),
    version: new SemVer(engine.version),
    run: (...args: unknown[]) => {
      // An interruption that came before the command was started would go unheard.
      for (const each of args) if (each instanceof AbortSignal) each.throwIfAborted();
      const running = (PulumiCommand.prototype as unknown as Runner).run.apply(pulumiCommand, args);
      onStarted?.();
      return running;
    },
  });
  const workspace = await LocalWorkspace.create({
    workDir,
    pulumiHome,
    pulumiCommand,
    envVars,
    ...(options.program === undefined ? {} : { program: options.program }),
  });
  // Every command names its stack, so none needs to be selected.
  Object.assign(workspace, { selectStack: async () => {} });
  const stack = await Stack.select(environment, workspace);
  // An update is followed by three more starts of the engine, for its outputs, masked and bare, and for its place in the
  // history. The outputs stand in the engine's events, and the history is not asked for.
  return Object.assign(stack, { outputs: async () => ({}), info: async () => undefined });
}

/**
 * A component's outputs are for the record and for no one else: the program has them, and Kiln's progress shows resources. The engine
 * writes the whole record once more for each component that tells it of some (pkg/backend/snapshot.go), a twentieth of the time
 * that ten projects with a hundred models take to come up. Only what the environment gives, the stack's outputs, is told.
 */
function recordOutputsOfStackOnly(): void {
  const ofStack: Outputs = {
    registerOutputs(outputs) {
      if (this.__pulumiType === "pulumi:pulumi:Stack") registerOutputs.call(this, outputs);
    },
  };
  Object.assign(resource.ComponentResource.prototype, ofStack);
}
