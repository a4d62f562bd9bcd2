import {
  agreedBinning,
  type Binning,
  firstBinning,
  identityOf,
  layoutOf,
  Monitor,
  type Observation,
  OwnStatistics,
  type Reference,
  type ReportKind,
  referenceOf,
  statisticsLayout,
  summarise,
} from '@coppice/continuity';
import { decodeMeasures, MeasureSum, type Measures } from '@coppice/federation';
import { seededRandom, uniform } from '@coppice/ports';
import {
  type Answer,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
  type Task,
} from '@coppice/protocol';

/** Two numeric columns with four bins each, and two classes. */
export const binning: Binning = {
  version: 1,
  recipe: 'ab'.repeat(32),
  columns: ['height', 'width'].map((name) => ({
    kind: 'number',
    name,
    edges: [0.25, 0.5, 0.75],
    range: null,
  })),
  prediction: { kind: 'class', classes: 2 },
  confidence: null,
};

/** The sum of the statistics of devices like those that report. */
function drawSums(of: Binning, participants: number): Measures {
  const layout = statisticsLayout(of, identityOf(of));
  const sum = new MeasureSum(layout);
  for (let i = 0; i < participants; i++)
    sum.add(decodeMeasures(layout, drawStatistics(`before ${i}`, { of })));
  return sum.totals();
}

/** A reference of devices like those that report. */
export function drawReference(participants = 40, of: Binning = binning): Reference {
  return referenceOf(of, drawSums(of, participants));
}

/** As `drawReference`, with bins that are agreed from those of a task. */
export function agreedReference(task: Pick<Task, 'data' | 'model'>, participants = 40): Reference {
  const first = firstBinning(task);
  return drawReference(participants, agreedBinning(first, drawSums(first, participants)));
}

/**
 * The report of a device with drawn predictions.
 *
 * @param options.of two numeric columns or more, and two classes or more.
 * @param options.power of the second column's uniform number: 2 for devices like those of the reference.
 */
export function drawReport(
  participant: string,
  { observations = 40, of = binning, power = 2 } = {},
): Float32Array {
  const monitor = new Monitor(of, identityOf(of));
  for (const one of drawn(participant, { observations, of, power })) monitor.observe(one);
  return summarise(monitor.state(), of, 1) as Float32Array;
}

/** The statistics of a device whose examples have the labels that the model predicts: three of ten are of class 1. */
export function drawStatistics(
  participant: string,
  { observations = 40, of = binning, power = 2 } = {},
): Float32Array {
  const statistics = new OwnStatistics(of, identityOf(of));
  for (const one of drawn(participant, { observations, of, power })) statistics.observe(one, one.prediction);
  return statistics.numbers(1) as Float32Array;
}

function drawn(
  participant: string,
  { observations, of, power }: { observations: number; of: Binning; power: number },
): Observation[] {
  const random = seededRandom('report', participant);
  return Array.from({ length: observations }, () => ({
    columns: of.columns.map((_, i) => (i === 1 ? uniform(random) ** power : uniform(random))),
    prediction: uniform(random) < 0.3 ? 1 : 0,
    ...(of.confidence === null ? {} : { confidence: uniform(random) }),
  }));
}

/** A report, or statistics, as they are sent. */
export function reportAnswer(
  numbers: Float32Array,
  of = binning,
  ticket = 'report-7.x',
  kind: ReportKind = 'report',
): Answer {
  const layout = layoutOf(kind, of, identityOf(of));
  return {
    run: 'toy-1',
    ticket,
    weight: 1,
    milliseconds: 1,
    frame: encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      payload: float32Payload(numbers),
    }),
  };
}
