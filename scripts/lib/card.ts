import pc from "picocolors";
import type { Violation } from "./errors.ts";
import type { Changes } from "./operation.ts";
import { duration, outputRows, table } from "./output.ts";

/** What a verb on an environment ends with; with `--json` this is the document. */
export interface Result {
  readonly verb: string;
  readonly env: string;
  readonly cloud: string;
  readonly result: "succeeded";
  readonly region?: string;
  readonly changes?: Changes;
  readonly outputs?: { readonly [name: string]: unknown };
  readonly violations?: readonly Violation[];
  readonly durationMs: number;
  readonly [more: string]: unknown;
}

/** The summary card: what happened, what it gave, how long it took. */
export function card(result: Result): string {
  const { changes, outputs = {}, violations = [] } = result;
  const rows: string[][] = [];
  if (changes !== undefined) rows.push(["changes", changesText(changes)]);
  rows.push(...outputRows(outputs));
  for (const { policy, level, message } of violations)
    rows.push([`policy (${level})`, `${policy}: ${message}`]);
  rows.push(["took", duration(result.durationMs)]);
  const title = `${result.verb} ${result.env} ${result.result}`;
  return `\n${pc.green("✓")} ${pc.bold(title)}\n${table(rows)}`;
}

export function changesText(changes: Changes): string {
  const parts = Object.entries(changes).filter(([, count]) => count > 0);
  const changed = parts.filter(([op]) => op !== "same");
  if (changed.length === 0) return `none (${changes.same} unchanged)`;
  return parts.map(([op, count]) => `${count} ${op}`).join(", ");
}
