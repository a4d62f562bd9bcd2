import { multiplyAdd4 } from './fused';

/*
 * Products with a left matrix that is mostly zeros: pictures on black paper, one-hot columns, inactive units. Zeros are
 * skipped; the rest is added up in the same order as elsewhere, so that the sums have the same bits.
 */

/** Fewest columns for which skipping zeros can pay off. */
const COLUMNS: usize = 32;
/** Rows sampled to estimate the share of zeros. */
const LOOKED_AT: usize = 16;
/** Percentage of nonzero numbers below which A counts as sparse. */
const PERCENT: usize = 60;

/** Estimates that skipping the zeros of A [m, k] in its product with a matrix of n columns saves more than it costs. */
export function isSparse(m: usize, k: usize, n: usize, a: usize): bool {
  if (n < COLUMNS || k < 4) return false;
  const every = max<usize>(1, m / LOOKED_AT);
  const whole = k & ~3;
  let seen: usize = 0;
  let zeros = i32x4.splat(0);
  for (let i: usize = 0; i < m; i += every) {
    let at = a + ((i * k) << 2);
    for (const end = at + (whole << 2); at < end; at += 16) {
      // A comparison that holds is −1.
      zeros = i32x4.sub(zeros, f32x4.eq(v128.load(at), f32x4.splat(0)));
    }
    seen += whole;
  }
  const found =
    i32x4.extract_lane(zeros, 0) +
    i32x4.extract_lane(zeros, 1) +
    i32x4.extract_lane(zeros, 2) +
    i32x4.extract_lane(zeros, 3);
  return (seen - <usize>found) * 100 < seen * PERCENT;
}

/** Numbers per mask: one for each bit. */
const BLOCK: usize = 64;

/** The first `columns` (a multiple of 8) of C [m, n] ← A [m, k] · B [k, n] + bias [n]; a `bias` of 0 is none. */
export function sparseProduct(m: usize, k: usize, n: usize, columns: usize, a: usize, b: usize, bias: usize, c: usize): void {
  const width = widthOf(columns);
  for (let j: usize = 0; j < columns; ) {
    const vectors = min<usize>(width, (columns - j) >> 2);
    const times = ((columns - j) >> 2) / vectors;
    const at = j << 2;
    const start: usize = bias == 0 ? 0 : bias + at;
    if (vectors == 12) product(12, times, m, k, n, a, b + at, start, c + at);
    else if (vectors == 10) product(10, times, m, k, n, a, b + at, start, c + at);
    else if (vectors == 8) product(8, times, m, k, n, a, b + at, start, c + at);
    else if (vectors == 6) product(6, times, m, k, n, a, b + at, start, c + at);
    else if (vectors == 4) product(4, times, m, k, n, a, b + at, start, c + at);
    else product(2, times, m, k, n, a, b + at, start, c + at);
    j += (vectors * times) << 2;
  }
}

/** Computes `times` strips of `vectors` vectors. */
// @ts-ignore: decorator
@inline
function product(vectors: i32, times: usize, m: usize, k: usize, n: usize, a: usize, b: usize, bias: usize, c: usize): void {
  const row = n << 2;
  for (let from: usize = 0; from < k; from += BLOCK) {
    const depth = min(BLOCK, k - from);
    const first = from == 0;
    const other = b + from * row;
    for (let i: usize = 0; i < m; i++) {
      const x = a + ((i * k + from) << 2);
      const mask = maskOfRow(depth, x);
      if (mask == 0 && !first) continue;
      let out = c + i * row;
      let start: usize = first ? bias : out;
      let p = other;
      for (let t = times; t > 0; t--) {
        strip(vectors, mask, x, 4, p, row, out, start, 1, false);
        out += vectors << 4;
        p += vectors << 4;
        if (start != 0) start += vectors << 4;
      }
    }
  }
}

