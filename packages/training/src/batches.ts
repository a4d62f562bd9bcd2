import { seededRandom, shuffle } from '@coppice/ports';
import { CoppiceError, type Loss } from '@coppice/protocol';
import type { Dataset, Inputs } from './trainer.ts';

/** The shape of a batch for a model. */
export interface BatchShape {
  readonly inputShape: readonly number[];
  /** Numbers in one output row of the model. */
  readonly outputs: number;
  readonly loss: Loss;
  /** The number that the model takes for each byte of a picture. */
  readonly shades: Float32Array;
  /** A layer that looks every input up among its entries, where there is one. */
  readonly lookup?: Lookup | null;
}

/** An embedding of the model's inputs. */
export interface Lookup {
  readonly layer: string;
  /** Inputs are whole numbers from 0 to below it. */
  readonly entries: number;
}

/** The number of classes that a model tells apart; `null` for one of numbers. */
export function classCount({ outputs, loss }: Pick<BatchShape, 'outputs' | 'loss'>): number | null {
  if (loss === 'binaryCrossentropy') return 2;
  return loss === 'categoricalCrossentropy' ? outputs : null;
}

/** Labels of one example: its class, or as many numbers as the model has outputs. */
export function labelSize(shape: BatchShape): number {
  return classCount(shape) === null ? shape.outputs : 1;
}

/** Numbers in one example. */
export function rowSize(shape: BatchShape): number {
  return shape.inputShape.reduce((size, dimension) => size * dimension, 1);
}

/**
 * @throws CoppiceError `data-invalid` where a dataset disagrees with itself or the model.
 */
export function checkDataset(data: Dataset, shape: BatchShape): void {
  checkInputs(data, shape);
  const labels = data.count * labelSize(shape);
  if (data.ys.length !== labels) {
    throw new CoppiceError(
      'data-invalid',
      `${data.count} examples need ${labels} labels, but there are ${data.ys.length}. Load the examples again.`,
    );
  }
  const classes = classCount(shape);
  if (classes === null) return;
  const wrong = data.ys.findIndex((y) => !Number.isInteger(y) || y < 0 || y >= classes);
  if (wrong !== -1) {
    throw new CoppiceError(
      'data-invalid',
      `Example ${wrong + 1} has the label ${data.ys[wrong]}, but the classes are 0 to ${classes - 1}. Correct or delete it.`,
    );
  }
}

/** What lies outside of its entries a layer reads as nothing, or ends the training without a reason. */
function checkLookup(xs: Inputs, size: number, lookup: Lookup | null): void {
  if (lookup === null || !(xs instanceof Float32Array)) return;
  const wrong = xs.findIndex((x) => !(Math.trunc(x) >= 0 && x < lookup.entries));
  if (wrong === -1) return;
  throw new CoppiceError(
    'data-invalid',
    `Example ${Math.floor(wrong / size) + 1} has the number ${xs[wrong]}, but the model's layer "${lookup.layer}" looks it up among ${lookup.entries} entries, 0 to ${lookup.entries - 1}. Correct or delete it.`,
  );
}

/** @throws CoppiceError `data-invalid` where there are not the inputs of so many examples, or numbers that the model does not look up. */
export function checkInputs({ xs, count }: Pick<Dataset, 'xs' | 'count'>, shape: BatchShape): void {
  const size = rowSize(shape);
  if (xs.length === count * size) {
    checkLookup(xs, size, shape.lookup ?? null);
    return;
  }
  throw new CoppiceError(
    'data-invalid',
    `${count} examples of ${size} numbers need ${count * size} inputs, but there are ${xs.length}. Load the examples again.`,
  );
}

/** The order in which an epoch visits the examples: the same for the same seed, on every machine. */
export function epochOrder(count: number, shuffleSeed: string, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  return shuffle(order, seededRandom(shuffleSeed, epoch));
}

/**
 * Copies the inputs `from` to `to` into `into`, at `at`, as the numbers that a model takes.
 *
 * @param shades the number for each byte.
 */
export function copyInputs(
  xs: Inputs,
  from: number,
  to: number,
  into: Float32Array,
  at: number,
  shades: Float32Array,
): void {
  if (xs instanceof Float32Array) {
    into.set(xs.subarray(from, to), at);
    return;
  }
  for (let i = from, j = at; i < to; i++, j++) into[j] = shades[xs[i] as number] as number;
}
