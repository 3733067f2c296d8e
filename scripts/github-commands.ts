import { type Command, Option } from "commander";
import type { Run } from "./lib/session.ts";
import type { CloudName } from "./lib/target.ts";

interface ConnectFlags {
  readonly env: string[];
  readonly reviewer?: string[];
  readonly backend?: string;
  readonly secretsProvider?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly cloud: CloudName;
}

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

  const cloud = () =>
    new Option("--cloud <cloud>", "which GitHub: the sandbox's, or with azure the real one")
      .choices(["sandbox", "azure"])
      .default("sandbox");

  command("connect <repository>", "let a repository's workflows work on environments, without a secret")
    .requiredOption("--env <env...>", "dev, staging, prod, or pr for all pull requests")
    .option("--reviewer <who...>", "who approves a run on prod: a login, or organization/team; up to six")
    .option("--backend <url>", "where the state lives (default: PULUMI_BACKEND_URL)")
    .option("--secrets-provider <url>", "what encrypts the state's secrets (default: KILN_SECRETS_PROVIDER)")
    .option("--dry-run", "only say what would change")
    .option("-y, --yes", "do not ask")
    .addOption(cloud())
    .action((repository: string, flags: ConnectFlags) =>
      run(async (context) =>
        (await import("./verbs/github/connect.ts")).connect(context, {
          repository,
          environments: flags.env,
          reviewers: flags.reviewer ?? [],
          backend: flags.backend,
          secretsProvider: flags.secretsProvider,
          dryRun: flags.dryRun ?? false,
          yes: flags.yes ?? false,
          cloud: flags.cloud,
        }),
      ),
    );
  command("verify-environment <env>", "check what stands before an environment (exit code 5 when too little)")
    .option("--repo <owner/name>", "the repository (default: GITHUB_REPOSITORY)")
    .addOption(cloud())
    .action((environment: string, options: { repo?: string; cloud: CloudName }) =>
      run(async (context) => {
        const { verifyEnvironment } = await import("./verbs/github/verify-environment.ts");
        return verifyEnvironment(context, { environment, repository: options.repo, cloud: options.cloud });
      }),
    );
  command("check-run <action> <env>", "check the inputs of a run before it touches anything").action(
    (action: string, environment: string) =>
      run(async (context) =>
        (await import("./verbs/github/check-run.ts")).checkRun(context, { action, environment }),
      ),
  );
  command("summary <files...>", "show what verbs printed with --json, in a job's summary").action(
    (files: string[]) =>
      run(async (context) => (await import("./verbs/github/summary.ts")).summary(context, { files })),
  );
  command("comment <pull-request> <files...>", "the same on a pull request, in one comment kept up to date")
    .option("--repo <owner/name>", "the repository (default: GITHUB_REPOSITORY)")
    .addOption(cloud())
    .action((pullRequest: string, files: string[], options: { repo?: string; cloud: CloudName }) =>
      run(async (context) => {
        const { comment } = await import("./verbs/github/comment.ts");
        const { repo: repository, cloud } = options;
        return comment(context, { pullRequest, files, repository, cloud });
      }),
    );
  command("workflows", "compare .github/workflows with the definitions (exit code 5 when they differ)")
    .addOption(new Option("--write", "write the files").conflicts("check"))
    .addOption(new Option("--check", "only compare (the default)"))
    .action(({ write = false }: { write?: boolean }) =>
      run(async (context) => (await import("./verbs/github/workflows.ts")).workflows(context, { write })),
    );
}
