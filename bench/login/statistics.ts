/** Quantiles, verdicts on them, and the order of turns. */

export interface Spread {
  median: number;
  /** The first quartile. */
  low: number;
  /** The third quartile. */
  high: number;
}

/** A goal is open when the quartiles are on both sides of its limit. */
export type Verdict = 'met' | 'missed' | 'open';

/** The value below which this share of the values lies; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low === high ? low : low + (high - low) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Median, and the quartiles as its spread. */
export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
});

/** Starts each round with another one, so that all get the quiet moments of the machine. */
export const rotate = <T>(list: readonly T[], by: number): T[] =>
  list.map((_, index) => list[(index + by) % list.length] as T);

/** The verdict on a figure that should be at most, or at least, its limit. */
export function verdictOf({ low, high }: Spread, limit: number, isLeast = false): Verdict {
  const [best, worst] = isLeast ? [-high, -low] : [low, high];
  const most = isLeast ? -limit : limit;
  if (worst <= most) return 'met';
  return best > most ? 'missed' : 'open';
}

/** All must be met. One that is missed settles it. */
export function together(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('missed')) return 'missed';
  return verdicts.includes('open') ? 'open' : 'met';
}
