import {
  ExactSum,
  encodeMeasures,
  finish,
  type GlobalModel,
  localTraining,
  type Measures,
  MODEL_GROUP,
  measuresOf,
  modelGroup,
  pipelineOf,
  type RoundResult,
  RowsSum,
  rowsInMemory,
  type Strategy,
  type StrategyState,
  type Sum,
  trainMeasures,
} from '@coppice/federation';
import {
  type ContributionLayout,
  CoppiceError,
  contributionBytes,
  contributionHash,
  contributionSize,
  decodeFrame,
  encodeFrame,
  float32Payload,
  type Layout,
  type LocalTraining,
  sectionsOf,
} from '@coppice/protocol';
import { type Case, type Json, member, requireNumber, Unsupported } from '../case.ts';
import { flatten32 } from '../tensors.ts';

/** One participant's trained weights, as a case gives them. */
export interface Client {
  readonly layout: Layout;
  readonly weights: Float32Array;
  readonly weight: number;
}

/** Placeholder for settings of local training, where the case trains by itself. */
export const ANY_TRAINING: LocalTraining = {
  epochs: 1,
  batchSize: 1,
  optimizer: 'sgd',
  learningRate: 1,
  shuffleSeed: '',
};

const PLAIN_PLAN = { clipNorm: null, uploadCodec: 'float32' } as const;
const NO_MEASURES: Measures = new Map([
  ['train/examples', Float64Array.of(0)],
  ['train/loss', Float64Array.of(0)],
  ['train/loss-examples', Float64Array.of(0)],
]);

/** A participant's new weights as the common participant half sends them: the change of the model. */
export async function changeOf(
  model: Float32Array,
  client: Pick<Client, 'layout' | 'weights'>,
): Promise<Float32Array> {
  const { vectors } = await localTraining.answer(
    { weights: model, how: ANY_TRAINING, proximal: 0, given: {}, carry: () => null, kept: null },
    {
      layout: client.layout,
      train: async () => ({ weights: client.weights, steps: 1, lossSum: 0, examples: 1 }),
      gradient: () => Promise.reject(new Error('not asked for')),
      measure: () => Promise.reject(new Error('not asked for')),
    },
  );
  return vectors.get(MODEL_GROUP) as Float32Array;
}

/** The layout of a model's contributions. */
export function layoutOf(model: Layout): ContributionLayout {
  return [
    ...modelGroup(model, { bound: null }),
    ...trainMeasures({ classes: null, heldOut: false, maxExamples: 2 ** 20 }),
  ];
}

/** A contribution's frame. An honest device refuses to encode numbers that are not finite; this one does not. */
function frameOf(layout: ContributionLayout, change: Float32Array): Uint8Array {
  const sections = sectionsOf(layout);
  const measures = encodeMeasures(measuresOf(layout), NO_MEASURES);
  let payload: Uint8Array;
  try {
    payload = pipelineOf(PLAIN_PLAN).onParticipant(new Map([[MODEL_GROUP, change]]), measures, new Map(), {
      sections,
      round: 1,
      seed: 1,
    }).payload;
  } catch (thrown) {
    if (!(thrown instanceof CoppiceError) || thrown.code !== 'training-diverged') throw thrown;
    payload = float32Payload(Float32Array.of(...change, ...measures));
  }
  return encodeFrame({
    kind: 'contribution',
    codec: 'float32',
    layoutHash: contributionHash(layout),
    parameters: contributionSize(layout),
    payload,
  });
}

/** The result of a strategy's round: the model and the state after it, and the refused contributions. */
export interface Round {
  readonly weights: Float32Array;
  readonly state: StrategyState;
  readonly refused: readonly { readonly client: number; readonly error: CoppiceError }[];
}

/**
 * Plays a round: participants' halves, contributions as frames, the sum, the server's half.
 *
 * @throws CoppiceError `quorum-lost` where no contribution counts.
 */
