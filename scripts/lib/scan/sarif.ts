import type { Finding } from "./judge.ts";
import { catalogue } from "./linter.ts";
import type { ScanReport } from "./scan.ts";

/**
 * The report as SARIF 2.1.0, the form that code scanning services read. Places are named from the top folder. Pure.
 * @param version of Kiln
 */
export function sarifOf(report: ScanReport, version: string): object {
  const titles = new Map(catalogue().map(({ id, title }) => [id, title]));
  for (const { rule, title } of report.findings) if (!titles.has(rule)) titles.set(rule, title);
  const ids = [...new Set(report.findings.map(({ rule }) => rule))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "kiln scan",
            semanticVersion: version,
            rules: ids.map((id) => ({
              id,
              shortDescription: { text: `Found ${titles.get(id) ?? id}.` },
              help: { text: "Take it out and renew it: what was once readable is known." },
              defaultConfiguration: { level: "error" },
              properties: { tags: ["security"], "security-severity": "9.0" },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: report.findings.map((finding) => resultOf(finding, ids)),
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: [
              ...report.notices.map((text) => ({ level: "note", message: { text } })),
              ...report.skipped.map(({ path, reason }) => ({
                level: "note",
                message: { text: `${path} was not searched: ${reason}.` },
              })),
            ],
          },
        ],
      },
    ],
  };
}

function resultOf(finding: Finding, ids: readonly string[]): object {
  const { rule, title, path, line, column, fingerprint, commit, versions } = finding;
  const since = commit === undefined ? "" : ` It came with commit ${commit}.`;
  return {
    ruleId: rule,
    ruleIndex: ids.indexOf(rule),
    level: "error",
    message: { text: `Found ${title}.${since}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(path).replace(/[?#]/g, encodeURIComponent) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
    partialFingerprints: { "kilnScan/v1": fingerprint },
    ...(commit === undefined ? {} : { properties: { commit, versions: versions ?? 1 } }),
  };
}
