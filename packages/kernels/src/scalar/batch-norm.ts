import { floats, type Memory } from './memory.ts';

/** Batch normalization (Ioffe & Szegedy, 2015) of x [m, c], each column by itself. */
export interface BatchNormKernels {
  /** mean [c] and variance [c] ← those of the columns of x; the variance of these m rows, not of where they come from. */
  columnMoments(m: number, c: number, x: number, mean: number, variance: number): void;
  /** y ← γ · (x − mean) / √(variance + ε) + β. */
  normalize(
    m: number,
    c: number,
    epsilon: number,
    x: number,
    mean: number,
    variance: number,
    gamma: number,
    beta: number,
    y: number,
  ): void;
  /**
   * From dy [m, c] and what `normalize` was given, with moments of x itself: dβ ← Σ dy, dγ ← Σ dy · x̂ and
   * dx ← γ / √(variance + ε) · (dy − dβ / m − x̂ · dγ / m), with x̂ the normalized x. dx may be dy.
   */
  normalizeGradient(
    m: number,
    c: number,
    epsilon: number,
    x: number,
    mean: number,
    variance: number,
    gamma: number,
    dy: number,
    dGamma: number,
    dBeta: number,
    dx: number,
  ): void;
}

export function scalarBatchNorm(memory: Memory): BatchNormKernels {
  return {
    columnMoments(m, c, x, mean, variance) {
      const from = floats(memory, x, m * c);
      for (let j = 0; j < c; j++) {
        let sum = 0;
        for (let i = 0; i < m; i++) sum += from[i * c + j] as number;
        const middle = sum / m;
        let squares = 0;
        for (let i = 0; i < m; i++) squares += ((from[i * c + j] as number) - middle) ** 2;
        floats(memory, mean, c)[j] = middle;
        floats(memory, variance, c)[j] = squares / m;
      }
    },
    normalize(m, c, epsilon, x, mean, variance, gamma, beta, y) {
      const [from, to] = [floats(memory, x, m * c), floats(memory, y, m * c)];
      const [middle, spread] = [floats(memory, mean, c), floats(memory, variance, c)];
      const [scale, shift] = [floats(memory, gamma, c), floats(memory, beta, c)];
      for (let i = 0; i < m * c; i++) {
        const j = i % c;
        const deviation = Math.sqrt((spread[j] as number) + epsilon);
        const normal = ((from[i] as number) - (middle[j] as number)) / deviation;
        to[i] = normal * (scale[j] as number) + (shift[j] as number);
      }
    },
    normalizeGradient(m, c, epsilon, x, mean, variance, gamma, dy, dGamma, dBeta, dx) {
      const [from, d, to] = [floats(memory, x, m * c), floats(memory, dy, m * c), floats(memory, dx, m * c)];
      const [middle, spread] = [floats(memory, mean, c), floats(memory, variance, c)];
      const scale = floats(memory, gamma, c);
      for (let j = 0; j < c; j++) {
        const inverse = 1 / Math.sqrt((spread[j] as number) + epsilon);
        const normal = (i: number) => ((from[i] as number) - (middle[j] as number)) * inverse;
        let [sum, product] = [0, 0];
        for (let i = j; i < m * c; i += c) {
          sum += d[i] as number;
          product += (d[i] as number) * normal(i);
        }
        floats(memory, dBeta, c)[j] = sum;
        floats(memory, dGamma, c)[j] = product;
        for (let i = j; i < m * c; i += c) {
          const rest = (d[i] as number) - sum / m - (normal(i) * product) / m;
          to[i] = rest * inverse * (scale[j] as number);
        }
      }
    },
  };
}
