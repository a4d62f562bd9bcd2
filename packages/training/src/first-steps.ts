import { classesOf, inputSize, targetSize } from '@coppice/protocol';
import type { BackendName, Dataset, LocalTraining, ModelDescription, Trainer } from './trainer.ts';

export type MakeTrainer = (
  description: ModelDescription,
  options: { backend: BackendName; seed: number },
) => Promise<Trainer>;

/** A backend's result on a few made-up examples, to compare with the other backends'. */
export interface FirstSteps {
  readonly loss: number;
  /** New weights minus old. */
  readonly update: Float32Array;
}

/** One full batch, and a smaller one. */
const EXAMPLES = 3;
const BATCH = 2;

/** Tolerance for a GPU's coarser exp and log over two steps, with room to spare. */
const LOSS_TOLERANCE = 1e-3;
const UPDATE_TOLERANCE = 2e-2;

/** @param before initial weights, the same for all compared backends. */
export async function firstSteps(
  trainer: Trainer,
  description: ModelDescription,
  before: Float32Array,
): Promise<FirstSteps> {
  trainer.setWeights(before);
  const how = { ...gently, batchSize: BATCH, learningRate: 0.01 };
  const { loss, weights } = await trainer.train(madeUp(description, EXAMPLES), how);
  return { loss, update: weights.map((weight, i) => weight - (before[i] as number)) };
}

/** Checks that two backends' first steps agree up to rounding. */
export function agree(a: FirstSteps, b: FirstSteps): boolean {
  if (!(Math.abs(a.loss - b.loss) <= LOSS_TOLERANCE * Math.max(1, Math.abs(b.loss)))) return false;
  let difference = 0;
  let length = 0;
  for (const [i, value] of b.update.entries()) {
    difference += ((a.update[i] as number) - value) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference) <= UPDATE_TOLERANCE * Math.sqrt(length) + 1e-6;
}

/** The reference: the first steps in plain JavaScript, which are slow for a large model, and correct. */
export async function referenceSteps(
  description: ModelDescription,
  before: Float32Array,
  make: MakeTrainer,
): Promise<FirstSteps> {
  const trainer = await make(description, { backend: 'cpu', seed: 0 });
  try {
    return await firstSteps(trainer, description, before);
  } finally {
    trainer.dispose();
  }
}

/** Checks that a model's loss on one example, which is fast to compute, agrees with plain JavaScript's. */
export async function hasRightLoss(
  trainer: Trainer,
  description: ModelDescription,
  make: MakeTrainer,
): Promise<boolean> {
  const one = madeUp(description, 1);
  const cpu = await make(description, { backend: 'cpu', seed: 0 });
  try {
    cpu.setWeights(await trainer.getWeights());
    const [a, b] = [(await trainer.evaluate(one)).loss, (await cpu.evaluate(one)).loss];
    return a !== null && b !== null && Math.abs(a - b) <= LOSS_TOLERANCE * Math.max(1, Math.abs(b));
  } finally {
    cpu.dispose();
  }
}

/** Settings of plain SGD over one epoch. */
export const gently = {
  epochs: 1,
  optimizer: 'sgd',
  shuffleSeed: 'first',
} as const satisfies Partial<LocalTraining>;

/** Meaningless examples of the right shape, whose numbers all differ. */
export function madeUp({ data }: ModelDescription, count: number): Dataset {
  const classes = classesOf(data)?.length ?? 1;
  const labels = count * targetSize(data);
  return {
    count,
    xs: Float32Array.from(
      { length: count * inputSize(data) },
      (_, i) => ((i * 0.618034) % 1) * ((i % 5) / 4),
    ),
    ys: Float32Array.from({ length: labels }, (_, i) => i % classes),
  };
}
