/**
 * The part of a weight in training: `step` weights are moved by the optimizer; `average` weights are statistics of the
 * examples, which move without it (the moving mean and variance of batch normalization); `frozen` weights stay as they are.
 */
export type WeightRole = 'step' | 'average' | 'frozen';

/**
 * The role of a weight.
 *
 * @param learned whether the layer makes it for the optimizer; false for statistics.
 * @param trainable whether the layer is trained. One that is not keeps its statistics, too: a frozen batch normalization
 *   normalizes by what it kept, in training as well, as in Keras since 2.1.3. Plain tfjs-layers 4.22 moves them all the same.
 */
export function roleOf({ learned, trainable }: { learned: boolean; trainable: boolean }): WeightRole {
  if (!trainable) return 'frozen';
  return learned ? 'step' : 'average';
}
