import { floats, type Memory } from './memory.ts';

/** Kernels of optimizers beyond `multiplyAdd`, which suffices for plain SGD and momentum. */
export interface OptimizerKernels {
  /**
   * Adam (Kingma & Ba, 2015): m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g²,
   * w ← w − step · m / (√(v · correction) + ε), with step = η / (1 − β₁ᵗ) and correction = 1 / (1 − β₂ᵗ).
   */
  adam(
    n: number,
    step: number,
    correction: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    g: number,
    m: number,
    v: number,
    w: number,
  ): void;
  /** Gives l1 · Σ|w| + l2 · Σw²: what a regularizer adds to the loss. */
  penalty(n: number, l1: number, l2: number, w: number): number;
  /** y ← y + α · (l1 · sign(w) + 2 · l2 · w), the gradient of `penalty`; y may be w. The sign of 0 is −1, as in tfjs. */
  addPenaltyGradient(n: number, alpha: number, l1: number, l2: number, w: number, y: number): void;
  /** w ← w − a · (w − anchor): FedProx's term (Li et al., 2020) as a step, with a = η·μ. */
  pull(n: number, a: number, anchor: number, w: number): void;
}

export function scalarOptimizers(memory: Memory): OptimizerKernels {
  return {
    adam(n, step, correction, beta1, beta2, epsilon, g, m, v, w) {
      const [gradient, first] = [floats(memory, g, n), floats(memory, m, n)];
      const [second, weights] = [floats(memory, v, n), floats(memory, w, n)];
      for (let i = 0; i < n; i++) {
        const d = gradient[i] as number;
        first[i] = beta1 * (first[i] as number) + (1 - beta1) * d;
        second[i] = beta2 * (second[i] as number) + (1 - beta2) * d * d;
        const root = Math.sqrt((second[i] as number) * correction);
        weights[i] = (weights[i] as number) - (step * (first[i] as number)) / (root + epsilon);
      }
    },
    penalty(n, l1, l2, w) {
      return floats(memory, w, n).reduce((sum, x) => sum + l1 * Math.abs(x) + l2 * x * x, 0);
    },
    addPenaltyGradient(n, alpha, l1, l2, w, y) {
      const [weights, to] = [floats(memory, w, n), floats(memory, y, n)];
      for (let i = 0; i < n; i++) {
        const x = weights[i] as number;
        to[i] = (to[i] as number) + alpha * (l1 * (x > 0 ? 1 : -1) + 2 * l2 * x);
      }
    },
    pull(n, a, anchor, w) {
      const [from, weights] = [floats(memory, anchor, n), floats(memory, w, n)];
      for (let i = 0; i < n; i++) {
        const x = weights[i] as number;
        weights[i] = x - a * (x - (from[i] as number));
      }
    },
  };
}
