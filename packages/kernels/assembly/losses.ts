import { exponentials } from './activations';
import { loadPart, storePart } from './partial';

/**
 * Softmax cross-entropy of logits [m, n] against labels [m], class indices as float32 numbers:
 * gradient ← scale · (softmax(logits) − onehot(label)). Row i's loss is ln(first) − second of the pair at
 * parts [m, 2]: Σ exp(z − max), and z[label] − max. The logarithm is left to the caller.
 */
export function softmaxCrossEntropy(
  m: usize,
  n: usize,
  scale: f32,
  logits: usize,
  labels: usize,
  gradient: usize,
  parts: usize,
): void {
  for (; m > 0; m--) {
    const label = <usize>load<f32>(labels) << 2;
    let largest = load<f32>(logits);
    for (let j: usize = 1; j < n; j++) largest = max(largest, load<f32>(logits + (j << 2)));
    const chosen = load<f32>(logits + label) - largest;
    const sum = exponentials(n, logits, gradient);
    const factor = scale / <f32>sum;
    for (let j: usize = 0; j < n; j++) store<f32>(gradient + (j << 2), load<f32>(gradient + (j << 2)) * factor);
    store<f32>(gradient + label, load<f32>(gradient + label) - scale);
    store<f32>(parts, <f32>sum);
    store<f32>(parts, chosen, 4);
    labels += 4;
    parts += 8;
    logits += n << 2;
    gradient += n << 2;
  }
}

/** gradient ← scale · (prediction − target) over n numbers; gives Σ (prediction − target)². */
export function squaredError(n: usize, scale: f32, predictions: usize, targets: usize, gradient: usize): f64 {
  const scale4 = f32x4.splat(scale);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  while (n > 0) {
    const some = min<usize>(n, 4);
    const difference = f32x4.sub(loadPart(predictions, some), loadPart(targets, some));
    storePart(gradient, f32x4.mul(difference, scale4), some);
    const first = f64x2.promote_low_f32x4(difference);
    const second = f64x2.promote_low_f32x4(v128.shuffle<f32>(difference, difference, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
    predictions += 16;
    targets += 16;
    gradient += 16;
    n -= some;
  }
  const both = f64x2.add(low, high);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}
