import type { Spread } from '../reference/reference.ts';
import { fisherUpper, normalUpperQuantile } from '../statistics/distributions.ts';
import { stabilityIndex } from '../statistics/histograms.ts';

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
  /** The standard deviation of the effect where there is no shift. */
  readonly deviation: number;
  /** The part of the effect by which the index exceeds the quadratic form: bounds of chance are for that form, and lie as much higher. */
  readonly surplus: number;
  /** True where there are so few examples a bin that chance cannot be told from a shift. */
  readonly sparse: boolean;
  readonly shape: Shape;
}

/** The parameters of the effect's distribution without a shift, but for a factor. */
export interface Shape {
  /** Bins less one. */
  readonly dimensions: number;
  /** Variance between participants, in terms of the variance within them in one dimension. */
  readonly between: number;
  /** Variance of the added noise in one dimension, in the same terms. */
  readonly noise: number;
  /** Degrees of freedom, in participants, of the estimated variance. */
  readonly degrees: number;
}

/**
 * Holds mean shares of a period against those of the reference. With h = (p + q) / 2 in each bin, PSI ≈ Σ (q − p)² / h, a
 * quadratic form, which is the least that the index can be: with few examples chance alone makes it larger by a tenth and more
 * where it is rare. Without a shift its mean is Σ v / h with the variance v of q − p (Rao and Scott, JASA 1981). Variance
 * within participants is that of multinomial counts and spreads over all dimensions alike; how that between participants
 * spreads cannot be seen from the variances of single bins, so that all of it is taken to lie in one dimension, the worst case.
 *
 * @param noise the variance of the noise in each sum that the shares of the period were made from.
 */
export function shiftOf(reference: Spread, current: Spread, noise: number): Shift {
  const bins = reference.shares.length;
  const added = noise / current.participants ** 2;
  const floor = Math.max(floorOf(bins), 2 * Math.sqrt(added));
  const scale = 1 + bins * floor;
  const smooth = (shares: readonly number[]) => shares.map((share) => (share + floor) / scale);
  const [p, q] = [smooth(reference.shares), smooth(current.shares)];
  const weight = p.map((share, i) => 2 / (share + (q[i] as number)) / scale ** 2);
  const weighted = (variances: (bin: number) => number) =>
    weight.reduce((sum, one, bin) => sum + one * variances(bin), 0);

  const before = weighted((bin) => reference.variances[bin] as number);
  const now = weighted((bin) => current.variances[bin] as number);
  const multinomial = weighted((bin) => {
    const share = ((reference.shares[bin] as number) + (current.shares[bin] as number)) / 2;
    return Math.max(0, share * (1 - share));
  });
  const within = (reference.within + current.within) * multinomial;
  const dimensions = bins - 1;
  const flat = within / dimensions;
  const between = Math.max(0, before + now - within);
  const noisy = weighted(() => added);
  const chance = before + now + noisy;

  const largest = flat + between + noisy / dimensions;
  const squares = (dimensions - 1) * (flat + noisy / dimensions) ** 2 + largest ** 2;
  const deviation = Math.sqrt(2 * squares);
  const raw = stabilityIndex(p, q);
  const quadratic = weighted(
    (bin) => ((reference.shares[bin] as number) - (current.shares[bin] as number)) ** 2,
  );
  const effect = raw - chance;
  const half = normalUpperQuantile(0.025) * Math.sqrt(2 * squares + 4 * largest * Math.max(0, effect));
  const degrees = welch(before, reference.participants, now, current.participants);
  const above = squares === 0 ? dimensions : chance ** 2 / squares;
  return {
    effect,
    interval: [Math.max(0, effect - half), Math.max(0, effect + half)],
    p: chance === 0 ? (raw > 1e-12 ? 0 : 1) : fisherUpper(quadratic / chance, above, above * degrees),
    effective: effectiveOf(current, added),
    deviation,
    surplus: raw - quadratic,
    sparse: within > SPARSE,
    shape: {
      dimensions,
      between: flat === 0 ? 0 : between / flat,
      noise: flat === 0 ? 0 : noisy / dimensions / flat,
      degrees,
    },
  };
}

/** Σ p (1 − p) ÷ Σ v: the size of a simple random sample with the same variances. */
function effectiveOf({ shares, variances }: Spread, added: number): number | null {
  const alone = shares.reduce((sum, share) => sum + share * (1 - share), 0);
  const all = variances.reduce((sum, variance) => sum + variance + added, 0);
  return all === 0 ? null : alone / all;
}

/** Degrees of freedom of a sum of two estimated variances (Welch, Biometrika 1947). */
function welch(before: number, participantsBefore: number, now: number, participantsNow: number): number {
  const part = (variance: number, participants: number) =>
    participants < 2 ? 0 : variance ** 2 / (participants - 1);
  const parts = part(before, participantsBefore) + part(now, participantsNow);
  if (parts === 0) return Math.max(1, participantsBefore + participantsNow - 2);
  return Math.max(1, (before + now) ** 2 / parts);
}
