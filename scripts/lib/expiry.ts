import { EXPIRY_ANNOTATION, parseEnvironment, STEERING_VARIABLES } from "../../stacks/config.ts";
import { usageError } from "./errors.ts";
import type { Session } from "./session.ts";
import type { State } from "./state.ts";

/** Tag of the resource group that says when nobody needs the environment any more. */
const EXPIRY_TAG = "expiresOn";

/** A time as the tag and the program have it, to the second. Pure. */
export function expiryText(at: Date): string {
  return at.toISOString().replace(".000Z", "Z");
}

/** When the environment expires, as its record says; undefined when it does not. Pure. */
export function recordedExpiry({ resources, pending }: State): Date | undefined {
  const known = [...resources, ...pending.map(({ resource }) => resource)];
  const group = known.find(({ type }) => type === "azure-native:resources:ResourceGroup");
  const tags = (group?.inputs?.tags ?? {}) as Readonly<Record<string, unknown>>;
  const namespace = known.find(({ type }) => type === "kubernetes:core/v1:Namespace");
  const { annotations = {} } = (namespace?.inputs?.metadata ?? {}) as {
    annotations?: Readonly<Record<string, unknown>>;
  };
  const at = Date.parse(String(tags[EXPIRY_TAG] ?? annotations[EXPIRY_ANNOTATION]));
  return Number.isNaN(at) ? undefined : new Date(at);
}

/** When an environment that is to live this long expires, to the second. Pure. */
export function expiryAfter(now: Date, ttlMs: number): string {
  return expiryText(new Date(Math.ceil((now.getTime() + ttlMs) / 1000) * 1000));
}

/** @throws KilnError exit code 2 when this environment is none that may expire */
export function requireEphemeral(environment: string, ttlMs: number | undefined): void {
  if (ttlMs === undefined || parseEnvironment(environment)?.kind === "pr") return;
  throw usageError(
    `--ttl does not fit ${environment}`,
    "Only pr-<number> environments expire; the others stay until someone takes them down.",
    `Leave --ttl out, or bring up a pr-<number> environment.`,
  );
}

/** Has the program say when the environment expires: from now on, or as it said before. */
export function keepExpiry(
  { target }: Pick<Session, "target">,
  state: State,
  ttlMs: number | undefined,
): void {
  const kept = recordedExpiry(state);
  if (ttlMs !== undefined) process.env[STEERING_VARIABLES.expiresOn] = expiryAfter(target.now(), ttlMs);
  else if (kept !== undefined) process.env[STEERING_VARIABLES.expiresOn] = expiryText(kept);
}
