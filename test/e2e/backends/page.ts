import { builtInTasks } from '@coppice/datasets';
import { type BackendName, createTrainer } from '@coppice/training';

/** One backend's weights after a few steps on made-up examples, and its loss. */
export interface Trained {
  /** New weights minus old. */
  readonly update: number[];
  readonly loss: number;
}

/** Results of one backend that a strategy corrects local training with. */
export interface Corrected {
  /** The gradient over all examples at the initial weights. */
  readonly gradient: number[];
  /** New weights minus old, after a few steps with an objective of all parts. */
  readonly update: number[];
}

/** Prepares a trainer for a built-in task, and made-up examples. */
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
  return { update: Array.from(weights, (weight, i) => weight - (before[i] as number)), loss };
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
  const update = Array.from(weights, (weight, i) => weight - (before[i] as number));
  return { gradient: [...gradient], update };
}

/** Milliseconds for a step of plain SGD on one warm backend; `null` where it is unavailable. */
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

Object.assign(globalThis, { trained, corrected, stepTime });