export async function playRound(
  strategy: Strategy,
  { model, state, round }: { model: GlobalModel; state: StrategyState; round: number },
  clients: readonly Client[],
): Promise<Round> {
  const layout = layoutOf(model.layout);
  const sections = sectionsOf(layout);
  const sum: Sum = strategy.needs === 'rows' ? new RowsSum(sections) : new ExactSum(sections);
  const pipeline = pipelineOf(PLAIN_PLAN);
  const expected = {
    kind: 'contribution',
    codec: 'float32',
    layoutHash: contributionHash(layout),
    parameters: contributionSize(layout),
    bytes: () => contributionBytes('float32', sections),
  } as const;
  const rows: { values: Float32Array; weight: number }[] = [];
  const refused: { client: number; error: CoppiceError }[] = [];
  for (const [i, client] of clients.entries()) {
    const sameSize = client.weights.length === model.weights.length;
    const change = sameSize ? await changeOf(model.weights, client) : client.weights;
    try {
      const { payload } = decodeFrame(frameOf(layoutOf(client.layout), change), expected);
      finish(sum.add(finish(pipeline.onContribution(payload, sections)), client.weight, new Map()));
      rows.push({ values: change, weight: client.weight });
    } catch (thrown) {
      if (!(thrown instanceof CoppiceError)) throw thrown;
      refused.push({ client: i, error: thrown });
    }
  }
  if (sum.count === 0) throw refused[0]?.error ?? new CoppiceError('quorum-lost', 'No contribution came.');
  const aggregate = finish(sum.aggregate());
  const result: RoundResult = {
    ...aggregate,
    round,
    model,
    mean:
      strategy.server.combine === undefined
        ? (aggregate.means.get(MODEL_GROUP) as Float64Array)
        : await strategy.server.combine(rowsInMemory(rows), () => Promise.resolve()),
    joined: clients.length,
  };
  const { weights, state: next } = finish(strategy.server.apply(state, result));
  return { weights, state: next, refused };
}

/** Names of a client's tensors in the files. */
const TENSORS = ['arrays', 'tensors', 'weights', 'parameters', 'update', 'delta'];

/** Reads clients from a list or a map of `{ arrays, num_examples }`, or of bare tensors. */
export function clientsOf(clients: Json | undefined, weighted: (client: Json) => number): Client[] {
  if (typeof clients !== 'object' || clients === null) throw new Error('the case gives no clients');
  return Object.values(clients).map((client) => {
    const tensors = member(client, ...TENSORS) ?? client;
    const { layout, weights } = flatten32(tensors as Json);
    return { layout, weights, weight: weighted(client as Json) };
  });
}

/** The number of examples of a client; 1 where the case gives none. */
export function examplesOf(client: Json): number {
  return requireNumber(member(client, 'num_examples', 'examples', 'weight') ?? 1, 'num_examples');
}

/** The clients with examples: a device without any declines. */
export function contributing(clients: readonly Client[]): Client[] {
  return inWholeNumbers(clients.filter(({ weight }) => weight !== 0));
}

/**
 * An equivalent weighting by whole numbers, since the product weighs by example counts. @throws Unsupported where there
 * is none.
 */
function inWholeNumbers(clients: readonly Client[]): Client[] {
  for (let scale = 1; scale <= 1e6; scale *= 10) {
    const isWhole = clients.every(({ weight }) => {
      const scaled = weight * scale;
      return !Number.isFinite(weight) || Math.abs(scaled - Math.round(scaled)) < 1e-9 * Math.max(1, scaled);
    });
    if (isWhole)
      return clients.map((client) => ({
        ...client,
        weight: scale === 1 ? client.weight : Math.round(client.weight * scale),
      }));
  }
  throw new Unsupported('weights are counts of examples, and no whole numbers stand in these proportions');
}

/** The model of a case, or one of zeros in the clients' layout. */
export function modelOf(
  { inputs }: Case,
  clients: readonly Client[],
): GlobalModel & { restore(weights: ArrayLike<number>): Json } {
  const current = member(inputs, 'current', 'initial', 'model', 'server_params');
  if (current !== undefined) {
    const { layout, weights, restore } = flatten32(current);
    return { layout, weights, restore };
  }
  const [client] = clients;
  if (client === undefined) throw new CoppiceError('quorum-lost', 'No contribution came.');
  const list = member(inputs, 'clients', 'trees') as Json;
  const first = Object.values(list as object)[0] as Json;
  const { restore } = flatten32((member(first, ...TENSORS) ?? first) as Json);
  return { layout: client.layout, weights: new Float32Array(client.weights.length), restore };
}