/** The first `columns` (a multiple of 8) of C [k, n] ← Aᵀ · B + β · C for A [m, k] and B [m, n], m at most 64. */
export function sparseTransposedProduct(m: usize, k: usize, n: usize, columns: usize, a: usize, b: usize, beta: f32, late: bool, c: usize): void {
  const width = widthOf(columns);
  for (let j: usize = 0; j < columns; ) {
    const vectors = min<usize>(width, (columns - j) >> 2);
    const times = ((columns - j) >> 2) / vectors;
    const at = j << 2;
    if (vectors == 12) transposedProduct(12, times, m, k, n, a, b + at, beta, late, c + at);
    else if (vectors == 10) transposedProduct(10, times, m, k, n, a, b + at, beta, late, c + at);
    else if (vectors == 8) transposedProduct(8, times, m, k, n, a, b + at, beta, late, c + at);
    else if (vectors == 6) transposedProduct(6, times, m, k, n, a, b + at, beta, late, c + at);
    else if (vectors == 4) transposedProduct(4, times, m, k, n, a, b + at, beta, late, c + at);
    else transposedProduct(2, times, m, k, n, a, b + at, beta, late, c + at);
    j += (vectors * times) << 2;
  }
}

// @ts-ignore: decorator
@inline
function transposedProduct(vectors: i32, times: usize, m: usize, k: usize, n: usize, a: usize, b: usize, beta: f32, late: bool, c: usize): void {
  const row = k << 2;
  // Columns of A are looked at by four; the last ones together with some before them.
  for (let i: usize = 0; i < k; i += 4) {
    const from = min(i, k - 4);
    let low = i32x4.splat(0);
    let high = i32x4.splat(0);
    let at = a + (from << 2);
    for (let l: usize = 0; l < m; l++) {
      const set = v128.and(f32x4.ne(v128.load(at), f32x4.splat(0)), i32x4.splat(1 << (<i32>l & 31)));
      if (l < 32) low = v128.or(low, set);
      else high = v128.or(high, set);
      at += row;
    }
    for (let column = i; column < min(i + 4, k); column++) {
      const mask = laneOf(low, column - from) | (laneOf(high, column - from) << 32);
      if (mask == 0 && beta == 1) continue;
      let out = c + ((column * n) << 2);
      let p = b;
      for (let t = times; t > 0; t--) {
        const start: usize = beta == 0 || late ? 0 : out;
        strip(vectors, mask, a + (column << 2), row, p, n << 2, out, start, beta, late);
        out += vectors << 4;
        p += vectors << 4;
      }
    }
  }
}

/** Vectors per strip: at most 12 of the 16 registers, in strips of about equal width. */
// @ts-ignore: decorator
@inline
function widthOf(columns: usize): usize {
  const vectors = columns >> 2;
  const times = (vectors + 11) / 12;
  return ((vectors + times - 1) / times + 1) & ~1;
}

// @ts-ignore: decorator
@inline
function laneOf(masks: v128, lane: usize): u64 {
  if (lane == 0) return <u64>(<u32>i32x4.extract_lane(masks, 0));
  if (lane == 1) return <u64>(<u32>i32x4.extract_lane(masks, 1));
  if (lane == 2) return <u64>(<u32>i32x4.extract_lane(masks, 2));
  return <u64>(<u32>i32x4.extract_lane(masks, 3));
}

/** A mask with a bit set for each nonzero of up to 64 numbers. */
// @ts-ignore: decorator
@inline
function maskOfRow(count: usize, at: usize): u64 {
  let mask: u64 = 0;
  let bit: u64 = 0;
  for (; count >= 16; count -= 16) {
    const low = i16x8.narrow_i32x4_s(isSet(at), isSet(at + 16));
    const high = i16x8.narrow_i32x4_s(isSet(at + 32), isSet(at + 48));
    mask |= (<u64>(<u32>i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)))) << bit;
    bit += 16;
    at += 64;
  }
  for (; count > 0; count--) {
    if (load<f32>(at) != 0) mask |= <u64>1 << bit;
    bit++;
    at += 4;
  }
  return mask;
}

// @ts-ignore: decorator
@inline
function isSet(at: usize): v128 {
  return f32x4.ne(v128.load(at), f32x4.splat(0));
}

/**
 * vectors × 4 results of one row: β times what stands at `start` (where that is 0, nothing), and the rows of B that the
 * mask names, each times its number of A; if `late`, β times what is there is added at the end instead.
 */
