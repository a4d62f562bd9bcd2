import {
  type Compared,
  comparisonLayout,
  largestComparisonNorm,
  refusesComparison,
} from '@coppice/continuity';
import { pipelineOf } from '@coppice/federation';
import {
  CoppiceError,
  classesOf,
  contributionHash,
  featureWidth,
  groupsOf,
  type Task,
} from '@coppice/protocol';
import { AnswerForm } from '../exchanges/answer-form.ts';
import type { TaskForm } from './task-exchange.ts';

/** The form of answers to one comparison. Answers of another one, or of other models, have another layout. */
export function comparisonForm({ data }: Pick<Task, 'data'>, models: Omit<Compared, 'groups'>): TaskForm {
  const groups = groupsOf(data);
  const compared = groups === null ? models : { ...models, groups: featureWidth(groups.feature) };
  const classes = classesOf(data)?.length ?? null;
  const layout = comparisonLayout(classes, compared);
  return {
    reference: null,
    tensors: layout,
    layout: Buffer.from(contributionHash(layout)).toString('hex'),
    norm: largestComparisonNorm(classes, compared),
    answers: new AnswerForm({
      layout,
      codec: 'float32',
      pipeline: pipelineOf({ clipNorm: null, uploadCodec: 'float32' }),
      maxWeight: 1,
      checkMeasures(measures) {
        const why = refusesComparison(measures, classes, compared);
        if (why !== null) throw new CoppiceError('update-measure', `The comparison counts nowhere. ${why}`);
      },
    }),
  };
}
