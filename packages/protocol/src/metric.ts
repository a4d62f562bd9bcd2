import type { Plan } from './plan/plan.ts';
import type { Metrics } from './run.ts';
import { targetColumns } from './target.ts';
import { classesOf, type DataSchema, type MetricName, type Task } from './task.ts';

/** The most classes whose scores are counted in histograms, for `auroc` and `prAuc`. */
export const MAX_SCORED_CLASSES = 10;

/** Measures that are better where they are smaller. */
const errors: ReadonlySet<MetricName> = new Set(['mae', 'rmse']);

/** Checks that a measure is an error: smaller is better. */
export function isErrorMetric(name: MetricName): boolean {
  return errors.has(name);
}

/** The measures that a task with such data can ask for, in the order of `metricNames`. */
export function fittingMetrics(data: DataSchema): readonly MetricName[] {
  const classes = classesOf(data)?.length ?? 0;
  if (classes === 0) return ['mae', 'rmse', 'r2'];
  const scored: MetricName[] = classes <= MAX_SCORED_CLASSES ? ['auroc', 'prAuc'] : [];
  return [...scored, 'precision', 'recall', 'f1'];
}

/** The measures of a new task that names none: of numbers the errors and R²; of two classes the areas too; of more, recall and F1. */
export function defaultMetrics(data: DataSchema): MetricName[] {
  const classes = classesOf(data)?.length ?? 0;
  if (classes === 0) return ['mae', 'rmse', 'r2'];
  return classes === 2 ? ['auroc', 'prAuc', 'recall', 'f1'] : ['recall', 'f1'];
}

/** The parts of a task that say how its model is trained and measured, beside model and data. */
export type TaskObjective = Pick<Task, 'data' | 'huberDelta' | 'classWeights' | 'metrics' | 'threshold'> & {
  readonly loss?: Task['loss'] | undefined;
};

/**
 * The reasons why parts of a new task do not fit each other, by field: loss, δ, class weights, measures and threshold with
 * the data. A loss that is left out is proposed from model and data, and always fits.
 */
export function faultsOfObjective(
  task: TaskObjective,
): { readonly field: string; readonly message: string }[] {
  const { data, loss, huberDelta, classWeights, metrics, threshold } = task;
  const classes = classesOf(data)?.length ?? null;
  const faults: { field: string; message: string }[] = [];
  const fault = (field: string, message: string) => faults.push({ field, message });
  const ofNumbers = loss === 'meanSquaredError' || loss === 'huber';
  if (loss !== undefined && ofNumbers !== (classes === null))
    fault(
      'loss',
      classes === null
        ? `${loss} is a loss of classes, and the target is ${targetColumns(data).length > 1 ? 'numbers' : 'a number'}. Use meanSquaredError or huber`
        : `${loss} is a loss of numbers, and the target is a class. Use categoricalCrossentropy, or binaryCrossentropy for two classes`,
    );
  else if (loss === 'binaryCrossentropy' && classes !== 2)
    fault('loss', `binaryCrossentropy takes two classes, and there are ${classes}`);
  if (huberDelta !== undefined && loss !== 'huber') fault('huberDelta', 'it belongs to the loss huber alone');
  if (classWeights !== undefined && classWeights.length !== classes)
    fault(
      'classWeights',
      classes === null
        ? 'the target is no class'
        : `there are ${classWeights.length} weights for ${classes} classes`,
    );
  const fitting = fittingMetrics(data);
  for (const name of metrics ?? []) {
    if (fitting.includes(name)) continue;
    const isOfScores = name === 'auroc' || name === 'prAuc';
    fault(
      'metrics',
      isOfScores && classes !== null
        ? `${name} is measured of ${MAX_SCORED_CLASSES} classes at most, and there are ${classes}`
        : `${name} does not belong to data of this kind. There are ${fitting.join(', ')}`,
    );
  }
  if (threshold !== undefined && classes !== 2)
    fault('threshold', 'it belongs to tasks of two classes alone');
  return faults;
}

/** The early end of a plan. */
export type StopAt = Pick<Plan, 'targetAccuracy' | 'targetMetric' | 'targetValue'>;

/** Checks that a model reaches a plan's accuracy, or its value of a measure: loss and errors from above, others from below. */
export function reachesTarget(
  { targetAccuracy, targetMetric, targetValue }: StopAt,
  metrics: Pick<Metrics, 'loss' | 'accuracy' | 'values'> | null,
): boolean {
  if (metrics === null) return false;
  const { loss, accuracy, values } = metrics;
  if (targetAccuracy !== null && accuracy !== null && accuracy >= targetAccuracy) return true;
  if (targetValue === null) return false;
  const value =
    targetMetric === 'loss'
      ? loss
      : targetMetric === 'accuracy'
        ? accuracy
        : (values?.[targetMetric] ?? null);
  if (value === null) return false;
  const isError = targetMetric === 'loss' || (targetMetric !== 'accuracy' && isErrorMetric(targetMetric));
  return isError ? value <= targetValue : value >= targetValue;
}

/**
 * The reason why a plan could never end early by its measure in a task; `null`: it can, or has no value to end at.
 */
export function faultOfTarget(
  { targetMetric, targetValue }: Pick<Plan, 'targetMetric' | 'targetValue'>,
  task: Pick<Task, 'data' | 'metrics'>,
): string | null {
  if (targetValue === null || targetMetric === 'loss') return null;
  if (targetMetric === 'accuracy')
    return classesOf(task.data) === null
      ? 'targetMetric: the task predicts numbers and has no accuracy. Use loss, or a measure that the task asks for'
      : null;
  const metrics = task.metrics ?? [];
  if (metrics.includes(targetMetric)) return null;
  const named = metrics.length === 0 ? 'It asks for none' : `It asks for ${metrics.join(', ')}`;
  return `targetMetric: the task does not measure ${targetMetric}. ${named}; loss and accuracy are always measured`;
}
