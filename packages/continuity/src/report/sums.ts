import type { Watched } from '../reference/binning.ts';
import type { Rate, Spread } from '../reference/reference.ts';

/** Sums of reports by tensor of their layout, each as long as the tensor. Sums of two sets of participants add up. */
export type Sums = ReadonlyMap<string, Float64Array>;

/**
 * Mean shares of one histogram over the participants that have it, with their variances.
 *
 * @param index its place among the histograms.
 * @param noise the variance of the noise that each sum has.
 */
export function spreadOf(sums: Sums, { bins, at }: Watched, index: number, noise = 0): Spread {
  const participants = countOf(sums, 'present', 1, index);
  const each = Array.from({ length: bins }, (_, bin) =>
    meanOf(numberOf(sums, 'shares', at + bin), numberOf(sums, 'squares', at + bin), participants, noise),
  );
  return {
    shares: each.map(({ share }) => share),
    variances: each.map(({ variance }) => variance),
    within: withinOf(numberOf(sums, 'inverse', index), participants),
    participants,
  };
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