// @ts-ignore: decorator
@inline
function strip(vectors: i32, mask: u64, a: usize, aStep: usize, b: usize, bRow: usize, c: usize, start: usize, beta: f32, late: bool): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  let s8 = s0;
  let s9 = s0;
  let s10 = s0;
  let s11 = s0;
  if (start != 0) {
    s0 = v128.load(start);
    s1 = v128.load(start, 16);
    if (vectors > 2) {
      s2 = v128.load(start, 32);
      s3 = v128.load(start, 48);
    }
    if (vectors > 4) {
      s4 = v128.load(start, 64);
      s5 = v128.load(start, 80);
    }
    if (vectors > 6) {
      s6 = v128.load(start, 96);
      s7 = v128.load(start, 112);
    }
    if (vectors > 8) {
      s8 = v128.load(start, 128);
      s9 = v128.load(start, 144);
    }
    if (vectors > 10) {
      s10 = v128.load(start, 160);
      s11 = v128.load(start, 176);
    }
    if (beta != 1) {
      const keep = f32x4.splat(beta);
      s0 = f32x4.mul(keep, s0);
      s1 = f32x4.mul(keep, s1);
      s2 = f32x4.mul(keep, s2);
      s3 = f32x4.mul(keep, s3);
      s4 = f32x4.mul(keep, s4);
      s5 = f32x4.mul(keep, s5);
      s6 = f32x4.mul(keep, s6);
      s7 = f32x4.mul(keep, s7);
      s8 = f32x4.mul(keep, s8);
      s9 = f32x4.mul(keep, s9);
      s10 = f32x4.mul(keep, s10);
      s11 = f32x4.mul(keep, s11);
    }
  }
  while (mask != 0) {
    const which = <usize>ctz(mask);
    mask &= mask - 1;
    const x = v128.load32_splat(a + which * aStep);
    const p = b + which * bRow;
    s0 = multiplyAdd4(x, v128.load(p), s0);
    s1 = multiplyAdd4(x, v128.load(p, 16), s1);
    if (vectors > 2) {
      s2 = multiplyAdd4(x, v128.load(p, 32), s2);
      s3 = multiplyAdd4(x, v128.load(p, 48), s3);
    }
    if (vectors > 4) {
      s4 = multiplyAdd4(x, v128.load(p, 64), s4);
      s5 = multiplyAdd4(x, v128.load(p, 80), s5);
    }
    if (vectors > 6) {
      s6 = multiplyAdd4(x, v128.load(p, 96), s6);
      s7 = multiplyAdd4(x, v128.load(p, 112), s7);
    }
    if (vectors > 8) {
      s8 = multiplyAdd4(x, v128.load(p, 128), s8);
      s9 = multiplyAdd4(x, v128.load(p, 144), s9);
    }
    if (vectors > 10) {
      s10 = multiplyAdd4(x, v128.load(p, 160), s10);
      s11 = multiplyAdd4(x, v128.load(p, 176), s11);
    }
  }
  if (late && beta != 0) {
    const keep = f32x4.splat(beta);
    s0 = multiplyAdd4(keep, v128.load(c), s0);
    s1 = multiplyAdd4(keep, v128.load(c, 16), s1);
    if (vectors > 2) {
      s2 = multiplyAdd4(keep, v128.load(c, 32), s2);
      s3 = multiplyAdd4(keep, v128.load(c, 48), s3);
    }
    if (vectors > 4) {
      s4 = multiplyAdd4(keep, v128.load(c, 64), s4);
      s5 = multiplyAdd4(keep, v128.load(c, 80), s5);
    }
    if (vectors > 6) {
      s6 = multiplyAdd4(keep, v128.load(c, 96), s6);
      s7 = multiplyAdd4(keep, v128.load(c, 112), s7);
    }
    if (vectors > 8) {
      s8 = multiplyAdd4(keep, v128.load(c, 128), s8);
      s9 = multiplyAdd4(keep, v128.load(c, 144), s9);
    }
    if (vectors > 10) {
      s10 = multiplyAdd4(keep, v128.load(c, 160), s10);
      s11 = multiplyAdd4(keep, v128.load(c, 176), s11);
    }
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  if (vectors > 2) {
    v128.store(c, s2, 32);
    v128.store(c, s3, 48);
  }
  if (vectors > 4) {
    v128.store(c, s4, 64);
    v128.store(c, s5, 80);
  }
  if (vectors > 6) {
    v128.store(c, s6, 96);
    v128.store(c, s7, 112);
  }
  if (vectors > 8) {
    v128.store(c, s8, 128);
    v128.store(c, s9, 144);
  }
  if (vectors > 10) {
    v128.store(c, s10, 160);
    v128.store(c, s11, 176);
  }
}
