import { setTimeout as delay } from "node:timers/promises";
import type { EngineEvent, StepEventStateMetadata } from "@pulumi/pulumi/automation/index.js";
import { explain } from "./cloud-errors.ts";
import { isAftermath } from "./engine-output.ts";
import { exitCodes, KilnError, type Violation } from "./errors.ts";
import type { Output } from "./output.ts";
import { bornOf } from "./processes.ts";
import type { VerbContext } from "./session.ts";
import type { StackHandle } from "./stack.ts";
import type { StateResource } from "./state.ts";
import { ownerOf, ownerText, type StateLock, stackLocked, stateLocks, thisMachine } from "./state-locks.ts";
import { toKilnError } from "./trouble.ts";

export interface Changes {
  create: number;
  update: number;
  delete: number;
  replace: number;
  same: number;
}

/** What the engine's events say of an operation. Pure, event by event. */
export class OperationRecord {
  /** Whether nothing is made, only foreseen. */
  readonly foreseen: boolean;
  readonly changes: Changes = { create: 0, update: 0, delete: 0, replace: 0, same: 0 };
  readonly violations: Violation[] = [];
  /** The region it works in, once that is known. */
  region: string | undefined;
  /** What the program tells, empty until it has told it. */
  outputs: Readonly<Record<string, unknown>> = {};
  /** Error diagnostics, without repetitions. */
  readonly errors: { readonly urn: string | undefined; readonly message: string }[] = [];
  /** Resources whose making failed, as they were to be. */
  readonly failedCreates: StateResource[] = [];

  constructor({ foreseen = false }: { readonly foreseen?: boolean } = {}) {
    this.foreseen = foreseen;
  }

  handle(event: EngineEvent): void {
    const { policyEvent, diagnosticEvent, summaryEvent, resOutputsEvent, resOpFailedEvent } = event;
    if (policyEvent) {
      this.violations.push({
        policy: policyEvent.policyName,
        level: policyEvent.enforcementLevel,
        resource: policyEvent.resourceUrn ?? "",
        message: plain(policyEvent.message),
      });
    } else if (diagnosticEvent?.severity === "error") {
      const message = plain(diagnosticEvent.message);
      if (!this.errors.some((each) => each.message === message))
        this.errors.push({ urn: diagnosticEvent.urn, message });
    } else if (resOutputsEvent?.metadata.type === "pulumi:pulumi:Stack") {
      this.outputs = resOutputsEvent.metadata.new?.outputs ?? {};
    } else if (resOpFailedEvent) {
      const { op, new: wanted } = resOpFailedEvent.metadata;
      if (op === "create" && wanted?.custom === true) this.failedCreates.push(toBeMade(wanted));
    } else if (summaryEvent) {
      for (const [op, count] of Object.entries(summaryEvent.resourceChanges)) {
        if (op in this.changes) this.changes[op as keyof Changes] += count ?? 0;
      }
    }
  }

  get mandatoryViolations(): Violation[] {
    return this.violations.filter((violation) => violation.level === "mandatory");
  }
}

/** A resource as the record has one whose making was begun. */
function toBeMade({ urn, type, parent, inputs, provider }: StepEventStateMetadata): StateResource {
  return { urn, type, custom: true, inputs, provider, ...(parent === "" ? {} : { parent }) };
}

/** The engine colours its messages with tags of its own. */
function plain(message: string): string {
  return message.replaceAll(/<\{%[^%]*%\}>/g, "").trim();
}

/** How often the state's lock is looked at while it is waited for, in milliseconds. */
const lockPollMs = 1000;

/**
 * Runs an operation of the engine and turns its failure into one that can be told. A lock that a dead run left is taken
 * over with a notice; an orphan of a killed run is waited for, since it is still writing down what it made; one of the
 * living is waited for as long as whoever runs Kiln wants.
 * @throws KilnError with exit code 3 for policy violations, 4 for a lock, 1 for the rest
 */
export async function operate<R>(
  handle: StackHandle,
  environment: string,
  context: Pick<VerbContext, "out" | "lockWaitMs" | "signal">,
  record: OperationRecord,
  work: () => Promise<R>,
): Promise<R> {
  const until = Date.now() + (context.lockWaitMs ?? 0);
  let told = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const locks = stateLocks(message);
      if (locks.length === 0) throw failure(error, record);
      const held = locks.some((lock) => /alive|elsewhere/.test(ownerOf(lock, thisMachine)));
      if (!held) await freeLocks(handle, context.out, locks);
      else if (Date.now() >= until) throw stackLocked(environment, locks);
      else {
        if (!told)
          context.out.warn(
            `The state is locked (${[...new Set(locks.map(ownerText))].join("; ")}); waiting for it.`,
          );
        told = true;
        await delay(lockPollMs, undefined, { signal: context.signal });
      }
    }
  }
}

/** Takes over locks whose owners are gone, once orphans among them have come to their end. */
async function freeLocks(handle: StackHandle, out: Output, locks: readonly StateLock[]): Promise<void> {
  for (const lock of locks) {
    if (ownerOf(lock, thisMachine) !== "orphan") continue;
    out.warn(
      `An earlier run was killed; its engine (process ${lock.pid}) is still finishing. Waiting for it.`,
    );
    while (bornOf(lock.pid) !== undefined) await delay(100);
  }
  out.warn("An earlier run was killed while it held the state's lock; taking over.");
  await handle.run(["cancel", "--yes"]);
}

/** A rule about one resource speaks before it is made, one about several together when they are. */
const whatWasMade =
  "What one rule alone forbids was not made; what only several resources together violate was, and the next `kiln up` corrects it. `kiln preview` says all of it before.";

/** What an operation failed of: a policy's no, what the engine reported, or else what was thrown. */
function failure(error: unknown, record: OperationRecord): KilnError {
  if (error instanceof KilnError) return error;
  const broken = record.mandatoryViolations;
  if (broken.length > 0) {
    return new KilnError(
      {
        code: "PolicyViolation",
        message: `${broken.length} mandatory polic${broken.length === 1 ? "y is" : "ies are"} violated`,
        cause: broken.map((each) => `${each.policy}: ${each.message}`).join("\n"),
        next: `Change the resource, or record a dated exemption in policies/exemptions.ts. ${record.foreseen ? "Nothing was made." : whatWasMade}`,
        violations: broken,
      },
      exitCodes.policy,
    );
  }
  const errors = record.errors.map((each) => each.message).filter((each) => !isAftermath(each));
  return errors.length > 0 ? explain(errors, record) : toKilnError(error);
}
