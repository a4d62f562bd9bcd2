import { hash } from './hash';
import { kept } from './kept';

/** Signs are read from every second word of their seed's stream. */
const WORDS_APART: u32 = 2;

/** The signs of numbers 1 and 3 of a vector. */
// @ts-ignore: decorator
@inline
export function odd(): v128 {
  return i32x4(0, 0x80000000, 0, 0x80000000);
}

/** The signs of numbers 2 and 3. */
// @ts-ignore: decorator
@inline
export function upper(): v128 {
  return i32x4(0, 0, 0x80000000, 0x80000000);
}

/** Stages h = 1 and h = 2 of the four numbers of a vector. */
// @ts-ignore: decorator
@inline
function withinVector(v: v128, odd: v128, upper: v128): v128 {
  v = f32x4.add(v128.xor(v, odd), v128.shuffle<i32>(v, v, 1, 0, 3, 2));
  return f32x4.add(v128.xor(v, upper), v128.shuffle<i32>(v, v, 2, 3, 0, 1));
}

/** Adds the squares of the numbers of a vector, as they are in memory, to sums of every fourth number. */
// @ts-ignore: decorator
@inline
function addSquares(sum: v128, at: usize): v128 {
  const two = f64x2.promote_low_f32x4(v128.load64_zero(at));
  return f64x2.add(sum, f64x2.mul(two, two));
}

/** Stages h = 1 to 16 of 32 numbers, to where they lie from `at` on; the last two arguments are `odd()` and `upper()`. */
// @ts-ignore: decorator
@inline
export function storeFiveStages(
  at: usize,
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  e: v128,
  f: v128,
  g: v128,
  h: v128,
  odd: v128,
  upper: v128,
): void {
  storeThreeStages(
    at,
    16,
    withinVector(a, odd, upper),
    withinVector(b, odd, upper),
    withinVector(c, odd, upper),
    withinVector(d, odd, upper),
    withinVector(e, odd, upper),
    withinVector(f, odd, upper),
    withinVector(g, odd, upper),
    withinVector(h, odd, upper),
  );
}

/** Three stages of eight vectors that lie `apart` bytes from one another, to where they lie from `at` on. */
// @ts-ignore: decorator
@inline
function storeThreeStages(
  at: usize,
  apart: usize,
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  e: v128,
  f: v128,
  g: v128,
  h: v128,
): void {
  const a1 = f32x4.add(a, b);
  const b1 = f32x4.sub(a, b);
  const c1 = f32x4.add(c, d);
  const d1 = f32x4.sub(c, d);
  const e1 = f32x4.add(e, f);
  const f1 = f32x4.sub(e, f);
  const g1 = f32x4.add(g, h);
  const h1 = f32x4.sub(g, h);
  const a2 = f32x4.add(a1, c1);
  const b2 = f32x4.add(b1, d1);
  const c2 = f32x4.sub(a1, c1);
  const d2 = f32x4.sub(b1, d1);
  const e2 = f32x4.add(e1, g1);
  const f2 = f32x4.add(f1, h1);
  const g2 = f32x4.sub(e1, g1);
  const h2 = f32x4.sub(f1, h1);
  v128.store(at, f32x4.add(a2, e2));
  v128.store(at + apart, f32x4.add(b2, f2));
  v128.store(at + 2 * apart, f32x4.add(c2, g2));
  v128.store(at + 3 * apart, f32x4.add(d2, h2));
  v128.store(at + 4 * apart, f32x4.sub(a2, e2));
  v128.store(at + 5 * apart, f32x4.sub(b2, f2));
  v128.store(at + 6 * apart, f32x4.sub(c2, g2));
  v128.store(at + 7 * apart, f32x4.sub(d2, h2));
}

/** Stages h = 32 to m/4, several at once: the result for a pair stays the same. */
function middleStages(m: usize, x: usize): void {
  const bytes = m << 2;
  const end = x + bytes;
  let h: usize = 128; // bytes
  for (; h << 4 <= bytes; h <<= 3) {
    for (let block = x; block < end; block += h << 3) {
      const next = block + h;
      for (let a = block; a < next; a += 16) {
        const b = a + h;
        const c = b + h;
        const d = c + h;
        const e = d + h;
        const f = e + h;
        const g = f + h;
        storeThreeStages(
          a,
          h,
          v128.load(a),
          v128.load(b),
          v128.load(c),
          v128.load(d),
          v128.load(e),
          v128.load(f),
          v128.load(g),
          v128.load(g + h),
        );
      }
    }
  }
  for (; h << 2 <= bytes; h <<= 1) {
    for (let block = x; block < end; block += h << 1) {
      const next = block + h;
      for (let a = block; a < next; a += 16) oneStage(a, h);
    }
  }
}

