import { firstStages, lastStagesThenSigns, odd, signsThenHadamard, storeFiveStages, upper } from './hadamard';
import { kept } from './kept';

/** Numbers that are rotated together, and the fewest that a last block is padded to. */
const BLOCK: usize = 4096;
const SHORTEST: usize = 256;

/** Coordinates are compared with the bounds between levels as whole multiples of 2⁻¹³ of their standard deviation. */
const UNITS: f64 = 8192;
/** 1.5 · 2²³: added to a float32, it rounds it to a whole number, which then stands in its lower bits. */
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

/*
 * Lloyd–Max levels of 4 bits for the normal distribution, ±0.12839504, ±0.3880483, ±0.65675914, ±0.94234043,
 * ±1.2562312, ±1.6180464, ±2.0690172 and ±2.7325895, from the lowest to the highest: byte 0 of each as float32, byte 1, …
 * Constants of the code: the memory is the caller's, nothing of the module's own may lie in it.
 */
// @ts-ignore: decorator
@inline
function bytes0(): v128 {
  return i8x16(-65, -57, 37, 47, 57, 94, 68, -3, -3, 68, 94, 57, 47, 37, -57, -65);
}
// @ts-ignore: decorator
@inline
function bytes1(): v128 {
  return i8x16(-30, 106, 28, -52, 61, 33, -82, 121, 121, -82, 33, 61, -52, 28, 106, -30);
}
// @ts-ignore: decorator
@inline
function bytes2(): v128 {
  return i8x16(46, 4, -49, -96, 113, 40, -58, 3, 3, -58, 40, 113, -96, -49, 4, 46);
}
// @ts-ignore: decorator
@inline
function bytes3(): v128 {
  return i8x16(-64, -64, -65, -65, -65, -65, -66, -66, 62, 62, 63, 63, 63, 63, 64, 64);
}

/** Padded length of a last block of `count` values: a power of two. */
// @ts-ignore: decorator
@inline
function padded(count: usize): usize {
  return count <= SHORTEST ? SHORTEST : 1 << (32 - clz<u32>(<u32>count - 1));
}

/** The word of a seed's stream with the first signs of a block; those of the other turn are in the word after it. */
// @ts-ignore: decorator
@inline
function wordOf(first: u32): u32 {
  return (first >> 5) << 1;
}

/**
 * n finite float32 values → blocks of a float32 scale and 4 bits a value, the lower half of a byte first. A block is
 * rotated (twice random signs, then Hadamard), and each coordinate becomes the nearest level of the normal
 * distribution. The scale makes the inverse right on average (EDEN: Vargaftik et al., ICML 2022). Changes x, and the
 * memory behind it up to the next multiple of 4096 values.
 *
 * @param first index of the first value in the whole vector, a multiple of 4096.
 */
export function encodeInt4(n: usize, x: usize, seed: u32, first: u32, out: usize): void {
  while (n > 0) {
    const count = min<usize>(n, BLOCK);
    const m = count === BLOCK ? BLOCK : padded(count);
    memory.fill(x + (count << 2), 0, (m - count) << 2);
    const squares = signsThenHadamard(m, x, seed, wordOf(first) + 1, true);
    signsThenHadamard(m, x, seed, wordOf(first), false);
    // The standard deviation of a coordinate is √(m · squares).
    const inverse = <f32>(UNITS / Math.sqrt(<f64>m * squares));
    const scale = <f32>((squares * <f64>inverse) / chooseLevels(m, x, inverse, out + 4));
    // Not so where all is zero, or where float32 has no such numbers.
    if (scale > 0 && scale < f32.POSITIVE_INFINITY) store<f32>(out, scale);
    else memory.fill(out, 0, 4 + (m >> 1));
    x += count << 2;
    out += 4 + (m >> 1);
    first += <u32>count;
    n -= count;
  }
}

/** Minus the number of level bounds below each of eight magnitudes: −7 to 0. */
// @ts-ignore: decorator
@inline
function boundsBelow(
  n: v128,
  b1: v128,
  b2: v128,
  b3: v128,
  b4: v128,
  b5: v128,
  b6: v128,
  b7: v128,
): v128 {
  // A comparison that holds is −1.
  const low = i16x8.add(i16x8.gt_s(n, b1), i16x8.gt_s(n, b2));
  const middle = i16x8.add(i16x8.gt_s(n, b3), i16x8.gt_s(n, b4));
  const high = i16x8.add(i16x8.gt_s(n, b5), i16x8.gt_s(n, b6));
  return i16x8.add(i16x8.add(low, middle), i16x8.add(high, i16x8.gt_s(n, b7)));
}

