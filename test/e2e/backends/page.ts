import { builtInTasks } from '@coppice/datasets';
import { type BackendName, createTrainer } from '@coppice/training';

/** A backend's weights after a few steps on made-up examples, and its loss. */
interface Trained {
  /** New weights minus old. */
  readonly update: Float32Array;
  readonly loss: number;
}

/** Results of one backend by which a strategy corrects local training. */
interface Corrected {
  /** The gradient over all examples at the first weights. */
  readonly gradient: Float32Array;
  /** New weights minus old, after a few steps with an objective of all parts. */
  readonly update: Float32Array;
}

/** How far a backend is from plain JavaScript; of vectors, relative to their length. */
export type Apart<Result> = { readonly [Part in keyof Result]: number };
export type TrainedApart = Apart<Trained>;
export type CorrectedApart = Apart<Corrected>;

/** A trainer for a built-in task, and made-up examples. */
async function prepared(backend: BackendName, taskId: string, examples: number) {
  const task = builtInTasks.find(({ id }) => id === taskId);
  if (task === undefined) throw new Error(`no task ${taskId}`);
  const trainer = await createTrainer(
    { topology: task.model, data: task.data, loss: task.loss },
    { backend, seed: 3 },
  );
  const size = task.data.kind === 'image' ? 784 : task.data.features.length;
  const classes = task.loss === 'categoricalCrossentropy' ? (task.data.kind === 'image' ? 10 : 3) : null;
  let state = 1;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const xs = Float32Array.from({ length: examples * size }, () => next() - 0.3);
  const ys = Float32Array.from({ length: examples }, () =>
    classes === null ? next() * 3 : Math.floor(next() * classes),
  );
  return { trainer, data: { count: examples, xs, ys }, before: await trainer.getWeights() };
}

const how = { epochs: 2, optimizer: 'sgd', learningRate: 0.1, shuffleSeed: 'backends' } as const;

/** Trains a built-in task for two epochs over `examples` examples in batches of `batchSize`. */
async function trained(
  backend: BackendName,
  taskId: string,
  examples: number,
  batchSize: number,
): Promise<Trained> {
  const { trainer, data, before } = await prepared(backend, taskId, examples);
  const { weights, loss } = await trainer.train(data, { ...how, batchSize });
  trainer.dispose();
  return { update: weights.map((weight, i) => weight - (before[i] as number)), loss };
}

/** Computes the gradient of the same task, then trains it with every part of an objective. */
async function corrected(
  backend: BackendName,
  taskId: string,
  examples: number,
  batchSize: number,
): Promise<Corrected> {
  const { trainer, data, before } = await prepared(backend, taskId, examples);
  const gradient = await trainer.gradient(data);
  const vector = before.map((_, i) => 0.5 + 0.3 * Math.sin(i));
  const objective = { scale: vector, pull: 0.4, anchor: vector, offset: vector };
  const { weights } = await trainer.train(data, { ...how, batchSize }, { objective });
  trainer.dispose();
  const update = weights.map((weight, i) => weight - (before[i] as number));
  return { gradient, update };
}

/** Milliseconds a step of plain SGD takes on one backend, once it is warm; `null` where it cannot be had. */
async function stepTime(backend: BackendName, taskId: string, steps: number): Promise<number | null> {
  const task = builtInTasks.find(({ id }) => id === taskId);
  if (task === undefined) throw new Error(`no task ${taskId}`);
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const trainer = await createTrainer(description, { backend, seed: 1 }).catch(() => null);
  if (trainer === null) return null;
  const count = steps * 10;
  const xs = Float32Array.from({ length: count * 784 }, (_, i) => Math.abs(Math.sin(i * 1.7)));
  const data = { count, xs, ys: Float32Array.from({ length: count }, (_, i) => i % 10) };
  const how = {
    epochs: 1,
    batchSize: 10,
    optimizer: 'sgd',
    learningRate: 0.01,
    shuffleSeed: 'time',
  } as const;
  await trainer.train(data, how);
  const { milliseconds } = await trainer.train(data, how);
  trainer.dispose();
  return milliseconds / steps;
}

type Case = readonly [task: string, examples: number, batchSize: number];

/** Keeps what plain JavaScript makes of each case: it is the same for every backend, and slow. */
function withOracle<Result>(compute: (backend: BackendName, ...of: Case) => Promise<Result>) {
  const known = new Map<string, Promise<Result>>();
  return async (backend: BackendName, ...of: Case): Promise<{ actual: Result; expected: Result }> => {
    const key = of.join(' ');
    const oracle = known.get(key) ?? compute('cpu', ...of);
    known.set(key, oracle);
    return { expected: await oracle, actual: await compute(backend, ...of) };
  };
}

/** The distance between two vectors, relative to the length of the second. */
function distance(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let length = 0;
  for (const [i, value] of expected.entries()) {
    difference += (value - (actual[i] ?? Number.NaN)) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference / length);
}

const bothTrained = withOracle(trained);
const bothCorrected = withOracle(corrected);

// The distances are taken here: a model of a million numbers takes a test longer to fetch than to train.
async function trainedApart(backend: BackendName, ...of: Case): Promise<TrainedApart> {
  const { actual, expected } = await bothTrained(backend, ...of);
  return {
    update: distance(actual.update, expected.update),
    loss: Math.abs(actual.loss - expected.loss),
  };
}

async function correctedApart(backend: BackendName, ...of: Case): Promise<CorrectedApart> {
  const { actual, expected } = await bothCorrected(backend, ...of);
  return {
    gradient: distance(actual.gradient, expected.gradient),
    update: distance(actual.update, expected.update),
  };
}

Object.assign(globalThis, { trainedApart, correctedApart, stepTime });
