import { builtInTasks } from '@coppice/datasets';
import { type BackendName, createTrainer } from '@coppice/training';

/** One backend's weights after a few steps on made-up examples, and its loss. */
export interface Trained {
  /** New weights minus old. */
  readonly update: number[];
  readonly loss: number;
}

/** Trains a built-in task for one epoch over `examples` examples in batches of `batchSize`. */
async function trained(
  backend: BackendName,
  taskId: string,
  examples: number,
  batchSize: number,
): Promise<Trained> {
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
  const how = { epochs: 2, batchSize, optimizer: 'sgd', learningRate: 0.1, shuffleSeed: 'backends' } as const;
  const before = await trainer.getWeights();
  const { weights, loss } = await trainer.train({ count: examples, xs, ys }, how);
  trainer.dispose();
  return { update: Array.from(weights, (weight, i) => weight - (before[i] as number)), loss };
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

Object.assign(globalThis, { trained, stepTime });
