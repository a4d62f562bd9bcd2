import {
  addClassified,
  emptyMetricSums,
  type Measured,
  type MetricForm,
  type Metrics,
  metricForm,
  metricValues,
} from '@coppice/protocol';
import { type BatchShape, classCount } from './batches.ts';
import {
  huberLoss,
  type LossSettings,
  lossSettings,
  sigmoid,
  sigmoidCrossEntropyOf,
} from './example-loss.ts';
import type { ModelDescription } from './trainer.ts';

/** What a model is measured by. */
export type MeasuredBy = Omit<ModelDescription, 'topology'>;

/** Sums loss, hits and the measures that a task asks for over chunks of outputs, in double precision. */
export class MetricsSum {
  readonly #loss: LossSettings;
  readonly #form: MetricForm;
  readonly #width: number;
  readonly #perClass: { hits: number; count: number }[] | null;
  readonly #sums: Record<string, Float64Array>;
  #total = 0;
  #examples = 0;

  /** @param shape the model's; its outputs are the numbers in one output row. */
  constructor(by: MeasuredBy, shape: Pick<BatchShape, 'outputs' | 'loss'>) {
    this.#loss = lossSettings(by);
    this.#form = metricForm(by);
    this.#sums = emptyMetricSums(this.#form);
    this.#width = shape.outputs;
    const classes = classCount(shape);
    this.#perClass = classes === null ? null : Array.from({ length: classes }, () => ({ hits: 0, count: 0 }));
  }

  /** @param outputs Rows of logits (classification) or values; the labels of example `from` belong to the first. */
  add(outputs: Float32Array, labels: Float32Array, from: number): void {
    const width = this.#width;
    const rows = outputs.length / width;
    for (let i = 0; i < rows; i++) {
      const row = outputs.subarray(i * width, (i + 1) * width);
      const at = from + i;
      if (this.#perClass === null) this.#addNumbers(row, labels.subarray(at * width, (at + 1) * width));
      else this.#addClass(row, labels[at] as number, this.#perClass);
    }
    this.#examples += rows;
  }

  #addClass(row: Float32Array, label: number, perClass: { hits: number; count: number }[]): void {
    const isBinary = this.#loss.loss === 'binaryCrossentropy';
    const logit = row[0] as number;
    const best = isBinary ? (logit > 0 ? 1 : 0) : argmax(row);
    this.#total += isBinary
      ? sigmoidCrossEntropyOf(logit, label)
      : crossEntropy(row, row[best] as number, label);
    const own = perClass[label] as { hits: number; count: number };
    own.count++;
    if (best === label) own.hits++;
    if (this.#form.metrics.length === 0) return;
    const probabilities = isBinary ? [1 - sigmoid(logit), sigmoid(logit)] : softmaxOf(row);
    addClassified(this.#sums, this.#form, probabilities, label, best);
  }

  #addNumbers(row: Float32Array, targets: Float32Array): void {
    const { loss, huberDelta } = this.#loss;
    const { absolute, squared, targets: sums, 'target-squares': squares } = this.#sums;
    let total = 0;
    for (const [i, target] of targets.entries()) {
      const error = (row[i] as number) - target;
      total += loss === 'huber' ? huberLoss(error, huberDelta) : error ** 2;
      if (absolute === undefined || squared === undefined || sums === undefined || squares === undefined)
        continue;
      absolute[i] = (absolute[i] as number) + Math.abs(error);
      squared[i] = (squared[i] as number) + error ** 2;
      sums[i] = (sums[i] as number) + target;
      squares[i] = (squares[i] as number) + target ** 2;
    }
    this.#total += total / this.#width;
  }

  result(): Measured {
    const perClass = this.#perClass;
    const counted = this.#sums['error-examples'];
    if (counted !== undefined) counted[0] = this.#examples;
    return {
      lossSum: this.#total,
      examples: this.#examples,
      hits: perClass === null ? null : perClass.reduce((sum, { hits }) => sum + hits, 0),
      perClass,
      ...(this.#form.metrics.length === 0 ? {} : { sums: this.#sums }),
    };
  }
}

/**
 * The means of sums, and the measures that a task asks for. A number that is not finite (of a diverged model) is null: JSON
 * has no NaN.
 */
export function metricsOf({ lossSum, examples, hits, perClass, sums }: Measured, by: MeasuredBy): Metrics {
  const loss = examples === 0 ? Number.NaN : lossSum / examples;
  const counts = perClass && {
    examples: perClass.map(({ count }) => count),
    hits: perClass.map((one) => one.hits),
  };
  return {
    loss: Number.isFinite(loss) ? loss : null,
    accuracy: hits === null || examples === 0 ? null : hits / examples,
    examples,
    ...(sums === undefined ? {} : metricValues(metricForm(by), sums, counts)),
  };
}

/** −log softmax(z)[label], with the largest logit subtracted so that nothing overflows. */
function crossEntropy(logits: Float32Array, largest: number, label: number): number {
  let sum = 0;
  for (const z of logits) sum += Math.exp(z - largest);
  return Math.log(sum) - ((logits[label] as number) - largest);
}

function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] as number) > (row[best] as number)) best = i;
  return best;
}

/** The softmax of one row of logits. */
function softmaxOf(row: Float32Array): Float32Array {
  const probabilities = row.slice();
  softmaxRows(probabilities, row.length);
  return probabilities;
}

/**
 * Rows of the model's outputs, with the last activation where it was left to the loss: probabilities of all classes, or
 * values. Of one logit a row, the probabilities of both classes.
 */
export function predictionRows(
  rows: Float32Array,
  shape: Pick<BatchShape, 'outputs' | 'loss'>,
): Float32Array {
  if (shape.loss === 'categoricalCrossentropy') softmaxRows(rows, shape.outputs);
  if (shape.loss !== 'binaryCrossentropy') return rows;
  const both = new Float32Array(2 * rows.length);
  for (const [i, logit] of rows.entries()) {
    both[2 * i] = sigmoid(-logit);
    both[2 * i + 1] = sigmoid(logit);
  }
  return both;
}

/** Turns rows of logits into rows of probabilities, in place. */
function softmaxRows(rows: Float32Array, width: number): void {
  for (let at = 0; at < rows.length; at += width) {
    const row = rows.subarray(at, at + width);
    const largest = row[argmax(row)] as number;
    let sum = 0;
    for (const z of row) sum += Math.exp(z - largest);
    for (let i = 0; i < width; i++) row[i] = Math.exp((row[i] as number) - largest) / sum;
  }
}
