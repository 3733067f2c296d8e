import {
  azureType,
  type Exemption,
  isEphemeral,
  LONGEST_EXEMPTION_DAYS,
  type PolicyContext,
  type PolicyInput,
} from "./model.ts";

const DAY_MS = 86_400_000;

/** Midnight UTC of a `YYYY-MM-DD` that exists in the calendar, in milliseconds; undefined for anything else. */
export function parseDay(day: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day ? undefined : time;
}

/** What is wrong with an exemption as it is written, one sentence each; none when it is in order. Expiry is not a fault. */
export function faultsOf(exemption: Exemption, ruleNames: readonly string[], today: string): string[] {
  const faults: string[] = [];
  if (!ruleNames.includes(exemption.rule)) faults.push(`names no rule of this pack ("${exemption.rule}")`);
  if (exemption.reason.trim().length < 10) faults.push("gives no reason");
  if (exemption.property.trim() === "") faults.push("names no property");
  if (exemption.environments.length === 0) faults.push("names no environment");
  const end = parseDay(exemption.expires);
  const now = parseDay(today);
  if (end === undefined) faults.push(`has no readable date ("${exemption.expires}"; write YYYY-MM-DD)`);
  else if (now !== undefined && end - now > LONGEST_EXEMPTION_DAYS * DAY_MS)
    faults.push(`runs until ${exemption.expires}, more than ${LONGEST_EXEMPTION_DAYS} days ahead`);
  return faults;
}

/** How an exemption bears on one violation. */
export type Standing = { kind: "holds" } | { kind: "expired"; on: string } | { kind: "none" };

/** Whether some exemption lifts a rule at a property of a resource today. One with a fault never does. */
export function standing(
  rule: string,
  resource: PolicyInput,
  property: string,
  context: PolicyContext,
): Standing {
  let expired: string | undefined;
  for (const exemption of context.exemptions) {
    if (exemption.rule !== rule || !concerns(exemption, resource, property, context.stack)) continue;
    if (faultsOf(exemption, [rule], context.today).length > 0) continue;
    if (context.today <= exemption.expires) return { kind: "holds" };
    if (expired === undefined || expired < exemption.expires) expired = exemption.expires;
  }
  return expired === undefined ? { kind: "none" } : { kind: "expired", on: expired };
}

function concerns(exemption: Exemption, resource: PolicyInput, property: string, stack: string): boolean {
  const type = azureType(resource.type) ?? resource.type;
  return (
    exemption.type === type &&
    exemption.property === property &&
    nameMatches(exemption.name, resource.name) &&
    exemption.environments.some((env) => env === stack || (env === "pr-*" && isEphemeral(stack)))
  );
}

function nameMatches(wanted: string | RegExp, name: string): boolean {
  if (typeof wanted === "string") return wanted === name;
  // Anchored here, so that a pattern for "app" cannot by accident let "app-of-someone-else" through.
  return new RegExp(`^(?:${wanted.source})$`, wanted.flags.replace(/[gy]/g, "")).test(name);
}
