import { isSpan, type Span } from './binning.ts';

/** The most cells of a first histogram, from which edges are chosen; the fewest, where there are many columns; and those of all. */
const CELLS = 256;
const FEWEST_CELLS = 32;
const ALL_CELLS = 65_536;

/** The first histogram of a column without a plausible range reaches as many scales from its mean. */
const REACH = 10_000;

/** The facts about a numeric column that its task states. */
interface NumberFacts {
  readonly mean: number;
  readonly scale: number;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** The cells of each first histogram of so many columns: fewer where a report of all would not fit into one message. */
export function cellsOf(columns: number): number {
  return Math.max(FEWEST_CELLS, Math.min(CELLS, Math.floor(ALL_CELLS / columns)));
}

/**
 * Edges of a first, fine histogram of a numeric column. Between plausible limits they are equally far apart; else they are
 * mean + scale · sinh(t) for equally spaced t, dense about the mean and up to ten thousand scales from it.
 *
 * @param cells the number of bins, 3 at least.
 */
export function fineEdges({ mean, scale, min, max }: NumberFacts, cells = CELLS): number[] {
  const place = (i: number) => i / (cells - 2);
  const edges = Array.from({ length: cells - 1 }, (_, i) =>
    min !== undefined && max !== undefined && min < max
      ? min + (max - min) * place(i)
      : mean + scale * Math.sinh(Math.asinh(REACH) * (2 * place(i) - 1)),
  );
  // Far from zero neighbours can round to one number.
  return edges.filter((edge, i) => i === 0 || edge > (edges[i - 1] as number));
}

/**
 * Edges that divide a distribution into about equal shares: of the given edges those with the cumulative shares nearest to
 * 1 / bins, 2 / bins and so on, each once. At least one is returned.
 *
 * @param shares of the bins that `edges` make, one more than there are edges.
 */
export function quantileEdges(edges: readonly number[], shares: readonly number[], bins: number): number[] {
  let sum = 0;
  const cumulative = edges.map((_, i) => {
    sum += shares[i] as number;
    return sum;
  });
  const chosen = new Set<number>();
  let at = 0;
  for (let quantile = 1; quantile < bins; quantile++) {
    const share = quantile / bins;
    while (at + 1 < edges.length && (cumulative[at] as number) < share) at++;
    const past = (cumulative[at] as number) - share;
    const short = share - (cumulative[at - 1] ?? Number.NEGATIVE_INFINITY);
    chosen.add(short < past ? at - 1 : at);
  }
  return [...chosen].map((i) => edges[i] as number);
}

/**
 * The span of a number's moments. Its agreed edges, the first and last deciles, with the fine bins about them, are widened on
 * both sides by the distance of these edges: of a normal distribution a ten-thousandth lies beyond. Within a plausible range it
 * ends there.
 *
 * @param fine ascending, `agreed` among them.
 * @param range the plausible range; null: there is none.
 * @returns `null` where no finite interval is left.
 */
export function spanOf(
  fine: readonly number[],
  agreed: readonly number[],
  range: readonly [number, number] | null,
): Span | null {
  const [first, last] = [agreed[0] as number, agreed.at(-1) as number];
  const low = (fine[fine.indexOf(first) - 1] ?? first) - (last - first);
  const high = (fine[fine.indexOf(last) + 1] ?? last) + (last - first);
  const clipped: Span = range === null ? [low, high] : [Math.max(low, range[0]), Math.min(high, range[1])];
  if (isSpan(...clipped)) return clipped;
  return isSpan(low, high) ? [low, high] : null;
}
