import type { Watched } from '../reference/binning.ts';
import type { Moment, Rate, Spread } from '../reference/reference.ts';
import type { Measured } from './statistics-layout.ts';

/** Sums of reports by tensor of their layout, each as long as the tensor. Sums of two sets of participants add up. */
export type Sums = ReadonlyMap<string, Float64Array>;

/**
 * Mean shares of one histogram over the participants that have it, with their variances.
 *
 * @param index its place among the histograms.
 * @param noise the variance of the noise that each sum has.
 */
export function spreadOf(sums: Sums, { bins, at }: Watched, index: number, noise = 0): Spread {
  return spreadIn(sums, { shares: 'shares', squares: 'squares' }, { bins, at }, noise, {
    participants: countOf(sums, 'present', 1, index),
    inverse: numberOf(sums, 'inverse', index),
  });
}

function spreadIn(
  sums: Sums,
  names: { readonly shares: string; readonly squares: string },
  { bins, at }: Pick<Watched, 'bins' | 'at'>,
  noise: number,
  { participants, inverse }: { readonly participants: number; readonly inverse: number },
): Spread {
  const each = Array.from({ length: bins }, (_, bin) =>
    meanOf(
      numberOf(sums, names.shares, at + bin),
      numberOf(sums, names.squares, at + bin),
      participants,
      noise,
    ),
  );
  return {
    shares: each.map(({ share }) => share),
    variances: each.map(({ variance }) => variance),
    within: withinOf(inverse, participants),
    participants,
  };
}

/** As `spreadOf`, of the labels in statistics. @param bins those of predictions. */
export function labelSpreadOf(sums: Sums, bins: number, noise = 0): Spread {
  return spreadIn(sums, { shares: 'label-shares', squares: 'label-squares' }, { bins, at: 0 }, noise, {
    participants: countOf(sums, 'label-present'),
    inverse: numberOf(sums, 'label-inverse', 0),
  });
}

/**
 * The mean and the standard deviation of a number over the participants that have it, each with the same weight.
 *
 * @param index its place among those whose moments are counted (`measuredOf`).
 * @returns `undefined` where nobody has it.
 */
export function momentOf(
  sums: Sums,
  { column, span: [low, high] }: Measured,
  index: number,
): Moment | undefined {
  const participants = column === null ? countOf(sums, 'label-present') : countOf(sums, 'present', 1, column);
  if (participants === 0 || !sums.has('means')) return undefined;
  // Noise can leave any number.
  const within = (name: string) => Math.min(1, Math.max(0, numberOf(sums, name, index) / participants));
  const [mean, square] = [within('means'), within('mean-squares')];
  const deviation = Math.sqrt(Math.max(0, square - mean ** 2)) * (high - low);
  return { mean: low + mean * (high - low), deviation, participants };
}

/** As `spreadOf`, of the share of missing values, or of those beyond the plausible range, of an input column. */
export function rateOf(sums: Sums, of: 'missing' | 'outside', column: number, noise = 0): Rate {
  const participants = of === 'missing' ? countOf(sums, 'reports') : countOf(sums, 'present', 1, column);
  const inverse = of === 'missing' ? numberOf(sums, 'missing-inverse', 0) : numberOf(sums, 'inverse', column);
  return {
    ...meanOf(numberOf(sums, of, column), numberOf(sums, `${of}-squares`, column), participants, noise),
    within: withinOf(inverse, participants),
    participants,
  };
}

/** As `rateOf`, of the mean error over participants with outcomes. The variance within participants is not told. */
export function errorRateOf(sums: Sums, noise = 0): Rate {
  const participants = countOf(sums, 'labelled');
  const [sum, squares] = [numberOf(sums, 'errors', 0), numberOf(sums, 'errors-square', 0)];
  return { ...meanOf(sum, squares, participants, noise), within: 0, participants };
}

/** As `errorRateOf`, of each group; empty where the sums have none. */
export function groupRatesOf(sums: Sums, noise = 0): Rate[] {
  const groups = sums.get('group-present')?.length ?? 0;
  return Array.from({ length: groups }, (_, group) => {
    const participants = countOf(sums, 'group-present', 1, group);
    const [sum, squares] = [numberOf(sums, 'group-errors', group), numberOf(sums, 'group-squares', group)];
    return { ...meanOf(sum, squares, participants, noise), within: 0, participants };
  });
}

/** The mean of a share over participants, and the variance of that mean beside the noise's: (Σ s² − (Σ s)² / m) / (m (m − 1)). */
function meanOf(sum: number, squares: number, participants: number, noise: number) {
  if (participants === 0) return { share: 0, variance: 0 };
  const share = sum / participants;
  // The square of a noisy sum is too large by the variance of the noise.
  const apart = squares - (sum * sum - noise) / participants;
  const variance =
    participants < 2 ? 0 : Math.min(1, Math.max(0, apart) / (participants * (participants - 1)));
  return { share: Math.min(1, Math.max(0, share)), variance };
}

/** Σ (1 / n_i) / m²: the variance of a mean of m shares of n_i examples each, divided by p (1 − p). */
function withinOf(inverse: number, participants: number): number {
  return participants === 0 ? 0 : Math.min(1, Math.max(0, inverse) / participants ** 2);
}

/** A sum of counts in a unit of `1 / per`, as a whole number: noise can leave any number. */
export function countOf(sums: Sums, name: string, per = 1, index = 0): number {
  return Math.max(0, Math.round(numberOf(sums, name, index) * per));
}

function numberOf(sums: Sums, name: string, index: number): number {
  return sums.get(name)?.[index] ?? 0;
}
