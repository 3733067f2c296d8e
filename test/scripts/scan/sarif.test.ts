import schema from "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json" with { type: "json" };
import Draft04 from "ajv-draft-04";
import { describe, expect, it } from "vitest";
import { sarifOf } from "../../../scripts/lib/scan/sarif.ts";
import { samples } from "./minted.ts";
import { Folder, Repository } from "./support.ts";

// Formats of URIs are checked below, each by itself; one of the schema's patterns is none by Unicode's rules.
const valid = new Draft04.default({
  validateFormats: false,
  unicodeRegExp: false,
  strict: false,
  allErrors: true,
}).compile(schema);

interface Log {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly partialFingerprints: Record<string, string>;
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: { readonly startLine: number; readonly startColumn: number };
        };
      }[];
    }[];
  }[];
}

describe("SARIF", () => {
  it("is valid by the published schema with findings of every rule, skipped files and notices", async () => {
    using folder = new Folder();
    for (const { rule, text } of samples) folder.write(`a folder/100% #${rule}?.txt`, `\n ${text}\n`);
    folder.write("binary", Buffer.from([1, 0, 2]));
    folder.allow({ path: "nothing", reason: "an entry that nothing needs" });
    const report = await folder.scan();
    const log = sarifOf(report, "1.2.3") as Log;
    expect(valid(log), JSON.stringify(valid.errors)).toBe(true);
    const [run] = log.runs;
    expect(run?.results).toHaveLength(report.findings.length);
    expect(new Set(run?.results.map(({ ruleId }) => ruleId)).size).toBe(
      new Set(samples.map(({ rule }) => rule)).size,
    );
    for (const [at, result] of (run?.results ?? []).entries()) {
      const { uri } = result.locations[0]?.physicalLocation.artifactLocation ?? { uri: "" };
      expect(run?.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(decodeURIComponent(new URL(uri, "file:///").pathname.slice(1))).toBe(report.findings[at]?.path);
      expect(result.partialFingerprints["kilnScan/v1"]).toBe(report.findings[at]?.fingerprint);
    }
    const text = JSON.stringify(log);
    for (const { secret } of samples) expect(text).not.toContain(secret);
    expect(text).toContain("binary was not searched: binary.");
  });

  it("is valid with nothing found, and of the history", async () => {
    using repository = new Repository();
    repository.write("file", samples[0]?.text ?? "");
    repository.commit();
    const empty = sarifOf({ ...(await repository.scan()), findings: [] }, "0.1.0");
    expect(valid(empty), JSON.stringify(valid.errors)).toBe(true);
    const log = sarifOf(await repository.scan({ kind: "history", reflog: false }), "0.1.0");
    expect(valid(log), JSON.stringify(valid.errors)).toBe(true);
    expect(JSON.stringify(log)).toContain(repository.git("rev-parse", "HEAD"));
  });

  it("is checked by a schema that refuses what is not SARIF", () => {
    expect(valid({ version: "2.1.0" })).toBe(false);
    expect(valid({ version: "2.1.0", runs: [{ tool: {}, results: [{}] }] })).toBe(false);
  });
});
