import { sumOfSquares } from './exact-sum';
import { hadamard } from './hadamard';
import { hash } from './hash';

/** Parameters that are rotated together. */
const BLOCK: usize = 4096;
const SHORTEST: usize = 8;

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

/** The levels of four codes. */
// @ts-ignore: decorator
@inline
function levelsOf(codes: v128): v128 {
  const low = i32x4.splat(0xff);
  const a = v128.and(v128.swizzle(bytes0(), codes), low);
  const b = i32x4.shl(v128.and(v128.swizzle(bytes1(), codes), low), 8);
  const c = i32x4.shl(v128.and(v128.swizzle(bytes2(), codes), low), 16);
  const d = i32x4.shl(v128.swizzle(bytes3(), codes), 24);
  return v128.or(v128.or(a, b), v128.or(c, d));
}

/** How many numbers a last block of so many values is padded to: a power of two. */
// @ts-ignore: decorator
@inline
function padded(count: usize): usize {
  return count <= SHORTEST ? SHORTEST : 1 << (32 - clz<u32>(<u32>count - 1));
}

/** Turns the signs of m values whose bit in the seed's stream is 1: value i by bit i mod 32 of word `word` + i / 32. */
function turnSigns(m: usize, x: usize, seed: u32, word: u32): void {
  for (let i: usize = 0; i < m; i += 32) {
    let bits = hash(seed, word++);
    const end = x + (min<usize>(m - i, 32) << 2);
    for (; x < end; x += 4) {
      store<u32>(x, load<u32>(x) ^ (bits << 31));
      bits >>= 1;
    }
  }
}

/**
 * n finite float32 values → blocks of a float32 scale and 4 bits a value, the lower half of a byte first. A block is
 * rotated (random signs, then Hadamard), and each coordinate becomes the nearest level of the normal distribution.
 * The scale makes the inverse right on average (EDEN: Vargaftik et al., ICML 2022). Changes x, and what lies behind
 * it up to the next multiple of 4096 values.
 *
 * @param first index of the first value in the whole vector, a multiple of 4096.
 */
export function encodeInt4(n: usize, x: usize, seed: u32, first: u32, out: usize): void {
  while (n > 0) {
    const count = min<usize>(n, BLOCK);
    const m = count === BLOCK ? BLOCK : padded(count);
    memory.fill(x + (count << 2), 0, (m - count) << 2);
    turnSigns(m, x, seed, first >> 5);
    const squares = sumOfSquares(m, x);
    hadamard(m, x);
    const overlap = squares > 0 ? chooseLevels(m, x, <f32>(1 / Math.sqrt(squares)), out + 4) : 0;
    if (overlap > 0) store<f32>(out, <f32>(squares / overlap));
    else memory.fill(out, 0, 4 + (m >> 1));
    x += count << 2;
    out += 4 + (m >> 1);
    first += <u32>count;
    n -= count;
  }
}

// @ts-ignore: decorator
@inline
function above(level: v128, z: v128, bound: f32): v128 {
  // A comparison that holds is −1.
  return i32x4.sub(level, f32x4.gt(z, f32x4.splat(bound)));
}

/** Which level is nearest to z ≥ 0: how many of the bounds half way between two are below it. */
// @ts-ignore: decorator
@inline
function nearestLevel(z: v128): v128 {
  let level = above(i32x4.splat(0), z, 0.25822166);
  level = above(level, z, 0.5224037);
  level = above(level, z, 0.7995498);
  level = above(level, z, 1.0992858);
  level = above(level, z, 1.4371388);
  level = above(level, z, 1.8435318);
  level = above(level, z, 2.4008033);
  return level;
}

/** Codes of m numbers, m a multiple of 8. @returns Σ number · level, as the sum of two float64 sums by even and odd index. */
function chooseLevels(m: usize, x: usize, inverse: f32, out: usize): f64 {
  const inverse4 = f32x4.splat(inverse);
  let overlap = f64x2.splat(0);
  for (let i: usize = 0; i < m; i += 8) {
    const a = levelsOfFour(x, inverse4);
    const b = levelsOfFour(x + 16, inverse4);
    overlap = addOverlap(overlap, x, a);
    overlap = addOverlap(overlap, x + 16, b);
    const codes = i16x8.narrow_i32x4_s(a, b);
    const bytes = i8x16.narrow_i16x8_s(codes, codes);
    const packed = v128.or(bytes, i16x8.shr_u(bytes, 4));
    // Every second byte now holds two codes.
    v128.store32_lane(out, v128.swizzle(packed, i8x16(0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6)), 0);
    x += 32;
    out += 4;
  }
  return f64x2.extract_lane(overlap, 0) + f64x2.extract_lane(overlap, 1);
}

/** Codes 0–15, from the lowest level to the highest. */
// @ts-ignore: decorator
@inline
function levelsOfFour(x: usize, inverse: v128): v128 {
  const z = f32x4.mul(v128.load(x), inverse);
  const level = nearestLevel(f32x4.abs(z));
  const negative = f32x4.lt(z, f32x4.splat(0));
  // 8 + level, or 7 − level.
  return i32x4.add(i32x4.splat(8), v128.xor(level, negative));
}

// @ts-ignore: decorator
@inline
function addOverlap(sum: v128, x: usize, codes: v128): v128 {
  const levels = levelsOf(codes);
  const low = f64x2.promote_low_f32x4(levels);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(levels, levels, 2, 3, 2, 3));
  sum = f64x2.add(sum, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(x)), low));
  return f64x2.add(sum, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(x, 8)), high));
}

/** Of bytes (p, p, q, q) the codes (lower p, upper p, lower q, upper q). */
// @ts-ignore: decorator
@inline
function halves(bytes: v128): v128 {
  const upper = i32x4.shr_u(bytes, 4);
  return v128.bitselect(upper, v128.and(bytes, i32x4.splat(15)), i32x4(0, -1, 0, -1));
}

/**
 * n values of such blocks, at any address → float32: level · scale, rounded; Hadamard; signs turned. Also writes
 * what was padded: room up to the next multiple of 4096 values is needed behind `to`.
 *
 * @param first index of the first value in the whole vector, a multiple of 4096.
 */
export function decodeInt4(n: usize, seed: u32, first: u32, from: usize, to: usize): void {
  while (n > 0) {
    const count = min<usize>(n, BLOCK);
    const m = count === BLOCK ? BLOCK : padded(count);
    const scale = load<f32>(from);
    from += 4;
    const scale4 = f32x4.splat(scale);
    const end = to + (m << 2);
    for (let at = to; at < end; at += 32) {
      const twice = v128.swizzle(v128.load32_zero(from), i8x16(0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0));
      const words = i16x8.extend_low_i8x16_u(twice);
      v128.store(at, f32x4.mul(levelsOf(halves(i32x4.extend_low_i16x8_u(words))), scale4));
      v128.store(at, f32x4.mul(levelsOf(halves(i32x4.extend_high_i16x8_u(words))), scale4), 16);
      from += 4;
    }
    hadamard(m, to);
    turnSigns(m, to, seed, first >> 5);
    to += count << 2;
    first += <u32>count;
    n -= count;
  }
}
