import { DEFAULT_HUBER_DELTA, type Loss } from '@coppice/protocol';
import type { ModelDescription } from './trainer.ts';

/** The loss of a model, with its settings filled in. */
export interface LossSettings {
  readonly loss: Loss;
  readonly huberDelta: number;
  /** By class; null: 1 for each. */
  readonly classWeights: readonly number[] | null;
}

export function lossSettings({
  loss,
  huberDelta = DEFAULT_HUBER_DELTA,
  classWeights,
}: Pick<ModelDescription, 'loss' | 'huberDelta' | 'classWeights'>): LossSettings {
  return { loss, huberDelta, classWeights: classWeights ?? null };
}

/** ½e² where |e| ≤ δ, else δ·|e| − ½δ² (Huber, 1964). */
export function huberLoss(error: number, delta: number): number {
  const size = Math.abs(error);
  return size <= delta ? (size * size) / 2 : delta * (size - delta / 2);
}

/** −log of the probability that sigmoid(z) gives a label of 0 or 1, without overflow. */
export function sigmoidCrossEntropyOf(logit: number, label: number): number {
  return Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)));
}

/** 1 / (1 + e^−z), without overflow. */
export function sigmoid(logit: number): number {
  if (logit >= 0) return 1 / (1 + Math.exp(-logit));
  const power = Math.exp(logit);
  return power / (1 + power);
}
