import { multiplyAdd4 } from './fused';
import { loadPart, storePart } from './partial';
import { isSparse, sparseProduct, sparseTransposedProduct } from './sparse';

/*
 * Matrix products in the layouts that training needs. Matrices are row-major and dense. The inner loop holds a tile of
 * up to 5 × 8 results in registers: 10 sums, 2 vectors of B and one number of A, which leaves two registers of x86's 16.
 */

/**
 * Initial value of a tile: a bias or 0 (SET); β·c (ADD), which is faster for few summands; or 0, with β·c added at the
 * end (LATE), since many small numbers would lose their last bits in a large sum.
 */
const SET: i32 = 0;
const ADD: i32 = 1;
const LATE: i32 = 2;
const FEW: usize = 16;

/** C [m, n] ← A [m, k] · B [k, n] + bias [n]; a `bias` of 0 is none. */
export function matmul(m: usize, k: usize, n: usize, a: usize, b: usize, bias: usize, c: usize): void {
  const whole = n & ~7;
  let done: usize = 0;
  if (isSparse(m, k, n, a)) {
    sparseProduct(m, k, n, whole, a, b, bias, c);
    if (whole == n) return;
    done = whole;
  }
  for (let i: usize = 0; i < m; ) {
    const rows = rowsOf(m - i);
    const first = a + ((i * k) << 2);
    // Columns of zeros at both ends, as pictures have at their edges, add nothing.
    let from: usize = 0;
    let to = k;
    while (from + 4 <= to && areZero(rows, first + (from << 2), k << 2)) from += 4;
    while (to >= from + 4 && areZero(rows, first + ((to - 4) << 2), k << 2)) to -= 4;
    const near = first + (from << 2);
    const other = b + ((from * n) << 2);
    const out = c + ((i * n) << 2);
    for (let j = done; j < whole; j += 8) {
      const start: usize = bias == 0 ? 0 : bias + (j << 2);
      wide(rows, SET, to - from, near, k << 2, 4, other + (j << 2), n << 2, out + (j << 2), start, 0);
    }
    if (whole < n) {
      const rest = whole << 2;
      const start: usize = bias == 0 ? 0 : bias + rest;
      narrow(rows, SET, to - from, near, k << 2, 4, other + rest, n << 2, n - whole, out + rest, start, 0);
    }
    i += rows;
  }
}

/** Checks that four columns of `rows` rows hold only 0 and −0. */
// @ts-ignore: decorator
@inline
function areZero(rows: usize, at: usize, row: usize): bool {
  for (; rows > 0; rows--) {
    if (v128.any_true(f32x4.ne(v128.load(at), f32x4.splat(0)))) return false;
    at += row;
  }
  return true;
}

/** Rows of A and B per pass: these fit in the second-level cache. */
const DEPTH: usize = 128;
/** Rows per mask: one for each bit. */
const MASKED: usize = 64;

/** C [k, n] ← Aᵀ · B + β · C for A [m, k] and B [m, n]; with β = 0, C is not read. */
export function matmulTransposedA(
  m: usize,
  k: usize,
  n: usize,
  a: usize,
  b: usize,
  beta: f32,
  c: usize,
): void {
  const whole = n & ~7;
  let done: usize = 0;
  if (m <= MASKED && isSparse(m, k, n, a)) {
    sparseTransposedProduct(m, k, n, whole, a, b, beta, m > FEW, c);
    if (whole == n) return;
    done = whole;
  }
  for (let from: usize = 0; from < m || from == 0; from += DEPTH) {
    const depth = min(DEPTH, m - from);
    const keep: f32 = from == 0 ? beta : 1;
    for (let i: usize = 0; i < k; ) {
      const rows = rowsOf(k - i);
      const first = a + ((from * k + i) << 2);
      // Inputs that are zero in the whole batch change nothing: the edges of pictures, inactive units.
      if (keep == 1 && rows == 5 && onlyZeros(depth, first, k << 2)) {
        i += rows;
        continue;
      }
      const other = b + ((from * n) << 2);
      for (let j = done; j < whole; j += 8) {
        wide(rows, ADD, depth, first, 4, k << 2, other + (j << 2), n << 2, c + ((i * n + j) << 2), 0, keep);
      }
      if (whole < n) {
        const rest = other + (whole << 2);
        narrow(rows, ADD, depth, first, 4, k << 2, rest, n << 2, n - whole, c + ((i * n + whole) << 2), 0, keep);
      }
      i += rows;
    }
  }
}

