import { type CategoryFeature, classFinder } from '@coppice/protocol';

/** Finds the stored index of a value of a column of categories: `values.length` for any value that is not listed. */
export function categoryFinder({ values }: CategoryFeature): (cell: string) => number {
  const find = classFinder(values);
  return (cell) => find(cell) ?? values.length;
}

/**
 * The text that a stored index of a column stands for in files. Any other value is `other`, in as many brackets as it
 * takes to be none of the values.
 */
export function categoryNames(feature: CategoryFeature): (index: number) => string {
  const { values } = feature;
  const find = categoryFinder(feature);
  let other = 'other';
  while (find(other) < values.length) other = `(${other})`;
  return (index) => values[index] ?? other;
}
