import { CoppiceError, type DataSchema } from '@coppice/protocol';

/**
 * Checks that columns of categories hold indices: of a value, or the number of values for any other.
 *
 * @param features Stored values of whole examples.
 * @throws CoppiceError `data-invalid`, naming the first wrong column and its example.
 */
export function checkCategories(features: ArrayLike<number>, schema: DataSchema): void {
  if (schema.kind !== 'table') return;
  const width = schema.features.length;
  for (const [column, feature] of schema.features.entries()) {
    if (feature.kind !== 'category') continue;
    const other = feature.values.length;
    for (let at = column; at < features.length; at += width) {
      const value = features[at] as number;
      if (Number.isInteger(value) && value >= 0 && value <= other) continue;
      throw new CoppiceError(
        'data-invalid',
        `Example ${Math.floor(at / width) + 1} has ${value} in the column "${feature.name}"; its categories are 0 to ${other}.`,
      );
    }
  }
}
