import { hostname } from "node:os";
import { PHASES, type Phase, SLOTS, type Slot } from "../keys/ports.ts";

/** What the tags of a version of the secret say of the rotation that made it, or that is to replace it. */
export interface Journal {
  /** Where the rotation stands; what is named here may have been done in part. `drained` where none is under way. */
  readonly phase: Phase;
  /** Slot that the version's key came from. */
  readonly slot: Slot | undefined;
  /** Id of the rotation; undefined on a version that no rotation has touched. */
  readonly rotation: string | undefined;
  /** The run that works on it, as {@link runName} has it. */
  readonly by: string | undefined;
  /** Whether the other slot is still to be regenerated once nobody uses it. */
  readonly revoke: boolean;
}

/** Names of the tags. A secret has room for 15; the environment's own take 5. */
const TAGS = { phase: "phase", slot: "slot", rotation: "rotation", by: "by", revoke: "revoke" } as const;

/** Reads the journal of a version. A version without one was not made by a rotation, and none is under way. Pure. */
export function readJournal(tags: Readonly<Record<string, string>>): Journal {
  const phase = PHASES.find((each) => each === tags[TAGS.phase]) ?? "drained";
  const slot = SLOTS.find((each) => each === tags[TAGS.slot]);
  const { rotation, by } = tags;
  return { phase, slot, rotation, by, revoke: tags[TAGS.revoke] === "pending" };
}

/** Tags of a version with the journal among them. Pure. */
export function writeJournal(
  tags: Readonly<Record<string, string>>,
  { phase, slot, rotation, by, revoke }: Journal,
): Record<string, string> {
  const journal = {
    [TAGS.phase]: phase,
    [TAGS.slot]: slot,
    [TAGS.rotation]: rotation,
    [TAGS.by]: by,
    [TAGS.revoke]: revoke ? "pending" : undefined,
  };
  const kept = Object.entries(tags).filter(([name]) => !Object.hasOwn(journal, name));
  const set = Object.entries(journal).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries([...kept, ...set]);
}

/** What a run calls itself: machine and process. */
export function runName(): string {
  return `${hostname()}/${process.pid}`.slice(0, 256);
}
