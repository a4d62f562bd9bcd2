import { CoppiceError } from '@coppice/protocol';
import { epochOrder } from './batches.ts';
import { Slices } from './event-loop.ts';
import { type Pace, Pacer } from './pace.ts';
import type { Dataset, LocalTraining, TrainOptions } from './trainer.ts';

/** Milliseconds between two progress reports. A report waits for the device. */
const REPORT_EVERY = 100;

/** The operations in which trainers differ; order, pace, reports and ends are common to all. */
export interface Steps {
  /** Called before the first batch of each epoch. */
  begin(epoch: number): void;
  /** Takes one step on the examples `order[from]` to `order[from + rows − 1]`. */
  step(order: Uint32Array, from: number, rows: number): void;
  /** Loss over the epoch so far, once the device has finished all submitted work. */
  loss(): Promise<LossSum> | LossSum;
}

/** A loss summed over `examples` examples, at least one. */
export interface LossSum {
  readonly lossSum: number;
  readonly examples: number;
}

/**
 * Takes the steps of a local training: every epoch in an order of its own, including the last, smaller batch. Yields to
 * the event loop, keeps the pace, and stops on abort.
 *
 * @returns Loss over the last epoch's examples.
 * @throws CoppiceError `training-diverged`; an `AbortError`.
 */
export async function takeSteps(
  data: Dataset,
  how: LocalTraining,
  steps: Steps,
  pace: Pace | null,
  { onProgress, signal }: TrainOptions,
): Promise<LossSum> {
  const perEpoch = stepsPerEpoch(data, how);
  const slices = new Slices();
  const pacer = new Pacer(pace);
  let unpaced = 0;
  let reported = performance.now();
  let epochLoss: LossSum = { lossSum: 0, examples: 0 };
  for (let epoch = 0; epoch < how.epochs; epoch++) {
    const order = epochOrder(data.count, how.shuffleSeed, epoch);
    steps.begin(epoch);
    for (let step = 0; step < perEpoch; step++) {
      throwIfStopped(signal);
      const from = step * how.batchSize;
      const rows = Math.min(how.batchSize, data.count - from);
      steps.step(order, from, rows);
      unpaced += rows;
      const report = step === perEpoch - 1 || performance.now() - reported >= REPORT_EVERY;
      if (report || pacer.slowed) {
        // Reading waits until the device has done all of its work.
        epochLoss = await steps.loss();
        const loss = epochLoss.lossSum / epochLoss.examples;
        if (!Number.isFinite(loss)) throw diverged();
        if (report) {
          reported = performance.now();
          onProgress?.({ epoch: epoch + 1, epochs: how.epochs, step: step + 1, steps: perEpoch, loss });
        }
        await pacer.rest(unpaced, signal);
        unpaced = 0;
      }
      if (slices.due) await slices.rest();
    }
  }
  return epochLoss;
}

export function stepsPerEpoch(data: Dataset, how: LocalTraining): number {
  return Math.ceil(data.count / how.batchSize);
}

/** @throws An `AbortError` when `signal` was aborted. */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DOMException('Training was stopped.', 'AbortError');
}

/** @throws CoppiceError `data-empty` */
export function checkNotEmpty(data: Dataset): void {
  if (data.count > 0) return;
  throw new CoppiceError('data-empty', 'There are no examples to train on. Add some first.');
}

/** @throws CoppiceError `training-diverged` where a weight is not a finite number. */
export function checkFinite(weights: Float32Array): void {
  // A plain loop: millions of weights, after every round.
  for (let i = 0; i < weights.length; i++) if (!Number.isFinite(weights[i])) throw diverged();
}

/** The error of a diverged training. */
export function diverged(): CoppiceError {
  return new CoppiceError(
    'training-diverged',
    'Training went astray: the loss is no longer a finite number. Nothing was sent. A smaller learning rate usually cures it.',
  );
}
