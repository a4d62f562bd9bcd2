/**
 * The part of a weight in training: `step` weights are moved by the optimizer; `average` weights are statistics of the
 * examples, which move without it (the moving mean and variance of batch normalization); `frozen` weights stay as they are.
 */
export type WeightRole = 'step' | 'average' | 'frozen';

/**
 * The role of a weight as tfjs treats it.
 *
 * @param learned whether the layer makes it for the optimizer; false for statistics.
 * @param trainable whether the optimizer is given it. Batch normalization with `trainable: false` normalizes by the
 *   batch and moves its statistics in training all the same (tfjs-layers 4.22), so a frozen layer's statistics are not
 *   frozen.
 */
export function roleOf({ learned, trainable }: { learned: boolean; trainable: boolean }): WeightRole {
  if (!learned) return 'average';
  return trainable ? 'step' : 'frozen';
}
