import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chapters, type Explanation, type Uncoded, uncodedChapters } from "./lib/catalogue/index.ts";
import { exitCodes } from "./lib/errors.ts";

/** What `npm run docs` writes: the catalogue of errors for people to read. */
export const errorsFile = fileURLToPath(new URL("../docs/errors.md", import.meta.url));

/** The text of docs/errors.md. Pure. */
export function errorsPage(): string {
  const parts = chapters.map(
    ({ title, entries }) => `## ${title}\n\n${entries.map((each) => section(each.codes, each)).join("\n")}`,
  );
  const own = uncodedChapters.map(
    ({ title, about, entries }) =>
      `## ${title}\n\n${about}\n\n${entries.map((each) => section([each.code], each)).join("\n")}`,
  );
  return `# Errors, and what to do about them

Written by \`npm run docs\` from \`scripts/lib/catalogue/\`; change it there. A failed run tells what failed, why, what follows and what to
do next, and after that the cloud's own words, whole. What is not listed here passes through as the cloud says it.

${[...parts, ...own].join("\n")}`;
}

function section(codes: readonly string[], entry: Explanation | Uncoded): string {
  const { what, why, consequence, next, exitCode = exitCodes.failed } = entry;
  const traits = [
    `Exit code ${exitCode}.`,
    ...(entry.transient ? ["Kiln tries again by itself."] : []),
    ...(entry.capacity ? ["Kiln goes on to the next configured region."] : []),
    ...("codes" in entry && entry.message !== undefined
      ? [`Only where the message matches \`${entry.message.source}\`.`]
      : []),
  ];
  const lines = [
    `### ${codes.map((code) => `\`${code}\``).join(", ")}`,
    "",
    `${capital(what)}. ${traits.join(" ")}`,
    "",
    `- Why: ${why}`,
    `- What follows: ${consequence}`,
    `- What to do: ${next}`,
    "",
  ];
  return lines.join("\n").replaceAll("{region}", "the region");
}

function capital(text: string): string {
  const plain = text.replaceAll("{region}", "the region");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

if (import.meta.main) {
  const page = errorsPage();
  let before = "";
  try {
    before = readFileSync(errorsFile, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  writeFileSync(errorsFile, page);
  console.log(before === page ? "docs/errors.md is up to date" : "docs/errors.md was written");
}
