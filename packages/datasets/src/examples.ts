/**
 * Examples in stored form, before the model's scaling: one flat block of raw features (bytes 0–255 for pictures, column
 * values for tables; row-major) and one label each (class index, or target value).
 */
export interface RawExamples {
  readonly count: number;
  readonly features: Uint8Array | Float32Array;
  readonly labels: Float32Array;
}

/** The examples at `rows`, copied. */
export function selectExamples(examples: RawExamples, rows: ArrayLike<number>): RawExamples {
  const size = examples.count === 0 ? 0 : examples.features.length / examples.count;
  const features =
    examples.features instanceof Uint8Array
      ? new Uint8Array(rows.length * size)
      : new Float32Array(rows.length * size);
  const labels = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    features.set(examples.features.subarray(row * size, (row + 1) * size), i * size);
    labels[i] = examples.labels[row] as number;
  }
  return { count: rows.length, features, labels };
}

/** A task's data: examples to distribute to participants, and test data for global models. */
export interface TaskData {
  readonly train: RawExamples;
  readonly test: RawExamples;
}
