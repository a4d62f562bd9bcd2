import { exponentials } from './activations.ts';
import { floats, type Memory } from './memory.ts';

/** Losses, forward and backward at once. */
export interface LossKernels {
  /**
   * Softmax cross-entropy of logits [m, n] against labels [m], class indices as float32 numbers:
   * gradient ← scale · (softmax(logits) − onehot(label)). Row i's loss is ln(first) − second of the pair
   * at parts [m, 2]: Σ exp(z − max), and z[label] − max.
   */
  softmaxCrossEntropy(
    m: number,
    n: number,
    scale: number,
    logits: number,
    labels: number,
    gradient: number,
    parts: number,
  ): void;
  /** gradient ← scale · (prediction − target) over n numbers; gives Σ (prediction − target)². */
  squaredError(n: number, scale: number, predictions: number, targets: number, gradient: number): number;
}

export function scalarLosses(memory: Memory): LossKernels {
  return {
    softmaxCrossEntropy(m, n, scale, logits, labels, gradient, parts) {
      const label = floats(memory, labels, m);
      const part = floats(memory, parts, 2 * m);
      for (let i = 0; i < m; i++) {
        const z = floats(memory, logits + 4 * i * n, n);
        const to = floats(memory, gradient + 4 * i * n, n);
        const largest = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
        const chosen = label[i] as number;
        part[2 * i + 1] = (z[chosen] as number) - largest;
        const sum = exponentials(z, to);
        for (let j = 0; j < n; j++) to[j] = scale * ((to[j] as number) / sum - (j === chosen ? 1 : 0));
        part[2 * i] = sum;
      }
    },
    squaredError(n, scale, predictions, targets, gradient) {
      const [prediction, target] = [floats(memory, predictions, n), floats(memory, targets, n)];
      const to = floats(memory, gradient, n);
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const difference = (prediction[i] as number) - (target[i] as number);
        to[i] = scale * difference;
        sum += difference * difference;
      }
      return sum;
    },
  };
}
