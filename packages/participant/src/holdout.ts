import { seededRandom, uniform } from '@coppice/ports';
import type { Dataset } from '@coppice/training';

/** A participant's examples, split in two. */
export interface Split {
  readonly training: Dataset;
  /** Held-out examples to evaluate the global model on; null where none are held out. */
  readonly evaluation: Dataset | null;
}

/**
 * Holds about `share` of the examples out of training. The choice depends only on the participant and each example's
 * index, so that adding examples never moves earlier ones across. Where there are too few to split, all serve for both.
 */
export function holdOut(data: Dataset, share: number, participant: string): Split {
  // Without held-out examples there is no evaluation: training examples say little about a model's quality.
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
