import type { CloudAnswer } from "../keys/cloud-answer.ts";
import type { KeyMaterial } from "../keys/key-material.ts";
import type { Attempt } from "../keys/patience.ts";
import type { SecretVersionProperties, SettingReference } from "../keys/ports.ts";
import { passing } from "../keys/sync.ts";
import type { RouteAnswer } from "./ports.ts";

/** What can be said of an app that is to use the new key. */
export type Proof =
  /** It answered the challenge with the new key. */
  | "served"
  /** It is an adopted app without such a route: Azure says that it has the new version. */
  | "reported";

const wait = (code: string, reason: string, retryAfterMs?: number): Attempt<never> => ({
  done: false,
  code,
  reason,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/** Why a call that the cloud refused is worth repeating; undefined when it is not. Pure. */
export function worthRepeating(answer: CloudAnswer): string | undefined {
  const { status, code } = answer;
  if (status === undefined) return "the cloud did not answer";
  if (status === 429) return "the cloud is throttling the requests";
  if (status === 408 || status >= 500) return `the cloud failed (${status})`;
  if (/^(AccountProvisioningStateInvalid|RequestConflict)$/.test(code)) return "the account is busy";
  if (status === 409 && code === "Conflict" && answer.innerCode === undefined)
    return "another change is under way";
  return passing(answer);
}

/** Whether the model's data plane knows the key. Who turns requests away for their number need not have looked at it. Pure. */
export function judgeKnock({ status }: RouteAnswer): Attempt<undefined> {
  if (status === 200) return { done: true, value: undefined };
  if (status === 429) return wait("ModelBusy", "the model's endpoint turns requests away for their number");
  if (status === 401) return wait("KeyNotYetAccepted", "the new key has not reached the model yet");
  return wait("ModelUnreachable", `the model's endpoint answers ${status}`);
}

/** The app's references that name the secret. Pure. */
export function referencesTo(
  references: readonly SettingReference[],
  vault: string,
  secret: string,
): SettingReference[] {
  const same = (a: string | undefined, b: string) => a?.toLowerCase() === b.toLowerCase();
  return references.filter((each) => same(each.vault, vault) && same(each.secret, secret));
}

/** Whether an app has resolved all its references to this version of the secret. Pure. */
export function judgeReferences(
  references: readonly SettingReference[],
  version: string,
): Attempt<readonly SettingReference[]> {
  const failed = references.find(({ status }) => status !== "Resolved" && status !== "Initialized");
  if (failed !== undefined) {
    const { status, setting } = failed;
    return wait(status, `${setting} cannot be resolved (${status})`);
  }
  const behind = references.find((each) => each.status !== "Resolved" || each.activeVersion !== version);
  if (behind !== undefined) return wait("ReferenceBehind", `${behind.setting} still has the version before`);
  if (references.length === 0) return wait("ReferenceMissing", "the app refers to the secret no more");
  return { done: true, value: references };
}

/** Whether an app serves with this key, told by its answer to a challenge. Pure. */
export function judgeHealth(
  { status, body }: RouteAnswer,
  key: KeyMaterial,
  challenge: string,
  made: boolean,
): Attempt<Proof> {
  const { keyProof } = parsed(body);
  if (typeof keyProof === "string") {
    // Not a secret: both sides of the comparison are derived, and the answer came over the public route.
    if (status === 200 && keyProof === key.proof(challenge)) return { done: true, value: "served" };
    return wait("OldKeyServed", "the app still serves with the key before");
  }
  if (!made && status < 500) return { done: true, value: "reported" };
  return wait("NoProof", `the app's health answers ${status} and proves no key`);
}

/** Whether the model answers through the app. An adopted app may have no such route. Pure. */
export function judgeChat({ status }: RouteAnswer, made: boolean): Attempt<undefined> {
  if (status === 200 || (!made && status < 500)) return { done: true, value: undefined };
  return wait("ModelCallFailed", `a model call through the app answers ${status}`);
}

/** Versions to disable so that only `keep` can be read: the current one, whatever is newer, and the next newest. Pure. */
export function surplus(
  versions: readonly SecretVersionProperties[],
  current: string,
  keep: number,
): SecretVersionProperties[] {
  const at = versions.findIndex(({ version }) => version === current);
  const since = versions[at]?.createdOn ?? new Date(0);
  const newer = versions.filter((each, index) => index !== at && each.enabled && each.createdOn > since);
  const older = versions.filter((each, index) => index !== at && each.enabled && each.createdOn <= since);
  return older.slice(Math.max(0, keep - 1 - newer.length));
}

function parsed(body: string): { keyProof?: unknown } {
  try {
    return (JSON.parse(body) ?? {}) as { keyProof?: unknown };
  } catch {
    return {};
  }
}
