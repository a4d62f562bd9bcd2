import { seededRandom, uniform } from '@coppice/ports';
import type { Dataset } from '@coppice/training';

/** A participant's examples in two parts. */
export interface Split {
  readonly training: Dataset;
  /** What the global model is measured on; null where nothing is to be kept out of training for it. */
  readonly evaluation: Dataset | null;
}

/**
 * Keeps about `share` of the examples out of training. Which ones follows from the participant and
 * each example's place alone, so that examples added later do not move earlier ones across. Of too few examples to split
 * all serve for both.
 */
export function holdOut(data: Dataset, share: number, participant: string): Split {
  // What a model was trained on says little of how good it is.
  if (share === 0) return { training: data, evaluation: null };
  const random = seededRandom('holdout', participant);
  const training: number[] = [];
  const evaluation: number[] = [];
  for (let i = 0; i < data.count; i++) (uniform(random) < share ? evaluation : training).push(i);
  if (training.length === 0 || evaluation.length === 0) return { training: data, evaluation: data };
  return { training: rows(data, training), evaluation: rows(data, evaluation) };
}

function rows({ xs: all, ys: labels, count }: Dataset, indices: readonly number[]): Dataset {
  const width = all.length / count;
  const length = indices.length * width;
  const xs = all instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  const ys = new Float32Array(indices.length);
  for (const [to, from] of indices.entries()) {
    xs.set(all.subarray(from * width, (from + 1) * width), to * width);
    ys[to] = labels[from] as number;
  }
  return { count: indices.length, xs, ys };
}
