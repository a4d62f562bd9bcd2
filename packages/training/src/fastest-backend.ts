import { classesOf, exampleSize } from '@coppice/protocol';
import { createTrainer } from './create-trainer.ts';
import type { BackendName, Dataset, LocalTraining, ModelDescription } from './trainer.ts';

/** Steps that are timed, after as many that are not: the first ones compile shaders and grow memory. */
const STEPS = 3;

/** Worth measuring. Plain JavaScript is never far ahead, and minutes behind on a convolution. */
const candidates: readonly BackendName[] = ['webgl', 'wasm'];

/**
 * Trains a few steps of the model itself on each backend that works here, and names the fastest.
 * A graphics processor is no promise: a small model is often quicker without, and some browsers only
 * pretend to have one.
 */
export async function fastestBackend(
  description: ModelDescription,
  how: { batchSize: number },
): Promise<{ backend: BackendName; millisecondsPerStep: number | null }> {
  let best: { backend: BackendName; millisecondsPerStep: number | null } = {
    backend: 'cpu',
    millisecondsPerStep: null,
  };
  for (const backend of candidates) {
    const milliseconds = await timeStep(description, backend, how.batchSize).catch(() => null);
    if (milliseconds !== null && milliseconds < (best.millisecondsPerStep ?? Number.POSITIVE_INFINITY)) {
      best = { backend, millisecondsPerStep: milliseconds };
    }
  }
  return best;
}

async function timeStep(
  description: ModelDescription,
  backend: BackendName,
  batchSize: number,
): Promise<number> {
  const trainer = await createTrainer(description, { backend, seed: 0 });
  try {
    const count = batchSize * STEPS;
    const xs = Float32Array.from({ length: count * exampleSize(description.data) }, (_, i) => (i % 7) / 7);
    const classes = classesOf(description.data)?.length ?? 1;
    const data: Dataset = { count, xs, ys: Float32Array.from({ length: count }, (_, i) => i % classes) };
    // So small a learning rate that no model can diverge.
    const how: LocalTraining = {
      epochs: 1,
      batchSize,
      optimizer: 'sgd',
      learningRate: 1e-9,
      shuffleSeed: 'speed',
    };
    await trainer.train(data, how);
    const { milliseconds, steps } = await trainer.train(data, how);
    return milliseconds / steps;
  } finally {
    trainer.dispose();
  }
}
