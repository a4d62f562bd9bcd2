import {
  type Binning,
  identityOf,
  largestNorm,
  layoutOf,
  type ReportKind,
  refuses,
} from '@coppice/continuity';
import { encodeMeasures, pipelineOf } from '@coppice/federation';
import { CoppiceError, contributionHash } from '@coppice/protocol';
import { AnswerForm } from '../exchanges/answer-form.ts';
import type { TaskForm } from './task-exchange.ts';

/** The form of reports, or of statistics, that are made with one binning or reference. */
export interface ReportForm extends TaskForm {
  /** The hash of the binning or the reference. */
  readonly reference: string;
  /** Refuses a report made with another reference (`update-shape`), and one with numbers that no counts give (`update-measure`). */
  readonly answers: AnswerForm;
}

/**
 * @param kind of the question that they answer.
 * @param binning a reference, or the binning that a reference is being made with.
 * @param minimum the fewest observations of a report.
 */
export function reportForm(kind: ReportKind, binning: Binning, minimum: number): ReportForm {
  const reference = identityOf(binning);
  const layout = layoutOf(kind, binning, reference);
  return {
    reference,
    tensors: layout,
    layout: Buffer.from(contributionHash(layout)).toString('hex'),
    norm: largestNorm(binning, minimum, kind),
    answers: new AnswerForm({
      layout,
      codec: 'float32',
      pipeline: pipelineOf({ clipNorm: null, uploadCodec: 'float32' }),
      maxWeight: 1,
      checkMeasures(measures) {
        const numbers = encodeMeasures(layout, measures);
        const report = { recipe: binning.recipe, identity: reference, numbers };
        const refusal = refuses(report, binning, reference, minimum, kind);
        if (refusal !== null)
          throw new CoppiceError('update-measure', `The report counts nowhere. ${refusal.why}`);
      },
    }),
  };
}
