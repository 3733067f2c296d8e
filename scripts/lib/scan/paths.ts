import { KEY_SHAPES, matchesOf } from "../keys/shapes.ts";
import type { Hit } from "./hits.ts";
import { withoutOverlaps } from "./linter.ts";

/** Keys that stand in a file's name. Pure. */
export function hitsInName(path: string): Hit[] {
  const matches = KEY_SHAPES.flatMap((shape) =>
    [...matchesOf(shape, path)].map((span) => ({ ...span, rule: shape.rule })),
  );
  return withoutOverlaps(matches, path.length).map(({ rule, start, end }) => ({
    rule,
    secret: path.slice(start, end),
    line: 1,
    column: 1,
  }));
}

/** A path as it may be shown: without keys, and without characters that would write over a terminal. Pure. */
export function shownPath(path: string): string {
  const clean = KEY_SHAPES.reduce((text, { pattern }) => text.replaceAll(pattern, "[removed]"), path);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return clean.replace(/[\u0000-\u001f\u007f-\u009f]/g, (each) => JSON.stringify(each).slice(1, -1));
}
