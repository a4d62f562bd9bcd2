import { CoppiceError } from '@coppice/protocol';
import { Slices } from './event-loop.ts';
import { type Pace, Pacer } from './pace.ts';
import { throwIfStopped } from './training-loop.ts';

/** The most examples in a batch of a full gradient, and the most outputs of one layer in it. */
const BATCH_EXAMPLES = 100;
const BATCH_NUMBERS = 500_000;

/**
 * The most examples in a batch: the same on every backend, since batch normalization makes the gradient depend on it.
 *
 * @param widest the largest number of values in one example's input or layer output.
 */
export function largestBatch(widest: number): number {
  return Math.max(1, Math.min(BATCH_EXAMPLES, Math.floor(BATCH_NUMBERS / widest)));
}

/** Splits examples into the fewest batches, of sizes that differ by at most one, the larger first. */
export function batchSizes(count: number, largest: number): number[] {
  const batches = Math.ceil(count / largest);
  return Array.from({ length: batches }, (_, i) => Math.floor((count + batches - 1 - i) / batches));
}

/**
 * Computes the gradients of batches one after another. Yields to the event loop, keeps the pace, and stops on abort.
 *
 * @param take adds the gradient of the mean loss of the examples `from` to `from + rows − 1` to `sum`, weighted by
 *   `rows`.
 * @param size numbers in the layout.
 * @returns The mean over all examples, summed in float64.
 * @throws CoppiceError `training-diverged` where it is not finite; an `AbortError`.
 */
export async function fullGradient(
  { count, largest, size }: { count: number; largest: number; size: number },
  take: (from: number, rows: number, sum: Float64Array) => Promise<void> | void,
  pace: Pace | null,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const sum = new Float64Array(size);
  const slices = new Slices();
  const pacer = new Pacer(pace);
  let from = 0;
  for (const rows of batchSizes(count, largest)) {
    throwIfStopped(signal);
    await take(from, rows, sum);
    from += rows;
    await pacer.rest(rows, signal);
    await slices.rest();
  }
  const mean = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    mean[i] = (sum[i] as number) / count;
    if (!Number.isFinite(mean[i])) throw notFinite();
  }
  return mean;
}

/** Adds `rows` times a part of a batch's gradient to a sum, at `place`. */
export function addWeighted(sum: Float64Array, place: number, part: Float32Array, rows: number): void {
  for (let i = 0; i < part.length; i++) {
    sum[place + i] = (sum[place + i] as number) + rows * (part[i] as number);
  }
}

function notFinite(): CoppiceError {
  return new CoppiceError(
    'training-diverged',
    'The gradient of the loss at the received weights is not finite. Nothing was sent. Extreme values among the examples or a model that has diverged cause this.',
  );
}
