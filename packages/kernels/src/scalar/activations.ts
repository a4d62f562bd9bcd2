import { floats, type Memory } from './memory.ts';

/** Activations and their gradients, computed from the outputs. Results may overwrite the inputs. */
export interface ActivationKernels {
  /** y ← max(x, 0) over n float32 values. */
  relu(n: number, x: number, y: number): void;
  /** dx ← dy where y > 0, else 0. */
  reluGradient(n: number, y: number, dy: number, dx: number): void;
  /** y ← 1 / (1 + exp(−x)). */
  sigmoid(n: number, x: number, y: number): void;
  /** dx ← dy · y · (1 − y). */
  sigmoidGradient(n: number, y: number, dy: number, dx: number): void;
  /** y ← tanh(x). */
  tanh(n: number, x: number, y: number): void;
  /** dx ← dy · (1 − y²). */
  tanhGradient(n: number, y: number, dy: number, dx: number): void;
  /** Each row of y [m, n] ← softmax of the row of x. */
  softmax(m: number, n: number, x: number, y: number): void;
  /** dx ← y · (dy − Σ dy·y), row by row: the gradient of `softmax`. */
  softmaxGradient(m: number, n: number, y: number, dy: number, dx: number): void;
  /** y ← a · y. */
  scale(n: number, a: number, y: number): void;
  /** y ← a · b, number by number. */
  multiply(n: number, a: number, b: number, y: number): void;
}

export function scalarActivations(memory: Memory): ActivationKernels {
  const map = (f: (x: number) => number) => (n: number, x: number, y: number) => {
    const [from, to] = [floats(memory, x, n), floats(memory, y, n)];
    for (let i = 0; i < n; i++) to[i] = f(from[i] as number);
  };
  const map2 = (f: (a: number, b: number) => number) => (n: number, a: number, b: number, y: number) => {
    const [left, right, to] = [floats(memory, a, n), floats(memory, b, n), floats(memory, y, n)];
    for (let i = 0; i < n; i++) to[i] = f(left[i] as number, right[i] as number);
  };
  return {
    relu: map((x) => Math.max(x, 0)),
    reluGradient: map2((y, dy) => (y > 0 ? dy : 0)),
    sigmoid: map((x) => 1 / (1 + Math.exp(-x))),
    sigmoidGradient: map2((y, dy) => dy * y * (1 - y)),
    tanh: map(Math.tanh),
    tanhGradient: map2((y, dy) => dy * (1 - y * y)),
    softmax(m, n, x, y) {
      for (let i = 0; i < m; i++) {
        const to = floats(memory, y + 4 * i * n, n);
        const sum = exponentials(floats(memory, x + 4 * i * n, n), to);
        for (let j = 0; j < n; j++) to[j] = (to[j] as number) / sum;
      }
    },
    softmaxGradient(m, n, y, dy, dx) {
      for (let i = 0; i < m; i++) {
        const [out, d, to] = [y, dy, dx].map((at) => floats(memory, at + 4 * i * n, n)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const product = out.reduce((sum, p, j) => sum + p * (d[j] as number), 0);
        for (let j = 0; j < n; j++) to[j] = (out[j] as number) * ((d[j] as number) - product);
      }
    },
    scale(n, a, y) {
      const to = floats(memory, y, n);
      for (let i = 0; i < n; i++) to[i] = a * (to[i] as number);
    },
    multiply: map2((a, b) => a * b),
  };
}

/** to ← exp(from − max); gives their sum. */
export function exponentials(from: Float32Array, to: Float32Array): number {
  const largest = from.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  for (let j = 0; j < from.length; j++) to[j] = Math.exp((from[j] as number) - largest);
  return to.reduce((sum, e) => sum + e, 0);
}
