import pc from "picocolors";
import { duration } from "../output.ts";
import type { ScanReport } from "./scan.ts";

/** So many skipped files are named; the rest are counted. With `--json` all are named. */
const NAMED = 5;

const many = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** `12 binary, 1 too large`. Pure. */
function reasons(report: ScanReport): string {
  const counts = new Map<string, number>();
  for (const { reason } of report.skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(", ");
}

/** What was found, for people, a line for each. Pure. */
export function findingLines(report: ScanReport): string[] {
  return report.findings.flatMap(({ path, line, column, title, rule, commit, versions, fingerprint }) => {
    const since =
      commit === undefined
        ? ""
        : ` since ${commit.slice(0, 12)}${(versions ?? 1) > 1 ? `, ${versions} versions` : ""}`;
    return [
      `${pc.red("✗")} ${pc.bold(`${path}:${line}:${column}`)}  ${title} ${pc.dim(`(${rule})${since}`)}`,
      pc.dim(`    fingerprint ${fingerprint}`),
    ];
  });
}

/** What was searched and what was not, for people. Pure. */
export function summaryLines(report: ScanReport): string[] {
  const { findings, scanned, skipped, allowed } = report;
  const passed = allowed.inline + allowed.list + allowed.baseline;
  const { bytes: all } = scanned;
  const bytes = all < 1e6 ? `${Math.ceil(all / 1000)} KB` : `${(all / 1e6).toFixed(1)} MB`;
  const lines = [
    `${findings.length === 0 ? pc.green("✓ no secret") : pc.red(`✗ ${many(findings.length, "secret")}`)} in ` +
      `${many(scanned.count, "text")} (${bytes}, ${duration(report.durationMs)})` +
      (passed === 0
        ? ""
        : `; let pass: ${allowed.inline} inline, ${allowed.list} by the list, ${allowed.baseline} by the baseline`),
  ];
  if (skipped.length > 0) {
    lines.push(`not searched: ${reasons(report)}`);
    for (const { path, reason } of skipped.slice(0, NAMED)) lines.push(pc.dim(`    ${path}: ${reason}`));
    if (skipped.length > NAMED)
      lines.push(pc.dim(`    and ${skipped.length - NAMED} more; --json names them all`));
  }
  return lines;
}

/** What a failed scan tells programs and people to do. Pure. */
export function scanError({ findings }: ScanReport) {
  const files = new Set(findings.map(({ path }) => path)).size;
  return {
    code: "SecretsFound",
    message: `${many(findings.length, "secret")} found in ${many(files, "place")}`,
    cause: findings
      .slice(0, 20)
      .map(({ path, line, column, title }) => `${path}:${line}:${column}: ${title}`)
      .join("\n"),
    next:
      "Take each out and renew it: what was once readable is known. One that is none is allowed with a reason, " +
      "in .kiln/scan.json or in its line (docs/scanning.md).",
  };
}
