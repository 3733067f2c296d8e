import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import type { createLogUpdate } from "log-update";
import pc from "picocolors";
import { duration, type Output } from "./output.ts";
import type { Begun, Named, Upcoming } from "./upcoming.ts";

/** What an operation on a resource is called, while it runs and when it is over. Operations not named are not shown. */
const words: Readonly<Record<string, readonly [running: string, done: string]>> = {
  create: ["creating", "created"],
  update: ["updating", "updated"],
  delete: ["deleting", "deleted"],
  "create-replacement": ["creating anew", "created anew"],
  "delete-replaced": ["deleting the old", "deleted the old"],
  import: ["importing", "imported"],
};

interface Running {
  readonly what: string;
  readonly running: string;
  readonly done: string;
  readonly since: number;
}

type Footer = ReturnType<typeof createLogUpdate>;

export interface ProgressOptions {
  /** Whether nothing is done, and only what would be is told. */
  readonly preview: boolean;
  readonly stdout: NodeJS.WriteStream;
  /** Tells what comes next. */
  readonly upcoming?: Upcoming;
}

/**
 * Shows what the engine does as it does it: a line for each step that is over, and in a terminal what is under way and
 * what comes next.
 */
export class Progress {
  readonly #out: Output;
  readonly #preview: boolean;
  readonly #upcoming: Upcoming | undefined;
  readonly #running = new Map<string, Running>();
  readonly #began = Date.now();
  readonly #footer: Footer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #done = 0;

  private constructor(out: Output, { preview, upcoming }: ProgressOptions, footer: Footer | undefined) {
    this.#out = out;
    this.#preview = preview;
    this.#upcoming = upcoming;
    this.#footer = footer;
    if (footer !== undefined) {
      this.#timer = setInterval(() => this.#draw(), 200);
      this.#timer.unref();
    }
  }

  static async start(out: Output, options: ProgressOptions): Promise<Progress> {
    // Lines are rewritten in a terminal only; a pipeline need not load what does that.
    const footer = out.live ? (await import("log-update")).createLogUpdate(options.stdout) : undefined;
    return new Progress(out, options, footer);
  }

  handle(event: EngineEvent): void {
    const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent } = event;
    if (resourcePreEvent) this.#start(resourcePreEvent.metadata);
    else if (resOutputsEvent) this.#end(resOutputsEvent.metadata, true);
    else if (resOpFailedEvent) this.#end(resOpFailedEvent.metadata, false);
    // What a step says for itself (a command's output) is of use while one waits.
    else if (
      diagnosticEvent?.ephemeral !== true &&
      /^(info#err|info)$/.test(diagnosticEvent?.severity ?? "")
    ) {
      const message = diagnosticEvent?.message.trim();
      if (message) this.#line(pc.dim(`    ${message}`));
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#footer?.clear();
    this.#footer?.done();
  }

  #start(metadata: Begun & { op: string }): void {
    this.#upcoming?.begin(metadata);
    const word = words[metadata.op];
    if (word === undefined || isHidden(metadata.type)) return;
    const what = describe(metadata);
    this.#running.set(metadata.urn, { what, running: word[0], done: word[1], since: Date.now() });
    if (this.#preview) {
      this.#running.delete(metadata.urn);
      this.#line(`${mark(metadata.op)} ${what}`);
    }
  }

  #end(metadata: { op: string; urn: string; type: string }, succeeded: boolean): void {
    const running = this.#running.get(metadata.urn);
    if (running === undefined) return;
    this.#running.delete(metadata.urn);
    this.#done++;
    const took = pc.dim(`(${duration(Date.now() - running.since)})`);
    if (succeeded) this.#line(`${pc.green("✓")} ${running.done} ${running.what} ${took}`);
    else this.#line(`${pc.red("✗")} failed ${running.running} ${running.what} ${took}`);
  }

  #line(text: string): void {
    this.#footer?.clear();
    this.#out.say(`  ${text}`);
    this.#draw();
  }

  #draw(): void {
    if (this.#footer === undefined) return;
    const now = [...this.#running.values()].map(
      (each) => `${each.running} ${each.what} ${pc.dim(duration(Date.now() - each.since))}`,
    );
    const head = `${this.#done} done · ${duration(Date.now() - this.#began)}`;
    const next = nextText(this.#upcoming?.next ?? []);
    this.#footer([pc.dim(`  … ${head}`), ...[...now, ...next].map((line) => `    ${line}`)].join("\n"));
  }
}

/** How much of what comes next is named. */
const foreseen = 3;

function nextText(next: readonly Named[]): string[] {
  if (next.length === 0) return [];
  const named = next.slice(0, foreseen).map(describe).join(", ");
  const more = next.length > foreseen ? ` and ${next.length - foreseen} more` : "";
  return [`${pc.dim("next:")} ${named}${more}`];
}

function mark(op: string): string {
  if (op.startsWith("create")) return pc.green("+ create");
  if (op.startsWith("delete")) return pc.red("- delete");
  return pc.yellow(`~ ${op}`);
}

/** The stack itself, the components and the providers are no resources of the cloud. */
function isHidden(type: string): boolean {
  return type.startsWith("pulumi:") || type.startsWith("kiln:");
}

/** `azure-native:keyvault:Vault` named `vault` reads as `Vault vault`. */
export function describe(resource: { type: string; urn: string }): string {
  return `${resource.type.split(":").at(-1) ?? resource.type} ${pc.bold(resource.urn.split("::").at(-1) ?? "")}`;
}
