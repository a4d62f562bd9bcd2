import { backendNames } from './backends.ts';
import { createTrainer } from './create-trainer.ts';
import {
  agree,
  type FirstSteps,
  firstSteps,
  gently,
  type MakeTrainer,
  madeUp,
  referenceSteps,
} from './first-steps.ts';
import type { BackendName, ModelDescription, Trainer } from './trainer.ts';

/** A backend that computes what it should, and how long a step of the model takes on it. */
export interface RankedBackend {
  readonly backend: BackendName;
  readonly millisecondsPerStep: number;
}

/** Steps that are timed, after the ones that are checked, which also compile shaders and grow memory. */
const STEPS = 3;

/** A backend whose first steps took so many times the fastest's is not waited for any longer. */
const HOPELESS = 50;

/** Worth measuring. Plain JavaScript is never far ahead, and minutes behind on a convolution: it is what is left. */
const candidates: readonly BackendName[] = backendNames.filter((name) => name !== 'cpu');

/**
 * Takes a few steps of the model itself on each backend that works here, and ranks them: fastest first. A graphics
 * processor is no promise: a small model is often quicker without, and some browsers only pretend to have one.
 *
 * Nobody is to get wrong numbers: a backend whose first steps are not those of the reference is left out.
 *
 * @returns Without `cpu`, which is the last resort; so maybe none.
 */
export async function rankBackends(
  description: ModelDescription,
  how: { batchSize: number },
  make: MakeTrainer = createTrainer,
): Promise<readonly RankedBackend[]> {
  const reference = await referenceSteps(description, make).catch(() => null);
  if (reference === null) return [];
  const ranked: RankedBackend[] = [];
  let fastestCheck = Number.POSITIVE_INFINITY;
  for (const backend of candidates) {
    // What cannot start, lacks an operation or loses its device is not to be had.
    const trainer = await make(description, { backend, seed: 0 }).catch(() => null);
    if (trainer === null) continue;
    try {
      const began = performance.now();
      // A trainer of another backend than was asked for: it has its own turn.
      if (trainer.backend !== backend || !(await isRight(trainer, description, reference))) continue;
      const check = performance.now() - began;
      fastestCheck = Math.min(fastestCheck, check);
      const hopeless = check > HOPELESS * fastestCheck;
      const millisecondsPerStep = hopeless ? check : await timeStep(trainer, description, how.batchSize);
      ranked.push({ backend, millisecondsPerStep });
    } catch {
      // As above.
    } finally {
      trainer.dispose();
    }
  }
  return ranked.sort((a, b) => a.millisecondsPerStep - b.millisecondsPerStep);
}

async function isRight(
  trainer: Trainer,
  description: ModelDescription,
  reference: FirstSteps,
): Promise<boolean> {
  return agree(await firstSteps(trainer, description), reference);
}

async function timeStep(trainer: Trainer, description: ModelDescription, batchSize: number): Promise<number> {
  // So small a learning rate that no model can diverge.
  const { milliseconds, steps } = await trainer.train(madeUp(description, batchSize * STEPS), {
    ...gently,
    batchSize,
    learningRate: 1e-9,
  });
  return milliseconds / steps;
}
