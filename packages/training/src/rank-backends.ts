import { backendNames } from './backend-names.ts';
import { createTrainer } from './create-trainer.ts';
import { isEmulated } from './emulated.ts';
import {
  agree,
  type FirstSteps,
  firstSteps,
  gently,
  hasRightLoss,
  type MakeTrainer,
  madeUp,
  referenceSteps,
} from './first-steps.ts';
import { loaded } from './loaded.ts';
import type { BackendName, ModelDescription, Trainer } from './trainer.ts';

/** A backend that computes correctly, with its time for a step of the model. */
export interface RankedBackend {
  readonly backend: BackendName;
  readonly millisecondsPerStep: number;
}

/** Timed steps, after the checked ones, which also compile shaders and grow memory. */
const STEPS = 3;

/** Ratio to the fastest backend's first steps beyond which a backend is given up. */
const HOPELESS = 50;

/**
 * Backends worth measuring, those on the processor first. Plain JavaScript is never far ahead, and minutes behind on a
 * convolution: it is the last resort.
 */
const candidates: readonly BackendName[] = [
  ...backendNames.filter((name) => name === 'planned' || name === 'wasm'),
  ...backendNames.filter((name) => name === 'webgpu' || name === 'webgl'),
];

/** A started backend, with its first steps. */
interface Tried {
  readonly backend: BackendName;
  readonly trainer: Trainer;
  readonly steps: FirstSteps;
  readonly milliseconds: number;
}

/**
 * Takes a few steps of the model itself on each backend that works here, and ranks them: fastest first. A graphics
 * processor is no guarantee: a small model is often faster without, and some browsers only emulate one.
 *
 * Backends with wrong results are left out: those whose first steps differ from the others', or, where they disagree,
 * from plain JavaScript's. A graphics processor that the browser only emulates is left out as well, where the processor
 * itself has a backend.
 *
 * @returns Without `cpu`, which is the last resort; so possibly none.
 */
export async function rankBackends(
  description: ModelDescription,
  how: { batchSize: number },
  make: MakeTrainer = createTrainer,
  emulated: (backend: BackendName) => Promise<boolean> = isEmulated,
): Promise<readonly RankedBackend[]> {
  // A model that cannot be built cannot be trained by any backend.
  const weights = await drawn(description);
  if (weights === null) return [];
  const tried: Tried[] = [];
  try {
    for (const backend of candidates) {
      if (tried.length > 0 && (await emulated(backend).catch(() => false))) continue;
      const one = await tryOut(description, backend, weights, make);
      if (one !== null) tried.push(one);
    }
    const right = await rightOnes(tried, description, weights, make);
    const fastest = Math.min(...right.map(({ milliseconds }) => milliseconds));
    const ranked: RankedBackend[] = [];
    for (const { backend, trainer, milliseconds } of right) {
      const hopeless = milliseconds > HOPELESS * fastest;
      const step = hopeless
        ? milliseconds
        : await timeStep(trainer, description, how.batchSize).catch(() => null);
      if (step !== null) ranked.push({ backend, millisecondsPerStep: step });
    }
    return ranked.sort((a, b) => a.millisecondsPerStep - b.millisecondsPerStep);
  } finally {
    for (const { trainer } of tried) trainer.dispose();
  }
}

async function drawn(description: ModelDescription): Promise<Float32Array | null> {
  try {
    const { trialWeights } = await loaded(import('./describe-model.ts'));
    return await trialWeights(description);
  } catch {
    return null;
  }
}

/** Returns null for a backend that cannot start, lacks an operation or loses its device. */
async function tryOut(
  description: ModelDescription,
  backend: BackendName,
  weights: Float32Array,
  make: MakeTrainer,
): Promise<Tried | null> {
  const trainer = await make(description, { backend, seed: 0 }).catch(() => null);
  if (trainer === null) return null;
  try {
    // A trainer of another backend than was asked for has its own turn.
    if (trainer.backend === backend) {
      const began = performance.now();
      const steps = await firstSteps(trainer, description, weights);
      return { backend, trainer, steps, milliseconds: performance.now() - began };
    }
  } catch {
    // As above.
  }
  trainer.dispose();
  return null;
}

/**
 * Returns all backends where they agree, and in their loss with plain JavaScript, too; otherwise those whose first
 * steps are plain JavaScript's.
 */
async function rightOnes(
  tried: readonly Tried[],
  description: ModelDescription,
  weights: Float32Array,
  make: MakeTrainer,
): Promise<readonly Tried[]> {
  const [first] = tried;
  if (first === undefined) return [];
  try {
    const united = tried.every(({ steps }) => agree(steps, first.steps));
    if (united && (await hasRightLoss(first.trainer, description, make))) return tried;
    const reference = await referenceSteps(description, weights, make);
    return tried.filter(({ steps }) => agree(steps, reference));
  } catch {
    return [];
  }
}

async function timeStep(trainer: Trainer, description: ModelDescription, batchSize: number): Promise<number> {
  // Its learning rate is too small for any model to diverge.
  const { milliseconds, steps } = await trainer.train(madeUp(description, batchSize * STEPS), {
    ...gently,
    batchSize,
    learningRate: 1e-9,
  });
  return milliseconds / steps;
}
