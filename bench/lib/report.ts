import { isMet, type Spread, significant } from "./stats.ts";

/** One of the things that were measured side by side. */
export interface Side extends Partial<Spread> {
  /** What was measured, in words. */
  readonly what: string;
  readonly [more: string]: unknown;
}

/** What a measure found: one line of the report. */
export interface Finding {
  readonly name: string;
  /** Unit of `value`. */
  readonly unit: string;
  /** The figure that is held against the target. */
  readonly value: number;
  /** What `value` must not exceed; null where nothing is promised. */
  readonly target: number | null;
  /** Unit of what the sides say. */
  readonly sidesIn: string;
  readonly a: Side;
  readonly b: Side | null;
  /** How often each side was measured, warm-ups not counted. */
  readonly runs: number;
}

/** A finding as its line. Pure. */
export function lineOf(finding: Finding): string {
  const { name, unit, value, target, sidesIn, a, b, runs } = finding;
  return JSON.stringify({
    name,
    unit,
    value: significant(value),
    target,
    met: isMet(value, target),
    sidesIn,
    a,
    b,
    runs,
  });
}
