/** Examples that decide the direction, and turns of the power iteration: enough to order examples by it. */
const SAMPLE = 2000;
const TURNS = 30;

/**
 * The place of each example along the direction in which the examples vary most: their first principal component, each
 * feature centred and brought to a standard deviation of 1; features that do not vary are left out.
 *
 * @param features row-major, `size` numbers an example.
 */
export function mainDirection(features: ArrayLike<number>, size: number): Float64Array {
  const count = features.length / size;
  const step = Math.max(1, Math.floor(count / SAMPLE));
  const rows = Array.from({ length: Math.ceil(count / step) }, (_, at) => at * step);
  const means = new Float64Array(size);
  const inverse = new Float64Array(size);
  for (let column = 0; column < size; column++) {
    const values = rows.map((row) => features[row * size + column] as number);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    means[column] = mean;
    inverse[column] = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  }
  const along = (row: number, direction: Float64Array): number => {
    let sum = 0;
    for (let column = 0; column < size; column++) {
      const value =
        ((features[row * size + column] as number) - (means[column] as number)) * (inverse[column] as number);
      sum += value * (direction[column] as number);
    }
    return sum;
  };
  // The start has a part in every direction, unequal, so that it is at a right angle to none that data is likely to have.
  let direction = Float64Array.from({ length: size }, (_, column) => 1 + 1 / (column + 2));
  for (let turn = 0; turn < TURNS; turn++) {
    const next = new Float64Array(size);
    for (const row of rows) {
      const place = along(row, direction);
      for (let column = 0; column < size; column++) {
        const value =
          ((features[row * size + column] as number) - (means[column] as number)) *
          (inverse[column] as number);
        next[column] = (next[column] as number) + place * value;
      }
    }
    const length = Math.hypot(...next);
    if (!(length > 0)) break;
    direction = next.map((value) => value / length);
  }
  return Float64Array.from({ length: count }, (_, row) => along(row, direction));
}
