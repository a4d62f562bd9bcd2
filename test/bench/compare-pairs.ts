import type { BenchResult, BenchRow } from './result.ts';
import { median } from './statistics.ts';

/** A row of a benchmark in two checkouts. */
export interface Compared {
  readonly what: string;
  /** The median of the pairs' costs, new to old: of what is measured, or of its inverse where it is a rate. */
  readonly ratio: number;
  /** The interval of the median of ratios, with a confidence of at least 95 % (the sign test's). */
  readonly least: number;
  readonly most: number;
  /** True where the whole interval lies above `TOLERANCE`. */
  readonly worse: boolean;
}

export const TOLERANCE = 1.05;

/** Compares the rows that both checkouts have, by name, over pairs measured in turns. A larger ratio is worse in every row. */
export function compared(
  pairs: readonly { readonly old: BenchResult; readonly new: BenchResult }[],
): Compared[] {
  const names = pairs[0]?.new.rows.map(({ what }, at) => ({ what, at })) ?? [];
  return names.flatMap(({ what, at }) => {
    const ratios = pairs.flatMap((pair) => {
      const [now, before] = [pair.new.rows[at], pair.old.rows[at]];
      return now?.what === what && before?.what === what && before.median > 0
        ? [isRate(now) ? before.median / now.median : now.median / before.median]
        : [];
    });
    if (ratios.length < pairs.length) return [];
    const [least, most] = intervalOfMedian(ratios);
    return [{ what, ratio: median(ratios), least, most, worse: least > TOLERANCE }];
  });
}

/** A rate, such as GB/s, is better the larger it is. */
function isRate({ unit }: BenchRow): boolean {
  return unit.endsWith('/s');
}

/**
 * The narrowest interval between order statistics that holds the median with at least 95 %: P(X < k) for X binomial with
 * p = ½ bounds each side. With fewer than six values the whole range, which holds it less surely.
 */
export function intervalOfMedian(values: readonly number[]): readonly [least: number, most: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  let skipped = 0;
  let tail = 0.5 ** n;
  for (let k = 1, term = 0.5 ** n; k < n / 2; k++) {
    term *= (n - k + 1) / k;
    if (2 * tail > 0.05 || 2 * (tail + term) > 0.05) break;
    tail += term;
    skipped = k;
  }
  return [sorted[skipped] as number, sorted[n - 1 - skipped] as number];
}
