import type { KernelInstance } from '@coppice/kernels';
import { CoppiceError, type Layout, shapeSize } from '@coppice/protocol';
import { apart } from '../apart.ts';
import type { Values } from '../codecs/values.ts';
import { workbench } from '../codecs/workbench.ts';
import { checkNorm, type NormBound } from '../pipeline/norm-bound.ts';
import { finish, STEP_PARAMETERS, type Steps } from '../steps.ts';

/** The largest weight of one vector: its products with float32 values are exact in float64. */
const MAX_WEIGHT = 2 ** 28;

/** The largest |examples × Δ| that can be summed. */
export const MAX_WEIGHTED = 2 ** 33;

/** Bounds on the norms of an update, and the layout that tells trainable tensors from others. */
export interface NormLimit {
  readonly layout: Layout;
  /** Larger updates are refused. */
  readonly bound: NormBound;
  /** Larger updates are scaled down to this norm before they count; left out, they are not scaled. */
  readonly counted?: NormBound;
}

/** The result of inspecting every value of an update. */
export interface Inspection {
  readonly fault: CoppiceError | null;
  /** The smaller of the two factors. */
  readonly factor: number;
  /** The factors that scale the steps and the averages to `counted`, each to its own: above 0, at most 1. */
  readonly factors: NormBound;
  /** L2 norms of the update before scaling; 0 without a limit. */
  readonly norms: NormBound;
}

/** Σ value² of the trainable parameters and of the others, as far as an update was read. */
export interface Squares {
  trainable: number;
  nonTrainable: number;
}

/**
 * Refuses a vector of another length than `parameters`, and a weight that is no whole number from 1 to 2²⁸.
 *
 * @throws CoppiceError `update-shape`, `update-examples`
 */
export function checkShape(length: number, parameters: number, weight: number): void {
  if (length !== parameters) {
    throw new CoppiceError('update-shape', `The update has ${length} parameters, the model ${parameters}.`);
  }
  if (!Number.isInteger(weight) || weight < 1 || weight > MAX_WEIGHT) {
    throw new CoppiceError(
      'update-examples',
      `An update needs a whole number of examples from 1 to ${MAX_WEIGHT}, not ${weight}.`,
    );
  }
}

/**
 * Refuses an update that could not be counted, by what is in it.
 *
 * @throws CoppiceError `update-not-finite`, `update-norm` or `update-out-of-range`.
 */
export function checkValues(values: Values, weight: number, limit?: NormLimit): void {
  const { fault } = finish(inspect(values, weight, limit));
  if (fault !== null) throw fault;
}

/** Inspects an update in slices. Faults have a fixed order of precedence. */
export function* inspect(
  values: Values,
  weight: number,
  limit: NormLimit | undefined,
  maxWeighted: number = MAX_WEIGHTED,
): Steps<Inspection> {
  const { memory, slice } = workbench();
  let largest = 0;
  const squares = { trainable: 0, nonTrainable: 0 };
  for (let from = 0; from < values.parameters; from += slice) {
    if (from > 0 && from % STEP_PARAMETERS === 0) yield;
    const to = Math.min(values.parameters, from + slice);
    const magnitude = readSlice(values, memory, { from, to, at: 0 });
    if (!Number.isFinite(magnitude))
      return { fault: notFinite(memory, from, to), factor: 1, factors: WHOLE, norms: normsOf(squares) };
    largest = Math.max(largest, magnitude);
    if (limit !== undefined) addSquares(squares, memory, limit.layout, from, to);
  }
  const measured = judged(squares, limit);
  if (measured.fault !== null || largest * weight <= maxWeighted) return measured;
  const fault = new CoppiceError(
    'update-out-of-range',
    `The update changes a parameter by ${apart(largest, maxWeighted / weight)} with a weight of ${weight}; at most ${apart(maxWeighted / weight, largest)} can be summed. The training has diverged: a smaller learning rate may help.`,
  );
  return { ...measured, fault, factor: 1, factors: WHOLE };
}

/** Checks the norms of a whole update against its limit. */
export function judged(squares: Squares, limit: NormLimit | undefined): Inspection {
  const norms = normsOf(squares);
  const fault = limit === undefined ? null : checkNorm(squares, limit.bound);
  const factors = fault !== null || limit?.counted === undefined ? WHOLE : factorsFor(squares, limit.counted);
  return { fault, factor: Math.min(factors.trainable, factors.nonTrainable), factors, norms };
}

function normsOf({ trainable, nonTrainable }: Squares): NormBound {
  return { trainable: Math.sqrt(trainable), nonTrainable: Math.sqrt(nonTrainable) };
}

const WHOLE: NormBound = { trainable: 1, nonTrainable: 1 };

function factorsFor(squares: NormBound, counted: NormBound): NormBound {
  const of = (sum: number, most: number) => (sum > most * most ? most / Math.sqrt(sum) : 1);
  return {
    trainable: of(squares.trainable, counted.trainable),
    nonTrainable: of(squares.nonTrainable, counted.nonTrainable),
  };
}

/**
 * Puts values `from` to before `to` at byte `at` of a memory.
 *
 * @returns the largest |value|; infinite or NaN where any is.
 */
export function readSlice(
  values: Values,
  memory: KernelInstance,
  { from, to, at }: { from: number; to: number; at: number },
): number {
  values.read(memory, from, to - from, at);
  asBits[0] = memory.kernels.largestBits(to - from, at);
  return asFloat[0] as number;
}

const asBits = new Int32Array(1);
const asFloat = new Float32Array(asBits.buffer);

function notFinite({ buffer }: KernelInstance, from: number, to: number): CoppiceError {
  const slice = new Float32Array(buffer, 0, to - from);
  const at = slice.findIndex((value) => !Number.isFinite(value));
  return new CoppiceError(
    'update-not-finite',
    `The update holds ${slice[at]} at parameter ${from + at}. The training has diverged: a smaller learning rate may help.`,
  );
}

/** Adds Σ value² over the slice that was read, apart for the trainable parameters and the others. */
export function addSquares(
  squares: Squares,
  { kernels }: KernelInstance,
  layout: Layout,
  from: number,
  to: number,
): void {
  let begin = 0;
  for (const { shape, trainable } of layout) {
    const end = begin + shapeSize(shape);
    const first = Math.max(begin, from);
    const count = Math.min(end, to) - first;
    if (count > 0) {
      squares[trainable ? 'trainable' : 'nonTrainable'] += kernels.sumOfSquares(count, (first - from) * 4);
    }
    begin = end;
  }
}

/** The role that all parameters `from` to before `to` have; `null` where they have both. */
export function roleWithin(layout: Layout, from: number, to: number): keyof Squares | null {
  let begin = 0;
  let role: keyof Squares | null = null;
  for (const { shape, trainable } of layout) {
    const end = begin + shapeSize(shape);
    if (Math.min(end, to) > Math.max(begin, from)) {
      const own = trainable ? 'trainable' : 'nonTrainable';
      if (role !== null && role !== own) return null;
      role = own;
    }
    begin = end;
  }
  return role;
}
