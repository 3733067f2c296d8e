import { type Command, Option } from "commander";
import type { Run } from "./lib/session.ts";

/** `kiln github …`: the repository's workflows, and what lets them work on environments. */
export function addGithubCommands(kiln: Command, run: Run): void {
  const github = kiln
    .command("github")
    .description("the pipelines on GitHub: their workflows, and what lets them in");
  const command = (usage: string, description: string) =>
    github
      .command(usage)
      .description(description)
      .option("--json", "one JSON document on stdout, and nothing else there");

  command("workflows", "compare .github/workflows with the definitions (exit code 5 when they differ)")
    .addOption(new Option("--write", "write the files").conflicts("check"))
    .addOption(new Option("--check", "only compare (the default)"))
    .action(({ write = false }: { write?: boolean }) =>
      run(async (context) => (await import("./verbs/github/workflows.ts")).workflows(context, { write })),
    );
}
