import { seededRandom, uniform } from '@coppice/ports';
import type { Dataset } from '@coppice/training';

/** A participant's examples in two parts: to train on, and to measure on. */
export interface Split {
  readonly training: Dataset;
  readonly evaluation: Dataset;
}

/**
 * Keeps about `share` of the examples out of training. Which ones follows from the participant and
 * each example's place alone, so that examples added later do not move earlier ones across. With a
 * share of 0, or too few examples to split, all of them serve for both.
 */
export function holdOut(data: Dataset, share: number, participant: string): Split {
  const random = seededRandom('holdout', participant);
  const training: number[] = [];
  const evaluation: number[] = [];
  for (let i = 0; i < data.count; i++) (uniform(random) < share ? evaluation : training).push(i);
  if (share === 0 || training.length === 0 || evaluation.length === 0)
    return { training: data, evaluation: data };
  return { training: rows(data, training), evaluation: rows(data, evaluation) };
}

function rows(data: Dataset, indices: readonly number[]): Dataset {
  const width = data.xs.length / data.count;
  const xs = data.xs.slice(0, indices.length * width);
  const ys = new Float32Array(indices.length);
  for (const [to, from] of indices.entries()) {
    xs.set(data.xs.subarray(from * width, (from + 1) * width), to * width);
    ys[to] = data.ys[from] as number;
  }
  return { count: indices.length, xs, ys };
}
