import { multiplyAdd2 } from './fused';
import { kept } from './kept';

const ROUNDER: f64 = 6755399441055744.0; // 1.5 · 2⁵²
const ROUNDER_BITS: i64 = 0x4338000000000000;
const UNIT: f64 = 1.0 / 68719476736.0; // 2⁻³⁶
const CARRY: f64 = 4294967296.0; // 2³²
const MAGNITUDE: i32 = 0x7fffffff;

/** The largest |x| of n float32 values, as its bits; from 0x7f800000 on where any is not finite. */
export function largestBits(n: usize, x: usize): i32 {
  const magnitude = kept(i32x4.splat(MAGNITUDE), n);
  let a = i32x4.splat(0);
  let b = a;
  const end = x + ((n & ~7) << 2);
  while (x < end) {
    a = i32x4.max_s(a, v128.and(v128.load(x), magnitude));
    b = i32x4.max_s(b, v128.and(v128.load(x, 16), magnitude));
    x += 32;
  }
  a = i32x4.max_s(a, b);
  let largest = max(
    max(i32x4.extract_lane(a, 0), i32x4.extract_lane(a, 1)),
    max(i32x4.extract_lane(a, 2), i32x4.extract_lane(a, 3)),
  );
  for (let rest = n & 7; rest > 0; rest--) {
    largest = max(largest, load<i32>(x) & MAGNITUDE);
    x += 4;
  }
  return largest;
}

/**
 * Σ x² in float64 over n float32 values. Four sums, of every fourth value each, are added at the end, (0 + 2) +
 * (1 + 3), and what is left of n after them. Squares are exact, so fusing would change nothing.
 */
export function sumOfSquares(n: usize, x: usize): f64 {
  let low = f64x2.splat(0);
  let high = low;
  const end = x + ((n & ~3) << 2);
  while (x < end) {
    const a = f64x2.promote_low_f32x4(v128.load64_zero(x));
    const b = f64x2.promote_low_f32x4(v128.load64_zero(x, 8));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
    x += 16;
  }
  low = f64x2.add(low, high);
  let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  for (let rest = n & 3; rest > 0; rest--) {
    const value = <f64>load<f32>(x);
    sum += value * value;
    x += 4;
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function addTwo(x: usize, sums: usize, scale: v128, rounder: v128, squares: v128): v128 {
  const two = f64x2.promote_low_f32x4(v128.load64_zero(x));
  v128.store(sums, i64x2.add(v128.load(sums), multiplyAdd2(two, scale, rounder)));
  // Squares are exact, so fusing would change nothing.
  return multiplyAdd2(two, two, squares);
}

/**
 * sums ← sums + round(scale · x) + bits(1.5 · 2⁵²), as int64, over n float32 values; needs |scale · x| < 2⁵¹, and
 * a scale of at most 29 bits, so that the product is exact. What is added besides the rounded product comes off
 * when the sums are read: here it would cost half as much again.
 *
 * @returns Σ x², which costs next to nothing here: eight sums, of every eighth value each, are added at the end,
 *   ((0 + 2) + (4 + 6)) + ((1 + 3) + (5 + 7)), and the rest of n after them.
 */
export function addUnits(n: usize, scale: f64, x: usize, sums: usize): f64 {
  const scale2 = f64x2.splat(scale);
  const rounder2 = kept(f64x2.splat(ROUNDER), n);
  const end = x + ((n & ~7) << 2);
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  while (x < end) {
    a = addTwo(x, sums, scale2, rounder2, a);
    b = addTwo(x + 8, sums + 16, scale2, rounder2, b);
    c = addTwo(x + 16, sums + 32, scale2, rounder2, c);
    d = addTwo(x + 24, sums + 48, scale2, rounder2, d);
    x += 32;
    sums += 64;
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let squares = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (let rest = n & 7; rest > 0; rest--) {
    const value = <f64>load<f32>(x);
    const bits = reinterpret<i64>(scale * value + ROUNDER);
    store<i64>(sums, load<i64>(sums) + bits);
    squares += value * value;
    x += 4;
    sums += 8;
  }
  return squares;
}

/** The same for |scale · x| < 2⁸⁰, and without the bits: high · 2³² + low ← high · 2³² + low + round(scale · x). */
export function addLargeUnits(n: usize, scale: f64, x: usize, low: usize, high: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const units = nearest<f64>(scale * <f64>load<f32>(x + (i << 2)));
    const carried = floor<f64>(units / CARRY);
    const at = i << 3;
    store<i64>(high + at, load<i64>(high + at) + <i64>carried);
    store<i64>(low + at, load<i64>(low + at) + <i64>(units - carried * CARRY));
  }
}

/** Takes `additions` · bits(1.5 · 2⁵²) off n sums. */
export function settle(n: usize, additions: i32, sums: usize): void {
  const bits = <i64>additions * ROUNDER_BITS;
  for (let i: usize = 0; i < n; i++) {
    const at = sums + (i << 3);
    store<i64>(at, load<i64>(at) - bits);
  }
}

/** Moves what does not fit into 32 bits from n settled sums to `high`: high · 2³² + low stays, 0 ≤ low < 2³². */
export function carry(n: usize, low: usize, high: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const at = i << 3;
    const sum = load<i64>(low + at);
    store<i64>(high + at, load<i64>(high + at) + (sum >> 32));
    store<i64>(low + at, sum & 0xffffffff);
  }
}

/** mean ← float64(sum) · 2⁻³⁶ / examples over n settled sums; mean, of float64, may lie where the sums do. */
export function meanOfUnits(n: usize, examples: f64, sums: usize, mean: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const at = i << 3;
    store<f64>(mean + at, (<f64>load<i64>(sums + at) * UNIT) / examples);
  }
}

/** The same of high · 2³² + low, rounded once; needs 0 ≤ low < 2³² and |high| < 2⁵³. */
export function meanOfLargeUnits(n: usize, examples: f64, low: usize, high: usize, mean: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const at = i << 3;
    const sum = <f64>load<i64>(high + at) * CARRY + <f64>load<i64>(low + at);
    store<f64>(mean + at, (sum * UNIT) / examples);
  }
}
