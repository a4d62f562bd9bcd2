import type { DataSchema } from './task.ts';

/** The scaling of a numeric target: the model learns (value − mean) / scale. */
export interface TargetScaling {
  readonly mean: number;
  /** Above 0. */
  readonly scale: number;
}

/** The scaling of a task's target: mean 0 and scale 1 where the task names none, and for classes. */
export function targetScaling(data: DataSchema): TargetScaling {
  if (data.kind === 'image' || data.target.kind === 'class') return { mean: 0, scale: 1 };
  return { mean: data.target.mean ?? 0, scale: data.target.scale ?? 1 };
}

/** Checks that a model learns another number than the target itself. */
export function hasScaledTarget(data: DataSchema): boolean {
  const { mean, scale } = targetScaling(data);
  return mean !== 0 || scale !== 1;
}

/** The value of the target, in its unit, that a model's output stands for. */
export function targetOf(output: number, data: DataSchema): number {
  const { mean, scale } = targetScaling(data);
  return output * scale + mean;
}

/** The unit of a numeric target; `undefined` where it has none, and for classes. */
export function targetUnit(data: DataSchema): string | undefined {
  return data.kind === 'table' && data.target.kind === 'number' ? data.target.unit : undefined;
}

/**
 * The root mean square error of a regression in the unit of its target: scale · √loss, the loss being the mean squared
 * error of scaled targets.
 *
 * @returns `null` for a task of classes, and where there is no loss.
 */
export function targetError(loss: number | null, data: DataSchema): number | null {
  if (loss === null || data.kind === 'image' || data.target.kind === 'class') return null;
  return targetScaling(data).scale * Math.sqrt(loss);
}
