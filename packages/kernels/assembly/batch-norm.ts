import { multiplyAdd4 } from './fused';
import { loadPart, storePart } from './partial';

/* Batch normalization (Ioffe & Szegedy, 2015) of x [m, c], each column by itself. */

/** Rows that are summed by themselves first, so that a small number is not added to the large sum of thousands. */
const BLOCK: i32 = 128;

/** mean [c] and variance [c] ← those of the columns of x; the variance of these m rows, not of where they come from. */
export function columnMoments(m: i32, c: i32, x: usize, mean: usize, variance: usize): void {
  const row: usize = c << 2;
  const share = f32x4.splat(<f32>(1.0 / <f64>m));
  for (let j = 0; j < c; j += 4) {
    const some: usize = min(4, c - j);
    const from = x + (j << 2);
    let total = f32x4.splat(0);
    let at = from;
    for (let i = 0; i < m; i += BLOCK) {
      let sum = f32x4.splat(0);
      for (let l = min(BLOCK, m - i); l > 0; l--) {
        sum = f32x4.add(sum, loadPart(at, some));
        at += row;
      }
      total = f32x4.add(total, sum);
    }
    const middle = f32x4.mul(total, share);
    storePart(mean + (j << 2), middle, some);
    total = f32x4.splat(0);
    at = from;
    for (let i = 0; i < m; i += BLOCK) {
      let sum = f32x4.splat(0);
      for (let l = min(BLOCK, m - i); l > 0; l--) {
        const difference = f32x4.sub(loadPart(at, some), middle);
        sum = multiplyAdd4(difference, difference, sum);
        at += row;
      }
      total = f32x4.add(total, sum);
    }
    storePart(variance + (j << 2), f32x4.mul(total, share), some);
  }
}

/** y ← γ · (x − mean) / √(variance + ε) + β, column by column. */
export function normalize(
  m: i32,
  c: i32,
  epsilon: f32,
  x: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  y: usize,
): void {
  const row: usize = c << 2;
  for (let j = 0; j < c; j += 4) {
    const some: usize = min(4, c - j);
    const offset: usize = j << 2;
    const middle = loadPart(mean + offset, some);
    const deviation = f32x4.sqrt(f32x4.add(loadPart(variance + offset, some), f32x4.splat(epsilon)));
    const factor = f32x4.div(loadPart(gamma + offset, some), deviation);
    const shift = loadPart(beta + offset, some);
    let from = x + offset;
    let to = y + offset;
    for (let i = 0; i < m; i++) {
      storePart(to, multiplyAdd4(f32x4.sub(loadPart(from, some), middle), factor, shift), some);
      from += row;
      to += row;
    }
  }
}

/**
 * From dy [m, c] and what `normalize` was given, with moments of x itself: dβ ← Σ dy, dγ ← Σ dy · x̂ and
 * dx ← γ / √(variance + ε) · (dy − dβ / m − x̂ · dγ / m), with x̂ the normalized x. dx may be dy.
 */
export function normalizeGradient(
  m: i32,
  c: i32,
  epsilon: f32,
  x: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  dy: usize,
  dGamma: usize,
  dBeta: usize,
  dx: usize,
): void {
  const row: usize = c << 2;
  const share = f32x4.splat(<f32>(1.0 / <f64>m));
  for (let j = 0; j < c; j += 4) {
    const some: usize = min(4, c - j);
    const offset: usize = j << 2;
    const middle = loadPart(mean + offset, some);
    const deviation = f32x4.sqrt(f32x4.add(loadPart(variance + offset, some), f32x4.splat(epsilon)));
    const inverse = f32x4.div(f32x4.splat(1), deviation);
    let from = x + offset;
    let at = dy + offset;
    let sums = f32x4.splat(0);
    let products = f32x4.splat(0);
    for (let i = 0; i < m; i += BLOCK) {
      let sum = f32x4.splat(0);
      let product = f32x4.splat(0);
      for (let l = min(BLOCK, m - i); l > 0; l--) {
        const d = loadPart(at, some);
        sum = f32x4.add(sum, d);
        product = multiplyAdd4(d, f32x4.mul(f32x4.sub(loadPart(from, some), middle), inverse), product);
        from += row;
        at += row;
      }
      sums = f32x4.add(sums, sum);
      products = f32x4.add(products, product);
    }
    storePart(dBeta + offset, sums, some);
    storePart(dGamma + offset, products, some);
    const factor = f32x4.mul(loadPart(gamma + offset, some), inverse);
    const meanSum = f32x4.mul(sums, share);
    const meanProduct = f32x4.mul(f32x4.mul(products, share), inverse);
    from = x + offset;
    at = dy + offset;
    let to = dx + offset;
    for (let i = 0; i < m; i++) {
      const centred = f32x4.sub(loadPart(from, some), middle);
      const rest = f32x4.sub(f32x4.sub(loadPart(at, some), meanSum), f32x4.mul(centred, meanProduct));
      storePart(to, f32x4.mul(rest, factor), some);
      from += row;
      at += row;
      to += row;
    }
  }
}
