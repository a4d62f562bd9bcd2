import { sumOfSquares } from './exact-sum';
import { hadamard } from './hadamard';
import { hash } from './hash';
import { kept } from './kept';

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

/** The levels of four codes; `low` is 255 four times, the others are `bytes0` to `bytes3`. */
// @ts-ignore: decorator
@inline
function levelsOf(codes: v128, low: v128, b0: v128, b1: v128, b2: v128, b3: v128): v128 {
  const a = v128.and(v128.swizzle(b0, codes), low);
  const b = i32x4.shl(v128.and(v128.swizzle(b1, codes), low), 8);
  const c = i32x4.shl(v128.and(v128.swizzle(b2, codes), low), 16);
  const d = i32x4.shl(v128.swizzle(b3, codes), 24);
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
  const bit = kept(i32x4(1, 2, 4, 8), m);
  for (let i: usize = 0; i < m; i += 32) {
    let bits = hash(seed, word++);
    const end = x + (min<usize>(m - i, 32) << 2);
    for (; x < end; x += 16) {
      const turned = i32x4.eq(v128.and(i32x4.splat(bits), bit), bit);
      v128.store(x, v128.xor(v128.load(x), i32x4.shl(turned, 31)));
      bits >>= 4;
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

/** Codes of m numbers, m a multiple of 8. @returns Σ number · level, as the sum of two float64 sums by even and odd index. */
function chooseLevels(m: usize, x: usize, inverse: f32, out: usize): f64 {
  const inverse4 = f32x4.splat(inverse);
  // Half way between two levels each.
  const above1 = kept(f32x4.splat(0.25822166), m);
  const above2 = kept(f32x4.splat(0.5224037), m);
  const above3 = kept(f32x4.splat(0.7995498), m);
  const above4 = kept(f32x4.splat(1.0992858), m);
  const above5 = kept(f32x4.splat(1.4371388), m);
  const above6 = kept(f32x4.splat(1.8435318), m);
  const above7 = kept(f32x4.splat(2.4008033), m);
  const eight = kept(i32x4.splat(8), m);
  const low = kept(i32x4.splat(0xff), m);
  const b0 = kept(bytes0(), m);
  const b1 = kept(bytes1(), m);
  const b2 = kept(bytes2(), m);
  const b3 = kept(bytes3(), m);
  let overlap = f64x2.splat(0);
  let before = i32x4.splat(0);
  for (let i: usize = 0; i < m; i += 4) {
    const value = v128.load(x);
    const z = f32x4.mul(value, inverse4);
    const magnitude = f32x4.abs(z);
    // Which level is nearest to |z|: how many of the bounds are below it. A comparison that holds is −1.
    let level = i32x4.add(f32x4.gt(magnitude, above1), f32x4.gt(magnitude, above2));
    level = i32x4.add(level, i32x4.add(f32x4.gt(magnitude, above3), f32x4.gt(magnitude, above4)));
    level = i32x4.add(level, i32x4.add(f32x4.gt(magnitude, above5), f32x4.gt(magnitude, above6)));
    level = i32x4.neg(i32x4.add(level, f32x4.gt(magnitude, above7)));
    // 8 + level, or 7 − level: from the lowest level to the highest.
    const code = i32x4.add(eight, v128.xor(level, f32x4.lt(z, f32x4.splat(0))));
    const levels = levelsOf(code, low, b0, b1, b2, b3);
    const upper = v128.shuffle<i64>(levels, levels, 1, 1);
    overlap = f64x2.add(
      overlap,
      f64x2.mul(f64x2.promote_low_f32x4(value), f64x2.promote_low_f32x4(levels)),
    );
    overlap = f64x2.add(
      overlap,
      f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 1)), f64x2.promote_low_f32x4(upper)),
    );
    if (i & 4) {
      const codes = i16x8.narrow_i32x4_s(before, code);
      // Two codes stand in each 32 bits; moved by 12, the later one lies above the earlier one, in one byte.
      const packed = v128.or(codes, i32x4.shr_u(codes, 12));
      const words = v128.and(packed, low);
      const bytes = i16x8.narrow_i32x4_s(words, words);
      v128.store32_lane(out, i8x16.narrow_i16x8_u(bytes, bytes), 0);
      out += 4;
    }
    before = code;
    x += 16;
  }
  return f64x2.extract_lane(overlap, 0) + f64x2.extract_lane(overlap, 1);
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

/** Eight float32, of which the lower and the upper two bytes are given, times a scale. */
// @ts-ignore: decorator
@inline
function store8(to: usize, lower: v128, upper: v128, scale: v128): void {
  v128.store(to, f32x4.mul(v128.shuffle<i16>(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11), scale));
  v128.store(to, f32x4.mul(v128.shuffle<i16>(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15), scale), 16);
}

/**
 * n values of such blocks, at any address → float32: level · scale, rounded; Hadamard; signs turned. Also writes
 * what was padded: room up to the next multiple of 4096 values is needed behind `to`.
 *
 * @param first index of the first value in the whole vector, a multiple of 4096.
 */
export function decodeInt4(n: usize, seed: u32, first: u32, from: usize, to: usize): void {
  const half = kept(i8x16.splat(15), n);
  const b0 = kept(bytes0(), n);
  const b1 = kept(bytes1(), n);
  const b2 = kept(bytes2(), n);
  const b3 = kept(bytes3(), n);
  while (n > 0) {
    const count = min<usize>(n, BLOCK);
    const m = count === BLOCK ? BLOCK : padded(count);
    const scale = load<f32>(from);
    from += 4;
    const scale4 = f32x4.splat(scale);
    const end = to + (m << 2);
    for (let at = to; at < end; at += 64) {
      // Sixteen codes; eight where the block is the shortest.
      const pairs = m === SHORTEST ? v128.load32_zero(from) : v128.load64_zero(from);
      const lower = v128.and(pairs, half);
      const upper = v128.and(i16x8.shr_u(pairs, 4), half);
      const codes = interleave(lower, upper);
      const p0 = v128.swizzle(b0, codes);
      const p1 = v128.swizzle(b1, codes);
      const p2 = v128.swizzle(b2, codes);
      const p3 = v128.swizzle(b3, codes);
      store8(at, interleave(p0, p1), interleave(p2, p3), scale4);
      if (m > SHORTEST)
        store8(at + 32, interleaveUpper(p0, p1), interleaveUpper(p2, p3), scale4);
      from += 8;
    }
    if (m === SHORTEST) from -= 4;
    hadamard(m, to);
    turnSigns(m, to, seed, first >> 5);
    to += count << 2;
    first += <u32>count;
    n -= count;
  }
}
