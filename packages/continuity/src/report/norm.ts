import { shapeSize } from '@coppice/protocol';
import { type Binning, watchedOf } from '../reference/binning.ts';
import { layoutOf, type ReportKind } from './statistics-layout.ts';

/**
 * The largest L2 norm of a report, or of statistics, that `refuses` lets pass: the most that a sum changes where one report of it becomes nothing.
 * Each histogram has a mass of 1, so that the squares of its shares add up to 1 at most, however many bins it has; every other
 * number is at its bound.
 *
 * @param minimum the fewest observations of a report, and of a histogram in it.
 */
export function largestNorm(binning: Binning, minimum: number, kind: ReportKind = 'report'): number {
  const histograms = watchedOf(binning).length;
  const inverse = 1 / minimum;
  const within: { readonly [name: string]: number } = {
    shares: histograms,
    squares: histograms,
    inverse: histograms * inverse ** 2,
    'missing-inverse': inverse ** 2,
    // Of one arm alone.
    'guard-present': 1,
    'guard-errors': 1,
    'guard-squares': 1,
    'label-inverse': inverse ** 2,
    'label-shares': 1,
    'label-squares': 1,
  };
  const squares = layoutOf(kind, binning, '').map(
    ({ name, shape, bound }) => within[name] ?? shapeSize(shape) * (bound ?? 1) ** 2,
  );
  return Math.sqrt(squares.reduce((sum, one) => sum + one, 0));
}
