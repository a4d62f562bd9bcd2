import { multiplyAdd4 } from './fused';
import { loadPart, storePart } from './partial';

/*
 * Kernels of optimizers. Plain SGD and momentum need none: matmulTransposedA and columnSums add directly to weights
 * and velocities.
 */

/**
 * Adam (Kingma & Ba, 2015): m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − step · m / (√(v · correction) + ε),
 * with step = η / (1 − β₁ᵗ) and correction = 1 / (1 − β₂ᵗ).
 */
export function adam(
  n: usize,
  step: f32,
  correction: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  g: usize,
  m: usize,
  v: usize,
  w: usize,
): void {
  while (n > 0) {
    const some = min<usize>(n, 4);
    const gradient = loadPart(g, some);
    const first = multiplyAdd4(
      f32x4.splat(beta1),
      loadPart(m, some),
      f32x4.mul(f32x4.splat(1 - beta1), gradient),
    );
    const second = multiplyAdd4(
      f32x4.splat(beta2),
      loadPart(v, some),
      f32x4.mul(f32x4.splat(1 - beta2), f32x4.mul(gradient, gradient)),
    );
    const root = f32x4.sqrt(f32x4.mul(second, f32x4.splat(correction)));
    const change = f32x4.div(f32x4.mul(first, f32x4.splat(step)), f32x4.add(root, f32x4.splat(epsilon)));
    storePart(m, first, some);
    storePart(v, second, some);
    storePart(w, f32x4.sub(loadPart(w, some), change), some);
    g += 16;
    m += 16;
    v += 16;
    w += 16;
    n -= some;
  }
}

/** Gives l1 · Σ|w| + l2 · Σw²: what a regularizer adds to the loss. */
export function penalty(n: usize, l1: f64, l2: f64, w: usize): f64 {
  let sizes: f64 = 0;
  let squares: f64 = 0;
  for (; n > 0; n--) {
    const value: f64 = load<f32>(w);
    sizes += abs(value);
    squares += value * value;
    w += 4;
  }
  return l1 * sizes + l2 * squares;
}

/**
 * y ← y + α · (l1 · sign(w) + 2 · l2 · w): the gradient of `penalty`, onto a gradient or, w itself, a step. At 0, where
 * |w| has none, the sign is −1, as tfjs has it.
 */
export function addPenaltyGradient(n: usize, alpha: f32, l1: f32, l2: f32, w: usize, y: usize): void {
  const one = f32x4.splat(1);
  const first = f32x4.splat(alpha * l1);
  const second = f32x4.splat(alpha * 2 * l2);
  while (n > 0) {
    const some = min<usize>(n, 4);
    const value = loadPart(w, some);
    const signs = v128.bitselect(one, f32x4.neg(one), f32x4.gt(value, f32x4.splat(0)));
    const added = multiplyAdd4(first, signs, f32x4.mul(second, value));
    storePart(y, f32x4.add(loadPart(y, some), added), some);
    w += 16;
    y += 16;
    n -= some;
  }
}

/** w ← w − a · (w − anchor): FedProx's term (Li et al., 2020) as a step, with a = η·μ. */
export function pull(n: usize, a: f32, anchor: usize, w: usize): void {
  const factor = f32x4.splat(-a);
  while (n > 0) {
    const some = min<usize>(n, 4);
    const value = loadPart(w, some);
    storePart(w, multiplyAdd4(factor, f32x4.sub(value, loadPart(anchor, some)), value), some);
    anchor += 16;
    w += 16;
    n -= some;
  }
}