/** Whole numbers nearest to four coordinates in units, ties to even. */
// @ts-ignore: decorator
@inline
function whole(units: v128, rounder: v128, bits: v128): v128 {
  return i32x4.sub(f32x4.add(units, rounder), bits);
}

/**
 * Codes of m numbers, m a multiple of 16.
 *
 * @param inverse what makes units of numbers.
 * @returns Σ number · inverse · level: eight float32 sums of every eighth number each, (0 + 4), (1 + 5), (2 + 6) and
 *   (3 + 7) in float32, of these (0 + 2) + (1 + 3).
 */
function chooseLevels(m: usize, x: usize, inverse: f32, out: usize): f64 {
  const inverse4 = f32x4.splat(inverse);
  const rounder = kept(f32x4.splat(ROUNDER), m);
  const rounderBits = kept(i32x4.splat(ROUNDER_BITS), m);
  // Half way between two levels each.
  const bound1 = kept(i16x8.splat(2115), m);
  const bound2 = kept(i16x8.splat(4279), m);
  const bound3 = kept(i16x8.splat(6549), m);
  const bound4 = kept(i16x8.splat(9005), m);
  const bound5 = kept(i16x8.splat(11773), m);
  const bound6 = kept(i16x8.splat(15102), m);
  const bound7 = kept(i16x8.splat(19667), m);
  const eight = kept(i8x16.splat(8), m);
  const lowerByte = kept(i16x8.splat(0xff), m);
  const zero = i32x4.splat(0);
  const byte0 = kept(bytes0(), m);
  const byte1 = kept(bytes1(), m);
  const byte2 = kept(bytes2(), m);
  const byte3 = kept(bytes3(), m);
  let sumA = f32x4.splat(0);
  let sumB = sumA;
  const end = x + (m << 2);
  for (; x < end; x += 64) {
    const a = f32x4.mul(v128.load(x), inverse4);
    const b = f32x4.mul(v128.load(x, 16), inverse4);
    const c = f32x4.mul(v128.load(x, 32), inverse4);
    const d = f32x4.mul(v128.load(x, 48), inverse4);
    const ab = i16x8.narrow_i32x4_s(whole(a, rounder, rounderBits), whole(b, rounder, rounderBits));
    const cd = i16x8.narrow_i32x4_s(whole(c, rounder, rounderBits), whole(d, rounder, rounderBits));
    const levelAb = boundsBelow(
      i16x8.max_s(ab, i16x8.sub_sat_s(zero, ab)), bound1, bound2, bound3, bound4, bound5, bound6, bound7,
    );
    const levelCd = boundsBelow(
      i16x8.max_s(cd, i16x8.sub_sat_s(zero, cd)), bound1, bound2, bound3, bound4, bound5, bound6, bound7,
    );
    // 8 + level, or 7 − level: from the lowest level to the highest.
    const level = i8x16.narrow_i16x8_s(levelAb, levelCd);
    const sign = i8x16.narrow_i16x8_s(i16x8.shr_s(ab, 15), i16x8.shr_s(cd, 15));
    const codes = i8x16.add(eight, v128.xor(i8x16.neg(level), sign));
    const p0 = v128.swizzle(byte0, codes);
    const p1 = v128.swizzle(byte1, codes);
    const p2 = v128.swizzle(byte2, codes);
    const p3 = v128.swizzle(byte3, codes);
    const lower = interleave(p0, p1);
    const upper = interleave(p2, p3);
    const lower2 = interleaveUpper(p0, p1);
    const upper2 = interleaveUpper(p2, p3);
    sumA = f32x4.add(sumA, f32x4.mul(a, firstFour(lower, upper)));
    sumB = f32x4.add(sumB, f32x4.mul(b, lastFour(lower, upper)));
    sumA = f32x4.add(sumA, f32x4.mul(c, firstFour(lower2, upper2)));
    sumB = f32x4.add(sumB, f32x4.mul(d, lastFour(lower2, upper2)));
    // Two codes stand in each 16 bits; moved by 4, the later one lies above the earlier one, in one byte.
    const packed = v128.and(v128.or(codes, i16x8.shr_u(codes, 4)), lowerByte);
    v128.store64_lane(out, i8x16.narrow_i16x8_u(packed, packed), 0);
    out += 8;
  }
  const sum = f32x4.add(sumA, sumB);
  return (
    <f64>f32x4.extract_lane(sum, 0) +
    <f64>f32x4.extract_lane(sum, 2) +
    (<f64>f32x4.extract_lane(sum, 1) + <f64>f32x4.extract_lane(sum, 3))
  );
}

