import { type Command, Option } from "commander";
import type { Run } from "./lib/session.ts";
import type { ScanFlags } from "./verbs/scan.ts";

/** `kiln scan`: whether a secret is where it must not be. */
export function addScanCommand(kiln: Command, run: Run): void {
  kiln
    .command("scan")
    .argument("[paths...]", "files and folders (default: the working tree, but what git ignores)")
    .description("search files, the history or a log for secrets (exit code 5 when found)")
    .option("--history", "every version of every file that a branch, a tag or another ref reaches")
    .option("--reflog", "with --history: also what only the reflogs still know")
    .option("--staged", "what the next commit would bring")
    .option("--range <A..B>", "what a push or a pull request brings")
    .option("--log <file>", "a workflow's log; - reads what is piped in")
    .option("--baseline <file>", "let pass the findings that this file names")
    .option("--write-baseline", "make the baseline of what is found now")
    .addOption(new Option("--format <form>", "how it is told").choices(["text", "sarif"]).default("text"))
    .option("--output <file>", "where the SARIF goes (default: stdout)")
    .option("--json", "one JSON document on stdout, and nothing else there")
    .action((paths: string[], flags: Omit<ScanFlags, "paths">) =>
      run(async (context) => (await import("./verbs/scan.ts")).scan(context, { ...flags, paths })),
    );
}
