import { type BatchShape, copyInputs, rowSize } from './batches.ts';
import * as tf from './tf.ts';
import type { Dataset } from './trainer.ts';

export interface Batch {
  readonly xs: tf.Tensor;
  /** One-hot rows, or one value a row. */
  readonly ys: tf.Tensor2D;
}

/** The examples at `rows`, as tensors. A new array each time: backends may keep what they are given. */
export function gatherBatch(data: Dataset, rows: Uint32Array, shape: BatchShape): Batch {
  const size = rowSize(shape);
  const inputs = new Float32Array(rows.length * size);
  const classes = shape.loss === 'categoricalCrossentropy';
  const labels = new Float32Array(rows.length * shape.outputs);
  for (const [i, row] of rows.entries()) {
    copyInputs(data.xs, row * size, (row + 1) * size, inputs, i * size, shape.shades);
    const y = data.ys[row] as number;
    if (classes) labels[i * shape.outputs + y] = 1;
    else labels[i] = y;
  }
  return {
    xs: tf.tensor(inputs, [rows.length, ...shape.inputShape]),
    ys: tf.tensor2d(labels, [rows.length, shape.outputs]),
  };
}
