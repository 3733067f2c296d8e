import { KilnError } from "../errors.ts";
import { asKilnError, cloudAnswer } from "./cloud-answer.ts";
import { type Attempt, type Patience, persist } from "./patience.ts";
import type { AppReferences, ReferenceStatus } from "./ports.ts";

/** Failures that no waiting mends, with what to do. */
const HOPELESS: Readonly<Record<string, string>> = {
  InvalidSyntax:
    "Correct the setting: it must read @Microsoft.KeyVault(SecretUri=https://<vault>.vault.azure.net/secrets/<name>).",
  MSINotEnabled: "Give the app a managed identity and name it in keyVaultReferenceIdentity.",
};

/** A reference that the app has resolved. */
export interface SettledReference {
  readonly setting: string;
  /** Version of the secret in use, when Azure says. */
  readonly version: string | undefined;
}

/**
 * Waits until the app has resolved the references of all given settings.
 *
 * It begins with a refresh, since even a resolved reference may be up to 24 hours old and lead to a key that is dead by
 * now; and it refreshes again after each failure, since a failure is cached as long.
 * @throws {KilnError} when a reference can never be resolved, or the patience is spent.
 */
export async function settleReferences(
  app: AppReferences,
  settings: readonly string[],
  patience: Patience,
): Promise<SettledReference[]> {
  await persist("Refreshing the app's references", patience, () => refreshOnce(app));
  const settled: SettledReference[] = [];
  for (const setting of settings) {
    const version = await persist(`Resolving ${setting}`, patience, () => look(app, setting));
    settled.push({ setting, version });
  }
  return settled;
}

async function look(app: AppReferences, setting: string): Promise<Attempt<string | undefined>> {
  const found = await app.status(setting).catch((error: unknown) => {
    throw asKilnError(
      error,
      `The status of ${setting} could not be read`,
      "Check the app, then run it again.",
    );
  });
  if (found?.status === "Resolved") return { done: true, value: found.activeVersion };
  if (found === undefined || found.status === "Initialized") {
    return { done: false, code: "Initialized", reason: "the app has not looked it up yet" };
  }
  const next = HOPELESS[found.status];
  if (next !== undefined) throw failed(setting, found, next);
  const refreshed = await refreshOnce(app);
  if (!refreshed.done) return refreshed;
  return { done: false, code: found.status, reason: `the app could not read the secret (${found.status})` };
}

async function refreshOnce(app: AppReferences): Promise<Attempt<undefined>> {
  try {
    await app.refresh();
    return { done: true, value: undefined };
  } catch (error) {
    const answer = cloudAnswer(error);
    if (answer?.status === 409) {
      const { code, retryAfterMs } = answer;
      return { done: false, code, reason: "the app is busy with another change", retryAfterMs };
    }
    throw asKilnError(
      error,
      "The app's references could not be refreshed",
      "Check the app, then run it again.",
    );
  }
}

function failed(setting: string, found: ReferenceStatus, next: string): KilnError {
  const details = found.details ?? "the app could not read the secret";
  // Worded as the cloud's own errors are, so that the code is found in it when the step's output is all there is.
  const cause = `Code="${found.status}" Message="${details}"`;
  return new KilnError({ code: found.status, message: `${setting} cannot be resolved`, cause, next });
}
