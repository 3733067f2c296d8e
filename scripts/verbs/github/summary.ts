import { appendFileSync, readFileSync } from "node:fs";
import { type ExitCode, exitCodes, usageError } from "../../lib/errors.ts";
import { documentMarkdown, masked, parseDocument } from "../../lib/github/markdown.ts";
import type { VerbContext } from "../../lib/session.ts";

/** What verbs printed with `--json`, as Markdown and without anything that looks like a secret. */
export async function markdownOf(files: readonly string[]): Promise<string> {
  const cards: string[] = [];
  for (const file of files) {
    const document = parseDocument(read(file));
    cards.push(
      document === undefined
        ? "### ❌ it ended without a result\n\nThe log says how far it came."
        : documentMarkdown(document),
    );
  }
  return masked(`${cards.join("\n\n")}\n`);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code;
    throw usageError(
      `${file} cannot be read`,
      `The system says ${why}.`,
      "Name what a verb printed with --json.",
    );
  }
}

/** `kiln github summary <file…>`: results for a job's summary, or on stdout where there is no job. */
export async function summary(
  context: VerbContext,
  options: { files: readonly string[] },
): Promise<ExitCode> {
  const { env, out } = context;
  const markdown = await markdownOf(options.files);
  const file = env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, markdown);
  out.document({ verb: "github summary", result: file ? "written" : "shown", markdown });
  if (!file) out.say(markdown.trimEnd());
  return exitCodes.done;
}
