import {
  cohortSizes,
  countedLoss,
  decodeMeasures,
  encodeMeasures,
  MeasureSum,
  metricsOf,
  type Tally,
  tallyMeasures,
  tallyOf,
  trainMeasures,
} from '@coppice/federation';
import { defaultPlan } from '@coppice/protocol';
import {
  type Case,
  isObject,
  type Json,
  member,
  type Operation,
  parameter,
  requireNumber,
  Unsupported,
} from '../case.ts';

/** The form of a regression, whose losses have the widest bound. */
const FORM = { classes: null, heldOut: false, maxExamples: 2 ** 20 } as const;

/** Participants' tallies as encoded for the wire, merged as partial sums. */
function merged(tallies: readonly Tally[]): Tally {
  const tensors = trainMeasures(FORM);
  const total = new MeasureSum(tensors);
  for (const tally of tallies) {
    const part = new MeasureSum(tensors);
    part.add(decodeMeasures(tensors, encodeMeasures(tensors, tallyMeasures('train', tally))));
    total.merge(part.partial());
  }
  return tallyOf('train', total.totals()) as Tally;
}

function tallyFor(examples: number, loss: number): Tally {
  if (!Number.isInteger(examples)) throw new Unsupported('losses are summed over whole numbers of examples');
  return { examples, ...countedLoss(loss, examples, FORM), hits: null, classes: null };
}

/** Reads pairs `[examples, mean loss]`. */
function lossAverage({ inputs }: Case) {
  const pairs = member(inputs, 'pairs');
  if (!Array.isArray(pairs)) throw new Error('the case gives no pairs');
  const tallies = pairs.map((pair) => {
    const [examples, loss] = Array.isArray(pair) ? pair : [undefined, undefined];
    const n = requireNumber(examples, 'the number of examples');
    return tallyFor(n, n * requireNumber(loss, 'the loss'));
  });
  return { main: metricsOf(merged(tallies))?.loss ?? null };
}

/** Adds sums `{ accum, weight }` of several participants. */
function statMerge({ inputs }: Case) {
  const stats = isObject(inputs)
    ? Object.values(inputs).flatMap((one): Json[] => (Array.isArray(one) ? one : [one]))
    : [];
  const { loss, lossExamples } = merged(
    stats.map((stat) => {
      const accum = requireNumber(member(stat, 'accum'), 'accum');
      if (accum < 0) throw new Unsupported('sums of losses are not negative');
      return tallyFor(requireNumber(member(stat, 'weight'), 'weight'), accum);
    }),
  );
  return { main: { accum: loss, weight: lossExamples } };
}

/** Checks that a round with this number of answers has its quorum. */
function aggregateAllowed(one: Case) {
  const [results, failures] = [parameter(one, 'results'), parameter(one, 'failures')];
  const asked = results + failures;
  const plan = {
    ...defaultPlan,
    cohortSize: asked,
    overSelection: 1,
    quorum: parameter(one, 'min_completion_rate'),
  };
  return { main: results >= cohortSizes(plan, asked).quorum, precision: 'float64' as const };
}

const NO_EXAMPLE = 'is computed inside the trainers, over batches; packages/training tests it there';

export const measures: { readonly [name: string]: Operation | string } = {
  weighted_loss_average: lossAverage,
  mean_stat_merge: statMerge,
  number_mean: (one) => ({
    main: metricsOf(merged([tallyFor(parameter(one, 'count'), parameter(one, 'value'))]))?.loss ?? null,
  }),
  aggregate_allowed: aggregateAllowed,
  weighted_metric_average: 'participants send sums of losses and hits, and no metrics of their own',
  mean_stat_new: 'a measure that is masked is not summed in the first place',
  num_clients_to_sample:
    'a cohort is max(1, round(C · available)), as in FedAvg’s Algorithm 1, not the floor',
  softmax_cross_entropy: NO_EXAMPLE,
  top_k_accuracy: 'hits are of the largest output alone',
  patience_trace: 'runs end after their rounds, not by patience',
  stop_condition: 'runs end after their rounds, not by a condition',
};
