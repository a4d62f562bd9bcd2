import { seededRandom, shuffle } from '@coppice/ports';
import type { RawExamples } from '../examples.ts';

/**
 * Exchanges the labels of classes by a permutation that leaves no class as it is: one cycle through all classes, in an
 * order that the seed gives. Features stay the same arrays.
 *
 * @param classes the number of classes, at least 2. Labels are their indices.
 */
export function permuteLabels(
  { count, features, labels }: RawExamples,
  classes: number,
  seed: number | string,
): RawExamples {
  const cycle = shuffle(
    Array.from({ length: classes }, (_, index) => index),
    seededRandom(seed, 'permuted-labels'),
  );
  const next = new Map(cycle.map((label, at) => [label, cycle[(at + 1) % classes] as number]));
  return { count, features, labels: labels.map((label) => next.get(label) as number) };
}
