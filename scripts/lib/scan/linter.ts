import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { rules as presetRules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretLintCoreConfig, SecretLintRuleCreator } from "@secretlint/types";
import { RULES, type Rule, type Span } from "./rules.ts";

/** A secret in a text. */
export interface Match extends Span {
  readonly rule: string;
}

const PREFIX = "@secretlint/secretlint-rule-";
const nameOf = (id: string): string => id.slice(id.startsWith(PREFIX) ? PREFIX.length : 0);

/**
 * Rules of secretlint's recommended preset that are not run: comments that switch rules off without a reason
 * (`filter-comments`), and those that Kiln's own do more of: they know no keys without a length of 100 characters
 * (`privatekey`), no other URLs and no masked passwords (`basicauth`, `database-connection-string`).
 */
const LEFT_OUT = ["filter-comments", "privatekey", "basicauth", "database-connection-string"];

/** The preset's rules one by one: the preset itself runs all, also those that its options switch off. */
const PRESET = presetRules.filter(({ meta }) => !LEFT_OUT.includes(nameOf(meta.id)));

/** What the preset's rules find, where their name alone does not say it. */
const PRESET_TITLES: Readonly<Record<string, string>> = {
  aws: "an AWS credential",
  gcp: "a Google Cloud key",
  github: "a GitHub token",
  npm: "an npm token",
  openai: "an OpenAI key",
  anthropic: "an Anthropic key",
};

/** Every rule that the scan has, Kiln's own first, then secretlint's by their short names. */
export function catalogue(): readonly Omit<Rule, "find">[] {
  const theirs = PRESET.map(({ meta }) => nameOf(meta.id));
  return [
    ...RULES.map(({ id, title, chosen }) => ({ id, title, ...(chosen === undefined ? {} : { chosen }) })),
    ...theirs.map((id) => ({ id, title: PRESET_TITLES[id] ?? `a credential of ${id}` })),
  ];
}

/** One of Kiln's rules in secretlint's form. Its message is of the rule alone: nothing of the text goes into it. */
function asSecretlintRule({ id, title, find }: Rule): SecretLintRuleCreator {
  const messages = { FOUND: { en: () => `found ${title} (${id})` } };
  return {
    messages,
    meta: { id, recommended: true, type: "scanner", supportedContentTypes: ["text"] },
    create: (context) => {
      const message = context.createTranslator(messages)("FOUND");
      return {
        file: ({ content }) => {
          for (const { start, end } of find(content)) context.report({ message, range: [start, end] });
        },
      };
    },
  };
}

const config: SecretLintCoreConfig = {
  rules: [
    ...RULES.map((rule) => ({ id: rule.id, rule: asSecretlintRule(rule) })),
    ...PRESET.map((rule) => ({ id: rule.meta.id, rule })),
  ],
};

const rank = new Map(RULES.map(({ id }, at) => [id, at]));

/** Of matches that overlap the one of the most particular rule, and of equals the first and longest. Pure. */
export function withoutOverlaps(matches: readonly Match[], length: number): Match[] {
  const order = ({ rule }: Match) => rank.get(rule) ?? RULES.length;
  const taken = new Uint8Array(length);
  const kept = [...matches]
    .sort((a, b) => order(a) - order(b) || a.start - b.start || b.end - a.end)
    .filter(({ start, end }) => {
      if (end <= start || taken.subarray(start, end).includes(1)) return false;
      taken.fill(1, start, end);
      return true;
    });
  return kept.sort((a, b) => a.start - b.start);
}

/** Colours in a log end with a letter, which would hide that a token begins after it. Same length, so that places stay. */
function withoutColours(text: string): string {
  if (!text.includes("\u001b[")) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what is looked for.
  return text.replace(/\u001b\[[0-9;]{0,20}[A-Za-z]/g, (code) => " ".repeat(code.length));
}

/**
 * Every secret in a text of moderate length. A value that a pipeline has masked (`***`) is none.
 * @param text without a byte order mark
 */
export async function lint(text: string): Promise<Match[]> {
  // It keeps a record of every rule run on every text, in memory and for ever.
  secretLintProfiler.setEnabled(false);
  // The name is never one of a file: a rule of the preset would read that.
  const source = { filePath: "text", content: withoutColours(text), contentType: "text", ext: "" } as const;
  const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } });
  const matches = messages
    .map(({ ruleId, range: [start, end] }) => ({ rule: nameOf(ruleId), start, end }))
    .filter(({ start, end }) => !text.slice(start, end).includes("***"));
  return withoutOverlaps(matches, text.length);
}
