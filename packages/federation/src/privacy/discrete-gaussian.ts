import type { RandomSource } from '@coppice/ports';

/** A positive rational number. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** The binary digits behind the point that small variances keep. */
const DIGITS = 16;

/** A variance as a rational number, rounded up: whole from 2⁴⁰ on, else in units of 2⁻¹⁶. */
export function rationalVariance(variance: number): Rational {
  if (!(variance > 0 && Number.isFinite(variance)))
    throw new RangeError(`a variance is positive and finite, not ${variance}`);
  const denominator = variance >= 2 ** 40 ? 1 : 2 ** DIGITS;
  return { numerator: BigInt(Math.ceil(variance * denominator)), denominator: BigInt(denominator) };
}

/**
 * A whole number from the discrete Gaussian distribution, with a probability proportional to exp(−x² / (2 σ²)): exactly, in
 * whole numbers alone, so that no rounding of floating point tells anything (Canonne, Kamath and Steinke, NeurIPS 2020,
 * Algorithms 1 to 3).
 *
 * @param variance σ².
 */
export function discreteGaussian({ numerator, denominator }: Rational, random: RandomSource): bigint {
  const scale = root(numerator / denominator) + 1n;
  for (;;) {
    const drawn = discreteLaplace(scale, random);
    // (|x| − σ² / t)² / (2 σ²) with σ² = n / d.
    const off = (drawn < 0n ? -drawn : drawn) * denominator * scale - numerator;
    if (bernoulliExp(off * off, 2n * numerator * denominator * scale * scale, random)) return drawn;
  }
}

/** A whole number with a probability proportional to exp(−|x| / scale). */
function discreteLaplace(scale: bigint, random: RandomSource): bigint {
  for (;;) {
    const rest = below(scale, random);
    if (!bernoulliExp(rest, scale, random)) continue;
    let whole = 0n;
    while (bernoulliExp(1n, 1n, random)) whole++;
    const size = rest + scale * whole;
    const isNegative = (random.uint32() & 1) === 1;
    if (isNegative && size === 0n) continue;
    return isNegative ? -size : size;
  }
}

/** True with the probability exp(−n / d). */
function bernoulliExp(n: bigint, d: bigint, random: RandomSource): boolean {
  for (let whole = n / d; whole > 0n; whole--) if (!bernoulliExpOfShare(1n, 1n, random)) return false;
  return bernoulliExpOfShare(n % d, d, random);
}

/** As `bernoulliExp`, where n / d is at most 1. */
function bernoulliExpOfShare(n: bigint, d: bigint, random: RandomSource): boolean {
  for (let k = 1n; ; k++) if (below(d * k, random) >= n) return k % 2n === 1n;
}

/** A whole number in [0, limit), each as likely. */
function below(limit: bigint, random: RandomSource): bigint {
  const words = Math.ceil(limit.toString(2).length / 32);
  const excess = BigInt(32 * words - limit.toString(2).length);
  for (;;) {
    let drawn = 0n;
    for (let i = 0; i < words; i++) drawn = (drawn << 32n) | BigInt(random.uint32());
    drawn >>= excess;
    if (drawn < limit) return drawn;
  }
}

/** The whole part of the square root (Newton's method). */
function root(of: bigint): bigint {
  if (of < 2n) return of;
  let guess = 1n << BigInt(Math.ceil(of.toString(2).length / 2));
  for (;;) {
    const closer = (guess + of / guess) >> 1n;
    if (closer >= guess) return guess;
    guess = closer;
  }
}
