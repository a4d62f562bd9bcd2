import {
  type Compared,
  type ComparedExample,
  comparisonLayout,
  comparisonMeasures,
  MAX_COMPARED,
  type Slice,
  slicesOf,
} from '@coppice/continuity';
import { encodeMeasures } from '@coppice/federation';
import {
  type Checksum,
  classesOf,
  contributionHash,
  contributionSize,
  type DataSchema,
  encodeFrame,
  featureWidth,
  float32Payload,
  groupsOf,
  inputSize,
  targetSize,
} from '@coppice/protocol';
import { type ModelTask, modelOf } from '@coppice/training';
import { pickRows } from '../examples.ts';
import { draws, holdOut } from '../holdout.ts';
import type { OwnDataset } from '../local-data.ts';
import type { MadeAnswer } from '../train.ts';
import type { TrainerHost } from '../trainer-host.ts';

export interface CompareWork {
  readonly task: ModelTask;
  /** The hashes of both models, the comparison's number and its slices, from the question: its answers' layout depends on them. */
  readonly compared: Omit<Compared, 'groups'>;
  /** The weights of both models. */
  readonly production: Float32Array;
  readonly candidate: Float32Array;
  /** Examples from then on are the recent ones, milliseconds since 1970; `null`: all are. */
  readonly since: number | null;
  readonly data: OwnDataset;
  /** The device's secret that decides which examples are held out. */
  readonly secret: Uint8Array;
  /** The share of the examples that no plan trains on. */
  readonly heldOut: number;
  readonly host: TrainerHost;
  readonly checksum: Checksum;
}

/**
 * Answers a question to compare: the measures of the differences of two models on examples that neither was trained on, at
 * most `MAX_COMPARED` of each slice, drawn by their ids. An example whose time is not known is an older one.
 *
 * The model that is nearer to a numeric target has the hit; none has it where both are as near.
 *
 * @returns `null` where fewer examples are held out than may leave a device, or the device has too few to split.
 * @throws CoppiceError `backend-lost`, `backend-unavailable`
 */
export async function answerCompare(work: CompareWork): Promise<MadeAnswer | null> {
  const { task, secret, heldOut } = work;
  const groups = groupsOf(task.data);
  const compared =
    groups === null ? work.compared : { ...work.compared, groups: featureWidth(groups.feature) };
  const { evaluation } = holdOut(work.data, secret, { task: heldOut, plan: heldOut });
  if (evaluation === null) return null;
  const sliceOf = (time: number): Slice => (work.since === null || time >= work.since ? 'recent' : 'older');
  const of = slicesOf(compared);
  const examples = pickRows(evaluation, cappedRows(evaluation, secret, of, sliceOf));
  if (examples.count === 0) return null;
  const description = modelOf(task);
  const [production, candidate] = await work.host.use(description, async (trainer) => {
    const outputsOf = async (weights: Float32Array) => {
      trainer.setWeights(weights);
      return trainer.predict(examples.xs, examples.count);
    };
    return [await outputsOf(work.production), await outputsOf(work.candidate)] as const;
  });
  const classes = classesOf(task.data)?.length ?? null;
  const hits = classes === null ? nearerOf : bestOf;
  const groupOf = groupReader(task.data);
  const targets = targetSize(task.data);
  const results = Array.from({ length: examples.count }, (_, row): ComparedExample => {
    const target = examples.ys.subarray(row * targets, (row + 1) * targets);
    const [ours, theirs] = [production, candidate].map((outputs) => {
      const width = outputs.length / examples.count;
      return outputs.subarray(row * width, (row + 1) * width);
    }) as [Float32Array, Float32Array];
    return {
      slice: sliceOf(examples.times[row] as number),
      ...(classes === null ? {} : { label: target[0] as number }),
      ...(groupOf === null ? {} : { group: groupOf(examples.xs, row) }),
      ...hits(ours, theirs, target),
    };
  });
  const measures = comparisonMeasures(results, classes, compared);
  if (measures === null) return null;
  const layout = comparisonLayout(classes, compared);
  const frame = encodeFrame(
    {
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      payload: float32Payload(encodeMeasures(layout, measures)),
    },
    work.checksum,
  );
  return { weight: 1, milliseconds: 0, frame };
}

/** Reads the group of a row of model inputs, in which its column is one-hot; `null` where the task declares no groups. */
function groupReader(data: DataSchema): ((xs: ArrayLike<number>, row: number) => number) | null {
  const groups = groupsOf(data);
  if (data.kind === 'image' || groups === null) return null;
  const before = data.features.slice(0, groups.column).reduce((sum, one) => sum + featureWidth(one), 0);
  const [width, values] = [inputSize(data), groups.feature.values.length];
  return (xs, row) => {
    for (let value = 0; value < values; value++) if (xs[row * width + before + value] === 1) return value;
    return values;
  };
}

/** Rows of at most `MAX_COMPARED` examples of each slice: those of the smallest draws, whatever their place. */
function cappedRows(
  { ids, times, count }: OwnDataset,
  secret: Uint8Array,
  of: readonly Slice[],
  sliceOf: (time: number) => Slice,
): number[] {
  const drawn = draws(ids, secret);
  const rows = [...Array(count).keys()].sort((a, b) => (drawn[a] as number) - (drawn[b] as number));
  return of.flatMap((slice) =>
    rows.filter((row) => sliceOf(times[row] as number) === slice).slice(0, MAX_COMPARED),
  );
}

function bestOf(production: Float32Array, candidate: Float32Array, labels: Float32Array) {
  const label = labels[0] as number;
  const isHit = (row: Float32Array) => {
    const own = row[label] as number;
    // The first of equal outputs counts, as in training; one that is not a number is none.
    return row.every((output, i) => (i < label ? output < own : output <= own));
  };
  return { production: isHit(production), candidate: isHit(candidate) };
}

/** Of several numbers the sum of the squares of their scaled errors decides. */
function nearerOf(production: Float32Array, candidate: Float32Array, targets: Float32Array) {
  const errorOf = (outputs: Float32Array) => {
    const error = targets.reduce((sum, target, i) => sum + ((outputs[i] as number) - target) ** 2, 0);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  };
  const [ours, theirs] = [errorOf(production), errorOf(candidate)];
  return { production: ours < theirs, candidate: theirs < ours };
}