// @ts-ignore: decorator
@inline
function oneStage(at: usize, apart: usize): void {
  const a = v128.load(at);
  const b = v128.load(at + apart);
  v128.store(at, f32x4.add(a, b));
  v128.store(at + apart, f32x4.sub(a, b));
}

/** Bits in the order in which lanes take them: their highest are those of numbers 0 to 3; moved by 4, of 4 to 7; … */
// @ts-ignore: decorator
@inline
function signBits(seed: u32, word: u32): v128 {
  return i32x4.mul(i32x4.splat(hash(seed, word)), i32x4(1, 2, 4, 8));
}

/** A vector whose signs are turned by the highest bits of lanes. */
// @ts-ignore: decorator
@inline
function turned(v: v128, bits: v128, sign: v128): v128 {
  return v128.xor(v, v128.and(bits, sign));
}

/**
 * x ← H D x: H is the Hadamard matrix of order m in Sylvester's form, m a power of two from 64 on. Number i changes
 * its sign by D if bit 31 − i mod 32 of word `word` + 2 ⌊i / 32⌋ of the seed's stream is 1; then, for h = 1, 2, 4, …
 * m/2, every pair (a, b) that lies h apart becomes (a + b, a − b). Not normalised: H H = m.
 *
 * @param summed a constant: whether the sum is wanted.
 * @returns Σ x² of x as it was, in the order of `sumOfSquares`, or 0.
 */
// @ts-ignore: decorator
@inline
export function signsThenHadamard(m: usize, x: usize, seed: u32, word: u32, summed: bool): f64 {
  const end = x + (m << 2);
  const odd4 = kept(odd(), m);
  const upper4 = kept(upper(), m);
  const sign = kept(i32x4.splat(0x80000000), m);
  let low = f64x2.splat(0);
  let high = low;
  for (let at = x; at < end; at += 128) {
    if (summed) {
      for (let part = at; part < at + 128; part += 32) {
        low = addSquares(low, part);
        high = addSquares(high, part + 8);
        low = addSquares(low, part + 16);
        high = addSquares(high, part + 24);
      }
    }
    const bits = signBits(seed, word);
    storeFiveStages(
      at,
      turned(v128.load(at), bits, sign),
      turned(v128.load(at, 16), i32x4.shl(bits, 4), sign),
      turned(v128.load(at, 32), i32x4.shl(bits, 8), sign),
      turned(v128.load(at, 48), i32x4.shl(bits, 12), sign),
      turned(v128.load(at, 64), i32x4.shl(bits, 16), sign),
      turned(v128.load(at, 80), i32x4.shl(bits, 20), sign),
      turned(v128.load(at, 96), i32x4.shl(bits, 24), sign),
      turned(v128.load(at, 112), i32x4.shl(bits, 28), sign),
      odd4,
      upper4,
    );
    word += WORDS_APART;
  }
  middleStages(m, x);
  const half = m << 1;
  for (let at = x; at < x + half; at += 16) oneStage(at, half);
  low = f64x2.add(low, high);
  return f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
}

/** Stages h = 1 to 16. */
export function firstStages(m: usize, x: usize): void {
  const end = x + (m << 2);
  const odd4 = kept(odd(), m);
  const upper4 = kept(upper(), m);
  for (let at = x; at < end; at += 128) {
    storeFiveStages(
      at,
      v128.load(at),
      v128.load(at, 16),
      v128.load(at, 32),
      v128.load(at, 48),
      v128.load(at, 64),
      v128.load(at, 80),
      v128.load(at, 96),
      v128.load(at, 112),
      odd4,
      upper4,
    );
  }
}

/** The stages after these, h = 32 to m/2, and then signs, as `signsThenHadamard` has them. */
export function lastStagesThenSigns(m: usize, x: usize, seed: u32, word: u32): void {
  middleStages(m, x);
  const half = m << 1; // bytes
  const sign = kept(i32x4.splat(0x80000000), m);
  const toHalf = (<u32>m >> 6) * WORDS_APART;
  for (let at = x; at < x + half; at += 128) {
    let bits = signBits(seed, word);
    let bitsOfHalf = signBits(seed, word + toHalf);
    for (let a = at; a < at + 128; a += 16) {
      const va = v128.load(a);
      const vb = v128.load(a + half);
      v128.store(a, turned(f32x4.add(va, vb), bits, sign));
      v128.store(a + half, turned(f32x4.sub(va, vb), bitsOfHalf, sign));
      bits = i32x4.shl(bits, 4);
      bitsOfHalf = i32x4.shl(bitsOfHalf, 4);
    }
    word += WORDS_APART;
  }
}
