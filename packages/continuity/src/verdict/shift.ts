import type { Spread } from '../reference/reference.ts';
import { fisherUpper, normalUpperQuantile } from '../statistics/distributions.ts';
import { stabilityIndex } from '../statistics/histograms.ts';
import type { Shape } from './alarm-bounds.ts';

/**
 * The share that is added to each bin before shares are compared: 0.002, less where there are more than 25 bins. It is the same
 * whatever the number of examples, so that the effect means the same for few and for many; without it rare bins would weigh
 * without bound.
 */
function floorOf(bins: number): number {
  return Math.min(0.002, 0.01 / Math.sqrt(bins));
}

/** The index that chance within participants adds at most where the estimate of it holds: there are two examples a bin then. */
const SPARSE = 0.5;

/**
 * The intraclass correlation above which a histogram counts as a property of participants. Bounds that take means over few
 * participants as normal are too low for it: where participants are of two kinds, all of one kind can be in the reference and
 * all of the other in the period, and nothing varies.
 */
const PROPERTY = 0.1;

/** The most that the quadratic form Σ (q − p)² / h of any two histograms is, with h = (p + q) / 2: Σ 2 |q − p|. */
export const LARGEST_FORM = 4;

/** A shift of one histogram from its reference. */
export interface Shift {
  /**
   * The population stability index of shares with a small one added, less the average that chance alone adds. Negative where there is
   * less than that.
   */
  readonly effect: number;
  /** The interval that holds the true effect with 95 %. */
  readonly interval: readonly [number, number];
  /** The p-value of no shift: Rao and Scott's corrected χ², in the form of F. */
  readonly p: number;
  /** Examples that would tell as much if each came from a participant of its own; `null` where nothing varies. */
  readonly effective: number | null;
  /** What is added to a bound of the quadratic form to make a bound of the effect: what the index exceeds it by, less the average of chance. */
  readonly surplus: number;
  /** True where there are so few examples a bin that chance cannot be told from a shift. */
  readonly sparse: boolean;
  readonly shape: Shape;
}

/**
 * Holds mean shares of a period against those of the reference. With h = (p + q) / 2 in each bin, PSI ≈ Σ (q − p)² / h, a
 * quadratic form, which is the least that the index can be: with few examples chance alone makes it larger by a tenth and more
 * where it is rare. Without a shift its mean is Σ v / h with the variance v of q − p (Rao and Scott, JASA 1981). Variance
 * within participants is that of multinomial counts and spreads over all dimensions alike; how that between participants
 * spreads cannot be seen from the variances of single bins, so that all of it is taken to lie in one dimension, the worst case.
 *
 * @param noise the variance of the noise in each sum that the shares of the period were made from. Shares below two standard
 * deviations of it count as that much, since it would make a shift of them.
 */
