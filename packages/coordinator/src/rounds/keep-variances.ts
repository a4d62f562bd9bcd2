import { type Layout, shapeSize } from '@coppice/protocol';

/** Suffix of Keras's name of a running variance. */
const VARIANCE = /(^|\/)moving_variance$/;

/**
 * Sets running variances that are below zero to zero. No data has a negative variance; a model with one answers NaN.
 *
 * @param weights flat, in layout order; changed in place.
 * @returns the number of weights that were changed.
 */
export function keepVariances(layout: Layout, weights: Float32Array): number {
  let changed = 0;
  let at = 0;
  for (const { name, shape, trainable } of layout) {
    const end = at + shapeSize(shape);
    if (!trainable && VARIANCE.test(name))
      for (let i = at; i < end; i++) {
        if (!((weights[i] as number) < 0)) continue;
        weights[i] = 0;
        changed++;
      }
    at = end;
  }
  return changed;
}
