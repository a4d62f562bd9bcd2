import {
  type ContributionLayout,
  classesOf,
  type Layout,
  metricForm,
  type Plan,
  type Task,
} from '@coppice/protocol';
import { strategyOf } from '../strategies/index.ts';
import type { Strategy } from '../strategy.ts';
import { modelGroup } from './layout.ts';
import { evaluationMeasures, type MeasureForm, trainMeasures } from './train-measures.ts';

/** The part of a task that says what is measured. */
type MeasuredTask = Pick<Task, 'data' | 'metrics' | 'threshold'>;

/** The form of the measures in a plan's runs of a task. */
export function measureForm(task: MeasuredTask, plan: Plan): MeasureForm {
  return {
    classes: classesOf(task.data)?.length ?? null,
    heldOut: plan.evaluationShare > 0,
    maxExamples: plan.maxExamples,
    metrics: metricForm(task),
  };
}

/**
 * The layout of an answer to a question to train: the model's change, the strategy's own groups, the measures.
 *
 * @param strategy left out, the one that the plan names.
 */
export function trainLayout(
  model: Layout,
  task: MeasuredTask,
  plan: Plan,
  strategy: Pick<Strategy, 'groups'> = strategyOf(plan),
): ContributionLayout {
  return [
    ...modelGroup(model, { bound: plan.maxNorm }),
    ...(strategy.groups?.(model) ?? []),
    ...trainMeasures(measureForm(task, plan)),
  ];
}

/** The layout of an answer to a question to measure: measures alone. */
export function evaluationLayout(task: MeasuredTask, plan: Plan): ContributionLayout {
  return evaluationMeasures({ ...measureForm(task, plan), heldOut: true });
}
