import { expOfNegative4, sigmoid4, tanh4 } from './exponential';
import { loadPart, storePart } from './partial';

/* Activations and their gradients, computed from the outputs. Results may overwrite the inputs. */

// @ts-ignore: decorator
@inline
function relu4(x: v128): v128 {
  return f32x4.max(x, f32x4.splat(0));
}

// @ts-ignore: decorator
@inline
function reluGradient4(y: v128, dy: v128): v128 {
  return v128.and(dy, f32x4.gt(y, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function sigmoidGradient4(y: v128, dy: v128): v128 {
  return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(f32x4.splat(1), y)));
}

// @ts-ignore: decorator
@inline
function tanhGradient4(y: v128, dy: v128): v128 {
  return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)));
}

/** y ← max(x, 0) over n float32 values. */
export function relu(n: usize, x: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, relu4(v128.load(x)));
    x += 16;
    y += 16;
  }
  if (n > 0) storePart(y, relu4(loadPart(x, n)), n);
}

/** dx ← dy where y > 0, else 0. */
export function reluGradient(n: usize, y: usize, dy: usize, dx: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(dx, reluGradient4(v128.load(y), v128.load(dy)));
    y += 16;
    dy += 16;
    dx += 16;
  }
  if (n > 0) storePart(dx, reluGradient4(loadPart(y, n), loadPart(dy, n)), n);
}

/** y ← 1 / (1 + exp(−x)). */
export function sigmoid(n: usize, x: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, sigmoid4(v128.load(x)));
    x += 16;
    y += 16;
  }
  if (n > 0) storePart(y, sigmoid4(loadPart(x, n)), n);
}

/** dx ← dy · y · (1 − y). */
export function sigmoidGradient(n: usize, y: usize, dy: usize, dx: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(dx, sigmoidGradient4(v128.load(y), v128.load(dy)));
    y += 16;
    dy += 16;
    dx += 16;
  }
  if (n > 0) storePart(dx, sigmoidGradient4(loadPart(y, n), loadPart(dy, n)), n);
}

/** y ← tanh(x). */
export function tanh(n: usize, x: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, tanh4(v128.load(x)));
    x += 16;
    y += 16;
  }
  if (n > 0) storePart(y, tanh4(loadPart(x, n)), n);
}

/** dx ← dy · (1 − y²). */
export function tanhGradient(n: usize, y: usize, dy: usize, dx: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(dx, tanhGradient4(v128.load(y), v128.load(dy)));
    y += 16;
    dy += 16;
    dx += 16;
  }
  if (n > 0) storePart(dx, tanhGradient4(loadPart(y, n), loadPart(dy, n)), n);
}

/** Each row of y [m, n] ← softmax of the row of x: exp(x − max) over its sum. */
export function softmax(m: usize, n: usize, x: usize, y: usize): void {
  const row = n << 2;
  for (; m > 0; m--) {
    scale(n, <f32>(1 / exponentials(n, x, y)), y);
    x += row;
    y += row;
  }
}

/** dx ← y · (dy − Σ dy·y), row by row: the gradient of `softmax` that put out y. */
export function softmaxGradient(m: usize, n: usize, y: usize, dy: usize, dx: usize): void {
  for (; m > 0; m--) {
    let product: f64 = 0;
    for (let j: usize = 0; j < n; j++) product += <f64>load<f32>(y + (j << 2)) * <f64>load<f32>(dy + (j << 2));
    for (let j: usize = 0; j < n; j++) {
      store<f32>(dx + (j << 2), load<f32>(y + (j << 2)) * (load<f32>(dy + (j << 2)) - <f32>product));
    }
    y += n << 2;
    dy += n << 2;
    dx += n << 2;
  }
}

/** y ← exp(x − max x) for one row; gives their sum. */
export function exponentials(n: usize, x: usize, y: usize): f64 {
  let largest = load<f32>(x);
  for (let j: usize = 1; j < n; j++) largest = max(largest, load<f32>(x + (j << 2)));
  const largest4 = f32x4.splat(largest);
  let j: usize = 0;
  for (; j + 4 <= n; j += 4) {
    v128.store(y + (j << 2), expOfNegative4(f32x4.sub(v128.load(x + (j << 2)), largest4)));
  }
  if (j < n) storePart(y + (j << 2), expOfNegative4(f32x4.sub(loadPart(x + (j << 2), n - j), largest4)), n - j);
  let sum: f64 = 0;
  for (let i: usize = 0; i < n; i++) sum += load<f32>(y + (i << 2));
  return sum;
}

/** y ← a · y. */
export function scale(n: usize, a: f32, y: usize): void {
  const a4 = f32x4.splat(a);
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.mul(v128.load(y), a4));
    y += 16;
  }
  if (n > 0) storePart(y, f32x4.mul(loadPart(y, n), a4), n);
}

/** y ← a · b, number by number: dropout and its gradient. */
export function multiply(n: usize, a: usize, b: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.mul(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    y += 16;
  }
  if (n > 0) storePart(y, f32x4.mul(loadPart(a, n), loadPart(b, n)), n);
}