/** Checks that five columns of `depth` rows hold only 0 and −0. */
// @ts-ignore: decorator
@inline
function onlyZeros(depth: usize, at: usize, row: usize): bool {
  for (; depth > 0; depth--) {
    const some = v128.or(v128.load(at), v128.load32_zero(at, 16));
    if (v128.any_true(f32x4.ne(some, f32x4.splat(0)))) return false;
    at += row;
  }
  return true;
}

/** Rows of the next tile: five, and the remainder in even parts (6 as 3 and 3), since a one-row tile is bound by latency. */
// @ts-ignore: decorator
@inline
function rowsOf(left: usize): usize {
  if (left <= 5) return left;
  if (left < 10) return (left + 1) >> 1;
  return 5;
}

// The number of rows and the way a tile ends are constants in each of these, so that a tile is straight code.

function wide(rows: usize, mode: i32, depth: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, bias: usize, beta: f32): void {
  const cRow = bStep;
  if (mode == SET) {
    if (rows == 5) tile(5, SET, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 4) tile(4, SET, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 3) tile(3, SET, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 2) tile(2, SET, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else tile(1, SET, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
  } else if (depth <= FEW) {
    if (rows == 5) tile(5, ADD, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 4) tile(4, ADD, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 3) tile(3, ADD, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 2) tile(2, ADD, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else tile(1, ADD, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
  } else {
    if (rows == 5) tile(5, LATE, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 4) tile(4, LATE, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 3) tile(3, LATE, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else if (rows == 2) tile(2, LATE, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
    else tile(1, LATE, depth, a, aRow, aStep, b, bStep, c, cRow, bias, beta);
  }
}

/** rows × 8 results. */
// @ts-ignore: decorator
@inline
function tile(rows: i32, mode: i32, depth: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, bias: usize, beta: f32): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  if (mode == SET && bias != 0) {
    s00 = v128.load(bias);
    s01 = v128.load(bias, 16);
  }
  let s10 = s00;
  let s11 = s01;
  let s20 = s00;
  let s21 = s01;
  let s30 = s00;
  let s31 = s01;
  let s40 = s00;
  let s41 = s01;
  if (mode == ADD && beta != 0) {
    s00 = v128.load(c);
    s01 = v128.load(c, 16);
    if (rows > 1) {
      s10 = v128.load(c + cRow);
      s11 = v128.load(c + cRow, 16);
    }
    if (rows > 2) {
      s20 = v128.load(c + cRow * 2);
      s21 = v128.load(c + cRow * 2, 16);
    }
    if (rows > 3) {
      s30 = v128.load(c + cRow * 3);
      s31 = v128.load(c + cRow * 3, 16);
    }
    if (rows > 4) {
      s40 = v128.load(c + cRow * 4);
      s41 = v128.load(c + cRow * 4, 16);
    }
    if (beta != 1) {
      const keep = f32x4.splat(beta);
      s00 = f32x4.mul(keep, s00);
      s01 = f32x4.mul(keep, s01);
      s10 = f32x4.mul(keep, s10);
      s11 = f32x4.mul(keep, s11);
      s20 = f32x4.mul(keep, s20);
      s21 = f32x4.mul(keep, s21);
      s30 = f32x4.mul(keep, s30);
      s31 = f32x4.mul(keep, s31);
      s40 = f32x4.mul(keep, s40);
      s41 = f32x4.mul(keep, s41);
    }
  }
  const a1 = aRow;
  const a2 = aRow * 2;
  const a3 = aRow * 3;
  const a4 = aRow * 4;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    s00 = multiplyAdd4(x, b0, s00);
    s01 = multiplyAdd4(x, b1, s01);
    if (rows > 1) {
      x = v128.load32_splat(a + a1);
      s10 = multiplyAdd4(x, b0, s10);
      s11 = multiplyAdd4(x, b1, s11);
    }
    if (rows > 2) {
      x = v128.load32_splat(a + a2);
      s20 = multiplyAdd4(x, b0, s20);
      s21 = multiplyAdd4(x, b1, s21);
    }
    if (rows > 3) {
      x = v128.load32_splat(a + a3);
      s30 = multiplyAdd4(x, b0, s30);
      s31 = multiplyAdd4(x, b1, s31);
    }
    if (rows > 4) {
      x = v128.load32_splat(a + a4);
      s40 = multiplyAdd4(x, b0, s40);
      s41 = multiplyAdd4(x, b1, s41);
    }
    a += aStep;
    b += bStep;
  }
  store2(mode, c, s00, s01, beta);
  if (rows > 1) store2(mode, c + cRow, s10, s11, beta);
  if (rows > 2) store2(mode, c + cRow * 2, s20, s21, beta);
  if (rows > 3) store2(mode, c + cRow * 3, s30, s31, beta);
  if (rows > 4) store2(mode, c + cRow * 4, s40, s41, beta);
}

// @ts-ignore: decorator
@inline
function store2(mode: i32, c: usize, low: v128, high: v128, beta: f32): void {
  if (mode == LATE && beta != 0) {
    const keep = f32x4.splat(beta);
    low = multiplyAdd4(keep, v128.load(c), low);
    high = multiplyAdd4(keep, v128.load(c, 16), high);
  }
  v128.store(c, low);
  v128.store(c, high, 16);
}

/** rows × 1 to 7 results at the right edge. */
function narrow(rows: usize, mode: i32, depth: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, columns: usize, c: usize, bias: usize, beta: f32): void {
  while (columns > 0) {
    const some = min<usize>(columns, 4);
    if (some == 4) edge(rows, 4, mode, depth, a, aRow, aStep, b, bStep, c, bias, beta);
    else if (some == 3) edge(rows, 3, mode, depth, a, aRow, aStep, b, bStep, c, bias, beta);
    else if (some == 2) edge(rows, 2, mode, depth, a, aRow, aStep, b, bStep, c, bias, beta);
    else edge(rows, 1, mode, depth, a, aRow, aStep, b, bStep, c, bias, beta);
    columns -= some;
    b += 16;
    c += 16;
    if (bias != 0) bias += 16;
  }
}

/** Up to 5 × `some` results; rows that are not there are worked out again from the first, and not stored. */
// @ts-ignore: decorator
@inline
function edge(rows: usize, some: usize, mode: i32, depth: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, bias: usize, beta: f32): void {
  let s0 = f32x4.splat(0);
  if (mode == SET && bias != 0) s0 = loadPart(bias, some);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  const a1 = rows > 1 ? aRow : 0;
  const a2 = rows > 2 ? aRow * 2 : 0;
  const a3 = rows > 3 ? aRow * 3 : 0;
  const a4 = rows > 4 ? aRow * 4 : 0;
  for (; depth > 0; depth--) {
    const b0 = loadPart(b, some);
    s0 = multiplyAdd4(v128.load32_splat(a), b0, s0);
    s1 = multiplyAdd4(v128.load32_splat(a + a1), b0, s1);
    s2 = multiplyAdd4(v128.load32_splat(a + a2), b0, s2);
    s3 = multiplyAdd4(v128.load32_splat(a + a3), b0, s3);
    s4 = multiplyAdd4(v128.load32_splat(a + a4), b0, s4);
    a += aStep;
    b += bStep;
  }
  end1(mode, c, s0, some, beta);
  if (rows > 1) end1(mode, c + bStep, s1, some, beta);
  if (rows > 2) end1(mode, c + bStep * 2, s2, some, beta);
  if (rows > 3) end1(mode, c + bStep * 3, s3, some, beta);
  if (rows > 4) end1(mode, c + bStep * 4, s4, some, beta);
}

// @ts-ignore: decorator
@inline
function end1(mode: i32, c: usize, sum: v128, some: usize, beta: f32): void {
  if (mode == ADD && beta != 0) sum = multiplyAdd4(f32x4.splat(beta), loadPart(c, some), sum);
  storePart(c, sum, some);
}

/** C [m, k] ← A [m, n] · Bᵀ for B [k, n]: products of rows with rows. */
export function matmulTransposedB(m: usize, n: usize, k: usize, a: usize, b: usize, c: usize): void {
  const row = n << 2;
  for (let j: usize = 0; j < k; j += 4) {
    const columns = min<usize>(4, k - j);
    const first = b + j * row;
    for (let i: usize = 0; i < m; i += 2) {
      dots(m - i > 1, columns, n, a + i * row, first, c + ((i * k + j) << 2), k << 2);
    }
  }
}

/** 2 × 4 dot products at once; a row or column that is not there repeats the first, and is not stored. */
function dots(both: bool, columns: usize, n: usize, a: usize, b: usize, c: usize, cRow: usize): void {
  const row = n << 2;
  const a1 = both ? row : 0;
  const b1 = columns > 1 ? row : 0;
  const b2 = columns > 2 ? row * 2 : 0;
  const b3 = columns > 3 ? row * 3 : 0;
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  for (let left = n >> 2; left > 0; left--) {
    const x0 = v128.load(a);
    const x1 = v128.load(a + a1);
    let y = v128.load(b);
    s00 = multiplyAdd4(x0, y, s00);
    s10 = multiplyAdd4(x1, y, s10);
    y = v128.load(b + b1);
    s01 = multiplyAdd4(x0, y, s01);
    s11 = multiplyAdd4(x1, y, s11);
    y = v128.load(b + b2);
    s02 = multiplyAdd4(x0, y, s02);
    s12 = multiplyAdd4(x1, y, s12);
    y = v128.load(b + b3);
    s03 = multiplyAdd4(x0, y, s03);
    s13 = multiplyAdd4(x1, y, s13);
    a += 16;
    b += 16;
  }
  const rest = n & 3;
  if (rest > 0) {
    const x0 = loadPart(a, rest);
    const x1 = loadPart(a + a1, rest);
    let y = loadPart(b, rest);
    s00 = multiplyAdd4(x0, y, s00);
    s10 = multiplyAdd4(x1, y, s10);
    y = loadPart(b + b1, rest);
    s01 = multiplyAdd4(x0, y, s01);
    s11 = multiplyAdd4(x1, y, s11);
    y = loadPart(b + b2, rest);
    s02 = multiplyAdd4(x0, y, s02);
    s12 = multiplyAdd4(x1, y, s12);
    y = loadPart(b + b3, rest);
    s03 = multiplyAdd4(x0, y, s03);
    s13 = multiplyAdd4(x1, y, s13);
  }
  storePart(c, sums4(s00, s01, s02, s03), columns);
  if (both) storePart(c + cRow, sums4(s10, s11, s12, s13), columns);
}

/** The sums of the lanes of four vectors, as one. */
// @ts-ignore: decorator
@inline
function sums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  // ab holds a0+a2, b0+b2, a1+a3, b1+b3.
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** B [n, m] ← the transposed of A [m, n]. */
export function transpose(m: usize, n: usize, a: usize, b: usize): void {
  const from = n << 2;
  const to = m << 2;
  const wholeRows = m & ~3;
  const wholeColumns = n & ~3;
  for (let i: usize = 0; i < wholeRows; i += 4) {
    for (let j: usize = 0; j < wholeColumns; j += 4) {
      const p = a + i * from + (j << 2);
      const r0 = v128.load(p);
      const r1 = v128.load(p + from);
      const r2 = v128.load(p + from * 2);
      const r3 = v128.load(p + from * 3);
      const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      const q = b + j * to + (i << 2);
      v128.store(q, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
      v128.store(q + to, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
      v128.store(q + to * 2, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5));
      v128.store(q + to * 3, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7));
    }
    for (let j = wholeColumns; j < n; j++) {
      for (let r = i; r < i + 4; r++) store<f32>(b + j * to + (r << 2), load<f32>(a + r * from + (j << 2)));
    }
  }
  for (let i = wholeRows; i < m; i++) {
    for (let j: usize = 0; j < n; j++) store<f32>(b + j * to + (i << 2), load<f32>(a + i * from + (j << 2)));
  }
}

/** c [n] ← sums over the columns of A [m, n] + β · c; with β = 0, c is not read. */
export function columnSums(m: usize, n: usize, a: usize, beta: f32, c: usize): void {
  const row = n << 2;
  for (let j: usize = 0; j < n; j += 4) {
    const some = min<usize>(4, n - j);
    let at = a + (j << 2);
    let total = f32x4.splat(0);
    for (let left = m; left > 0; ) {
      // In blocks, so that a small number is not added to the large sum of thousands.
      const block = min(left, DEPTH);
      let sum = f32x4.splat(0);
      for (let i: usize = 0; i < block; i++) {
        sum = f32x4.add(sum, loadPart(at, some));
        at += row;
      }
      total = f32x4.add(total, sum);
      left -= block;
    }
    const to = c + (j << 2);
    if (beta != 0) total = multiplyAdd4(f32x4.splat(beta), loadPart(to, some), total);
    storePart(to, total, some);
  }
}
