import type { Metrics } from './run.ts';
import type { DataSchema, Task } from './task.ts';

/** The scaling of a numeric target: the model learns (value − mean) / scale. */
export interface TargetScaling {
  readonly mean: number;
  /** Above 0. */
  readonly scale: number;
}

/** One number that a task predicts. */
export interface TargetColumn extends TargetScaling {
  readonly name: string;
  readonly unit?: string | undefined;
}

/** The numbers that a task predicts, in the order of the model's outputs; none for classes. */
export function targetColumns(data: DataSchema): readonly TargetColumn[] {
  if (data.kind === 'image' || data.target.kind === 'class') return [];
  const columns = data.target.kind === 'number' ? [data.target] : data.target.columns;
  return columns.map(({ name, unit, mean = 0, scale = 1 }) => ({
    name,
    ...(unit === undefined ? {} : { unit }),
    mean,
    scale,
  }));
}

/** The scaling of a task's only number: mean 0 and scale 1 where the task names none, for several, and for classes. */
export function targetScaling(data: DataSchema): TargetScaling {
  const [column, ...more] = targetColumns(data);
  if (column === undefined || more.length > 0) return { mean: 0, scale: 1 };
  return { mean: column.mean, scale: column.scale };
}

/** The labels of one example: 1, the index of its class or its number, or as many as a task has targets. */
export function targetSize(data: DataSchema): number {
  return Math.max(1, targetColumns(data).length);
}

/** Checks that a model learns other numbers than the targets themselves. */
export function hasScaledTarget(data: DataSchema): boolean {
  return targetColumns(data).some(({ mean, scale }) => mean !== 0 || scale !== 1);
}

/** The value of a target, in its unit, that a model's output stands for. Classes have none: the output itself. */
export function targetOf(output: number, data: DataSchema, column = 0): number {
  const { mean, scale } = targetColumns(data)[column] ?? { mean: 0, scale: 1 };
  return output * scale + mean;
}

/** The unit of a task's only number; `undefined` where it has none, for several, and for classes. */
export function targetUnit(data: DataSchema): string | undefined {
  const columns = targetColumns(data);
  return columns.length === 1 ? columns[0]?.unit : undefined;
}

/**
 * The root mean square error of a task's only number, in its unit: as it was measured, or scale · √loss where the loss is the
 * mean squared error of the scaled target.
 *
 * @returns `null` for a task of classes or of several numbers, and where it is not known.
 */
export function targetError(
  metrics: Pick<Metrics, 'loss' | 'values'> | null | undefined,
  { data, loss }: Pick<Task, 'data' | 'loss'>,
): number | null {
  const [column, ...more] = targetColumns(data);
  if (metrics == null || column === undefined || more.length > 0) return null;
  const measured = metrics.values?.rmse;
  if (measured !== undefined) return measured;
  return metrics.loss === null || loss !== 'meanSquaredError' ? null : column.scale * Math.sqrt(metrics.loss);
}
