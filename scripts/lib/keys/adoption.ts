import { KilnError } from "../errors.ts";
import type { AppSettings } from "./ports.ts";

/** Settings with ours among them, or undefined when they are there already. Pure. */
export function withOurs(
  current: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const changed = Object.entries(ours).some(([name, value]) => current[name] !== value);
  return changed ? { ...current, ...ours } : undefined;
}

/** Settings without ours, or undefined when none of ours is there. Pure. */
export function withoutOurs(
  current: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> | undefined {
  const left = Object.fromEntries(Object.entries(current).filter(([name]) => !names.includes(name)));
  return Object.keys(left).length === Object.keys(current).length ? undefined : left;
}

/**
 * Puts our settings among those of an existing app. Nothing is written when they are there, since writing restarts it.
 * @returns whether anything was written.
 * @throws {KilnError} when there is no such app, or it has no identity to read its references with.
 */
export async function adoptSettings(
  app: AppSettings,
  appName: string,
  ours: Readonly<Record<string, string>>,
): Promise<boolean> {
  const identity = await app.hasIdentity();
  if (identity === undefined) {
    throw new KilnError({
      code: "AppNotFound",
      message: `There is no Function App "${appName}" to adopt`,
      cause: "Adopting takes an app that exists; it never makes one.",
      next: "Check kiln:foundry.functionApp.name and .resourceGroup, or set its mode to create.",
    });
  }
  if (!identity) {
    throw new KilnError({
      code: "MSINotEnabled",
      message: `The Function App "${appName}" has no managed identity`,
      cause:
        "Without one it cannot read a Key Vault reference, and would send the reference's text as its key.",
      next: "Give the app a managed identity, then run it again.",
    });
  }
  const merged = withOurs(await app.read(), ours);
  if (merged === undefined) return false;
  await app.replace(merged);
  return true;
}

/**
 * Takes our settings out of an existing app and leaves all others. An app that is gone has none of ours.
 * @returns whether anything was written.
 */
export async function releaseSettings(app: AppSettings, names: readonly string[]): Promise<boolean> {
  if ((await app.hasIdentity()) === undefined) return false;
  const left = withoutOurs(await app.read(), names);
  if (left === undefined) return false;
  await app.replace(left);
  return true;
}
