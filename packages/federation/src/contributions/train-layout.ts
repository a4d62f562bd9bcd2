import { type ContributionLayout, classesOf, type Layout, type Plan, type Task } from '@coppice/protocol';
import { strategyOf } from '../strategies/index.ts';
import type { Strategy } from '../strategy.ts';
import { modelGroup } from './layout.ts';
import { evaluationMeasures, type MeasureForm, trainMeasures } from './train-measures.ts';

/** The form of the measures in a plan's runs of a task. */
export function measureForm(task: Pick<Task, 'data'>, plan: Plan): MeasureForm {
  return {
    classes: classesOf(task.data)?.length ?? null,
    heldOut: plan.evaluationShare > 0,
    maxExamples: plan.maxExamples,
  };
}

/**
 * The layout of an answer to a question to train: the model's change, the strategy's own groups, the measures.
 *
 * @param strategy left out, the one that the plan names.
 */
export function trainLayout(
  model: Layout,
  task: Pick<Task, 'data'>,
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
export function evaluationLayout(task: Pick<Task, 'data'>, plan: Plan): ContributionLayout {
  return evaluationMeasures({ ...measureForm(task, plan), heldOut: true });
}
