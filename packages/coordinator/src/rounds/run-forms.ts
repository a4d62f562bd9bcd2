import {
  checkTally,
  evaluationLayout,
  type Limits,
  layoutBounds,
  measureForm,
  type Norms,
  namedBounds,
  pipelineOf,
  type Strategy,
  strategyOf,
  tallyOf,
  trainLayout,
} from '@coppice/federation';
import {
  type ContributionLayout,
  CoppiceError,
  type Layout,
  type Plan,
  sectionsOf,
  type Task,
} from '@coppice/protocol';
import { AnswerForm } from '../exchanges/answer-form.ts';

/** The forms of a run's answers, from its task and its plan. */
export interface RunForms {
  readonly strategy: Strategy;
  readonly layouts: { readonly train: ContributionLayout; readonly evaluate: ContributionLayout };
  readonly train: AnswerForm;
  readonly evaluate: AnswerForm;
  /** Limits of a training, with those of the round's opening. */
  limits(normBounds: Norms | null): Limits;
}

/** @param strategy left out, the plan's. */
export function runForms(
  model: Layout,
  task: Task,
  plan: Plan,
  strategy: Strategy = strategyOf(plan),
): RunForms {
  const pipeline = pipelineOf(plan);
  const form = measureForm(task, plan);
  const layouts = { train: trainLayout(model, task, plan, strategy), evaluate: evaluationLayout(task, plan) };
  const train = new AnswerForm({
    layout: layouts.train,
    codec: plan.uploadCodec,
    pipeline,
    maxWeight: plan.maxExamples,
    checkMeasures(measures, { weight }) {
      for (const prefix of ['train', 'held'] as const) {
        const tally = tallyOf(prefix, measures, form.metrics);
        if (tally !== null) checkTally(tally, form);
      }
      const trained = tallyOf('train', measures)?.examples;
      if (trained !== weight)
        throw new CoppiceError(
          'update-measure',
          `The update weighs ${weight}, and says that it was trained on ${trained} examples. Both are the number of examples trained on.`,
        );
    },
  });
  const evaluate = new AnswerForm({
    layout: layouts.evaluate,
    codec: 'float32',
    pipeline,
    checkMeasures(measures) {
      const tally = tallyOf('held', measures, form.metrics);
      if (tally !== null) checkTally(tally, form);
    },
  });
  const sections = sectionsOf(layouts.train);
  const bound = pipeline.bounds(sections, layoutBounds(layouts.train));
  return {
    strategy,
    layouts,
    train,
    evaluate,
    limits: (normBounds) =>
      train.limits(bound, normBounds === null ? null : namedBounds(normBounds, sections)),
  };
}
