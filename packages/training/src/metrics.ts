import type { Loss, Measured, Metrics } from '@coppice/protocol';

/** Sums loss and hits over chunks of outputs, in double precision. */
export class MetricsSum {
  readonly #loss: Loss;
  readonly #width: number;
  readonly #perClass: { hits: number; count: number }[];
  #total = 0;
  #examples = 0;

  /** @param width Numbers in one output row: classes, or 1. */
  constructor(loss: Loss, width: number) {
    this.#loss = loss;
    this.#width = width;
    this.#perClass = Array.from({ length: width }, () => ({ hits: 0, count: 0 }));
  }

  /** @param outputs Rows of logits (classification) or values; `labels[from]` belongs to the first. */
  add(outputs: Float32Array, labels: Float32Array, from: number): void {
    const rows = outputs.length / this.#width;
    for (let i = 0; i < rows; i++) {
      const row = outputs.subarray(i * this.#width, (i + 1) * this.#width);
      const label = labels[from + i] as number;
      if (this.#loss === 'meanSquaredError') {
        this.#total += ((row[0] as number) - label) ** 2;
      } else {
        const best = argmax(row);
        this.#total += crossEntropy(row, row[best] as number, label);
        const own = this.#perClass[label] as { hits: number; count: number };
        own.count++;
        if (best === label) own.hits++;
      }
    }
    this.#examples += rows;
  }

  result(): Measured {
    const counted = this.#loss === 'categoricalCrossentropy';
    return {
      lossSum: this.#total,
      examples: this.#examples,
      hits: counted ? this.#perClass.reduce((sum, { hits }) => sum + hits, 0) : null,
      perClass: counted ? this.#perClass : null,
    };
  }
}

/** The means of sums. A loss that is not finite (of a diverged model) is null: JSON has no NaN. */
export function metricsOf({ lossSum, examples, hits }: Measured): Metrics {
  const loss = examples === 0 ? Number.NaN : lossSum / examples;
  return {
    loss: Number.isFinite(loss) ? loss : null,
    accuracy: hits === null || examples === 0 ? null : hits / examples,
    examples,
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

/** Turns rows of logits into rows of probabilities, in place. */
export function softmaxRows(rows: Float32Array, width: number): void {
  for (let at = 0; at < rows.length; at += width) {
    const row = rows.subarray(at, at + width);
    const largest = row[argmax(row)] as number;
    let sum = 0;
    for (const z of row) sum += Math.exp(z - largest);
    for (let i = 0; i < width; i++) row[i] = Math.exp((row[i] as number) - largest) / sum;
  }
}
