import { type Layout, modelSize, shapeSize } from '@coppice/protocol';
import { STEP_PARAMETERS, type Steps } from '../steps.ts';
import type { RoundResult } from '../strategy.ts';

/**
 * Moves the parameters from `from` to before `to`, all of them trained, and leaves the others.
 *
 * @returns Σ step² over them.
 */
export type Move = (to: Float32Array, from: number, end: number) => number;

/**
 * The next weights: trained parameters by a strategy's own rule, running statistics by their plain mean, since they are
 * measurements, not steps. Runs in slices.
 */
export function* moved(
  { model, mean }: Pick<RoundResult, 'model' | 'mean'>,
  move: Move,
): Steps<{ weights: Float32Array; stepNorm: number }> {
  const weights = new Float32Array(model.weights.length);
  let squares = 0;
  for (const { from, end, trainable } of pieces(model.layout)) {
    if (from > 0 && from % STEP_PARAMETERS === 0) yield;
    squares += trainable ? move(weights, from, end) : average(weights, model.weights, mean, from, end);
  }
  return { weights, stepNorm: Math.sqrt(squares) };
}

/** Calls `visit` for each run of trained parameters, in order, a piece of the model at a time. */
export function* eachTrained(layout: Layout, visit: (from: number, end: number) => void): Steps<void> {
  for (const { from, end, trainable } of pieces(layout)) {
    if (from > 0 && from % STEP_PARAMETERS === 0) yield;
    if (trainable) visit(from, end);
  }
}

/** The trained parameters of a vector of the model's length, in order; the vector itself where all are trained. */
export function trainedPart(layout: Layout, values: Float32Array): Float32Array {
  if (layout.every(({ trainable }) => trainable)) return values;
  const part = new Float32Array(modelSize(layout).trainable);
  let at = 0;
  for (const { from, end, trainable } of pieces(layout)) {
    if (!trainable) continue;
    part.set(values.subarray(from, end), at);
    at += end - from;
  }
  return part;
}

/** Runs of parameters that are all trained, or all not, cut where a piece of the model ends. */
function* pieces(layout: Layout): Generator<{ from: number; end: number; trainable: boolean }> {
  let at = 0;
  for (const { shape, trainable } of layout) {
    for (const last = at + shapeSize(shape); at < last; ) {
      const end = Math.min(last, at + STEP_PARAMETERS - (at % STEP_PARAMETERS));
      yield { from: at, end, trainable };
      at = end;
    }
  }
}

function average(
  to: Float32Array,
  before: Float32Array,
  mean: Float64Array,
  from: number,
  end: number,
): number {
  let squares = 0;
  for (let i = from; i < end; i++) {
    const step = mean[i] as number;
    // Not even the sign of a zero changes where nothing moves.
    to[i] = step === 0 ? (before[i] as number) : (before[i] as number) + step;
    squares += step * step;
  }
  return squares;
}
