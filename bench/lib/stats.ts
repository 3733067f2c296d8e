/** What is left of many measurements of the same thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which a share of the others lie, by nearest rank: always one that was measured. Pure. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  const found = sorted[rank];
  if (found === undefined) throw new RangeError("nothing was measured");
  return found;
}

/** The middle one, or the mean of the two in the middle. Pure. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError("nothing was measured");
  return low + (high - low) / 2;
}

/** Median, least and most, rounded to what is worth reading. Pure. */
export function spread(values: readonly number[]): Spread {
  return {
    median: significant(median(values)),
    min: significant(quantile(values, 0)),
    max: significant(quantile(values, 1)),
  };
}

/** Four significant digits. Pure. */
export function significant(value: number): number {
  return Number(value.toPrecision(4));
}

/**
 * The power by which `y` grows with `x`: the slope of the line that comes closest to the points on logarithmic scales. 1 is in
 * proportion, 2 is with the square. Pure.
 */
export function exponent(points: readonly { readonly x: number; readonly y: number }[]): number {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)] as const);
  const mean = (at: 0 | 1) => logs.reduce((sum, each) => sum + each[at], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

/** Whether a value keeps to a target that it must not exceed; null where there is no target. Pure. */
export function isMet(value: number, target: number | null): boolean | null {
  return target === null ? null : value <= target;
}