/** The lower eight bytes of a and b, by turns. */
// @ts-ignore: decorator
@inline
function interleave(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** The upper eight. */
// @ts-ignore: decorator
@inline
function interleaveUpper(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** The first four of eight float32, of which the lower and the upper two bytes are given. */
// @ts-ignore: decorator
@inline
function firstFour(lower: v128, upper: v128): v128 {
  return v128.shuffle<i16>(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The last four. */
// @ts-ignore: decorator
@inline
function lastFour(lower: v128, upper: v128): v128 {
  return v128.shuffle<i16>(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * n values of such blocks, at any address → float32: level · scale, rounded; twice Hadamard, then signs. Also writes
 * the padding: room up to the next multiple of 4096 values is needed behind `to`.
 *
 * @param first index of the first value in the whole vector, a multiple of 4096.
 */
export function decodeInt4(n: usize, seed: u32, first: u32, from: usize, to: usize): void {
  const half = kept(i8x16.splat(15), n);
  const odd4 = kept(odd(), n);
  const upper4 = kept(upper(), n);
  const byte0 = kept(bytes0(), n);
  const byte1 = kept(bytes1(), n);
  const byte2 = kept(bytes2(), n);
  const byte3 = kept(bytes3(), n);
  while (n > 0) {
    const count = min<usize>(n, BLOCK);
    const m = count === BLOCK ? BLOCK : padded(count);
    const scale = f32x4.splat(load<f32>(from));
    from += 4;
    const end = to + (m << 2);
    for (let at = to; at < end; at += 128) {
      const pairs = v128.load(from);
      const low = v128.and(pairs, half);
      const high = v128.and(i16x8.shr_u(pairs, 4), half);
      const codes = interleave(low, high);
      const p0 = v128.swizzle(byte0, codes);
      const p1 = v128.swizzle(byte1, codes);
      const p2 = v128.swizzle(byte2, codes);
      const p3 = v128.swizzle(byte3, codes);
      const ab = interleave(p0, p1);
      const abUpper = interleave(p2, p3);
      const cd = interleaveUpper(p0, p1);
      const cdUpper = interleaveUpper(p2, p3);
      const later = interleaveUpper(low, high);
      const q0 = v128.swizzle(byte0, later);
      const q1 = v128.swizzle(byte1, later);
      const q2 = v128.swizzle(byte2, later);
      const q3 = v128.swizzle(byte3, later);
      const ef = interleave(q0, q1);
      const efUpper = interleave(q2, q3);
      const gh = interleaveUpper(q0, q1);
      const ghUpper = interleaveUpper(q2, q3);
      storeFiveStages(
        at,
        f32x4.mul(firstFour(ab, abUpper), scale),
        f32x4.mul(lastFour(ab, abUpper), scale),
        f32x4.mul(firstFour(cd, cdUpper), scale),
        f32x4.mul(lastFour(cd, cdUpper), scale),
        f32x4.mul(firstFour(ef, efUpper), scale),
        f32x4.mul(lastFour(ef, efUpper), scale),
        f32x4.mul(firstFour(gh, ghUpper), scale),
        f32x4.mul(lastFour(gh, ghUpper), scale),
        odd4,
        upper4,
      );
      from += 16;
    }
    lastStagesThenSigns(m, to, seed, wordOf(first));
    firstStages(m, to);
    lastStagesThenSigns(m, to, seed, wordOf(first) + 1);
    to += count << 2;
    first += <u32>count;
    n -= count;
  }
}