export function shiftOf(reference: Spread, current: Spread, noise: number): Shift {
  const bins = reference.shares.length;
  const added = noise / current.participants ** 2;
  const drowned = 2 * Math.sqrt(Math.max(added, reference.noise ?? 0));
  const floor = floorOf(bins);
  const scale = 1 + bins * floor;
  const smooth = (shares: readonly number[]) =>
    shares.map((share) => (Math.max(share, drowned) + floor) / scale);
  const [p, q] = [smooth(reference.shares), smooth(current.shares)];
  const inverse = p.map((share, i) => 2 / (share + (q[i] as number)));
  const weighted = (of: (bin: number) => number) =>
    inverse.reduce((sum, one, bin) => sum + one * of(bin), 0) / scale ** 2;

  const noisyBefore = weighted(() => reference.noise ?? 0);
  const noisy = noisyBefore + weighted(() => added);
  const multinomial = weighted((bin) => {
    const share = ((reference.shares[bin] as number) + (current.shares[bin] as number)) / 2;
    return Math.max(0, share * (1 - share));
  });
  const partOf = (of: Spread, noise: number): Part => {
    const variance = Math.max(0, weighted((bin) => of.variances[bin] as number) - noise);
    const apart = weighted((bin) => (of.shares[bin] as number) * (1 - (of.shares[bin] as number)));
    return {
      participants: of.participants,
      variance,
      between: variance - of.within * multinomial,
      // The mean of s (1 − s) over participants; of few examples it is too small by 1 ÷ their number.
      diversity: (apart - (of.participants - 1) * variance) / Math.max(0.1, 1 - of.within * of.participants),
    };
  };
  const [before, now] = [partOf(reference, noisyBefore), partOf(current, 0)];
  const within = (reference.within + current.within) * multinomial;
  // Bins that are empty have no dimension of their own.
  const dimensions = Math.min(bins - 1, Math.max(1, Math.round(multinomial * scale)));
  const [flat, noisyEach] = [within / dimensions, noisy / dimensions];
  const chance = before.variance + now.variance + noisy;
  const apart = Math.max(0, before.between + now.between);

  const raw = stabilityIndex(p, q);
  const quadratic = inverse.reduce(
    (sum, one, i) => sum + one * ((p[i] as number) - (q[i] as number)) ** 2,
    0,
  );
  const effect = raw - chance;
  const largest = flat + apart + noisyEach;
  const squares = (dimensions - 1) * (flat + noisyEach) ** 2 + largest ** 2;
  const half = normalUpperQuantile(0.025) * Math.sqrt(2 * squares + 4 * largest * Math.max(0, effect));
  const above = squares === 0 ? dimensions : chance ** 2 / squares;
  const shared = sharedOf(before, now, multinomial, quadratic - within - noisy);
  return {
    effect,
    interval: [Math.max(0, effect - half), Math.max(0, effect + half)],
    p:
      chance === 0
        ? raw > 1e-12
          ? 0
          : 1
        : fisherUpper(quadratic / chance, above, above * welch(before, now)),
    effective: effectiveOf(current, added),
    surplus: raw - quadratic - chance,
    sparse: within > SPARSE,
    shape: {
      dimensions,
      within: flat,
      noise: noisyEach,
      // Those of the period may differ more than those of the reference did.
      between: Math.max(shared.variance, apart),
      degrees: shared.degrees,
    },
  };
}

/** One of the two sets of participants. */
interface Part {
  readonly participants: number;
  /** The variance of its mean, noise left out. */
  readonly variance: number;
  /** The part of it that is between participants, as it is estimated: it can be below 0. */
  readonly between: number;
  /** How much examples of one participant differ. */
  readonly diversity: number;
}

/**
 * The variance between participants of the difference of two means, and its degrees of freedom, where participants of both sets
 * are from one population: of few alone it is often estimated far too small. Where the histogram is a property of participants,
 * it is estimated around the common mean, with the difference in it, and counts as known, as in Pearson's χ² test of counts:
 * this gives no more alarms than permutations of the participants would, which few participants have few of.
 *
 * @param distance the square of the difference, less what chance within participants and noise add.
 */
function sharedOf(before: Part, now: Part, multinomial: number, distance: number) {
  const [m, n] = [before.participants, now.participants];
  const harmonic = (m * n) / (m + n);
  const diversity = (m * before.diversity + n * now.diversity) / (m + n);
  const squares = (m - 1) * m * before.between + (n - 1) * n * now.between;
  const variance = (each: number) => Math.max(0, each) / harmonic;
  return multinomial > 0 && 1 - diversity / multinomial > PROPERTY
    ? { variance: variance((squares + harmonic * distance) / (m + n - 1)), degrees: Number.POSITIVE_INFINITY }
    : { variance: variance(squares / Math.max(1, m + n - 2)), degrees: Math.max(1, m + n - 2) };
}

/** Σ p (1 − p) ÷ Σ v: the size of a simple random sample with the same variances. */
function effectiveOf({ shares, variances }: Spread, added: number): number | null {
  const alone = shares.reduce((sum, share) => sum + share * (1 - share), 0);
  const all = variances.reduce((sum, variance) => sum + variance + added, 0);
  return all === 0 ? null : alone / all;
}

/** Degrees of freedom of a sum of two estimated variances (Welch, Biometrika 1947). */
function welch(before: Part, now: Part): number {
  const part = ({ variance, participants }: Part) =>
    participants < 2 ? 0 : variance ** 2 / (participants - 1);
  const parts = part(before) + part(now);
  if (parts === 0) return Math.max(1, before.participants + now.participants - 2);
  return Math.max(1, (before.variance + now.variance) ** 2 / parts);
}
