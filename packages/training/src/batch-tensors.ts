import { type BatchShape, copyInputs, rowSize } from './batches.ts';
import * as tf from './tf.ts';
import type { Dataset } from './trainer.ts';

export interface Batch {
  readonly xs: tf.Tensor;
  /** One-hot rows; the label of 0 or 1 for a sigmoid; or the values of a row. */
  readonly ys: tf.Tensor2D;
  /** The weight of each row's class, [rows, 1]; null: 1 for each. */
  readonly weights: tf.Tensor2D | null;
}

/** The examples at `rows`, as tensors. A new array each time: backends may keep what they are given. */
export function gatherBatch(
  data: Dataset,
  rows: Uint32Array,
  shape: BatchShape,
  classWeights: readonly number[] | null,
): Batch {
  const size = rowSize(shape);
  const inputs = new Float32Array(rows.length * size);
  const { outputs } = shape;
  const isOneHot = shape.loss === 'categoricalCrossentropy';
  const labels = new Float32Array(rows.length * outputs);
  const weights = classWeights === null ? null : new Float32Array(rows.length);
  for (const [i, row] of rows.entries()) {
    copyInputs(data.xs, row * size, (row + 1) * size, inputs, i * size, shape.shades);
    if (isOneHot) labels[i * outputs + (data.ys[row] as number)] = 1;
    else labels.set(data.ys.subarray(row * outputs, (row + 1) * outputs), i * outputs);
    if (weights !== null) weights[i] = classWeights?.[data.ys[row] as number] as number;
  }
  return {
    xs: tf.tensor(inputs, [rows.length, ...shape.inputShape]),
    ys: tf.tensor2d(labels, [rows.length, outputs]),
    weights: weights && tf.tensor2d(weights, [rows.length, 1]),
  };
}
