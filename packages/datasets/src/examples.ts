/** Numbers of a table, as float32 where that loses nothing, else as float64. */
export type Numbers = Float32Array | Float64Array;

/**
 * Examples in stored form, before the model's scaling: one flat block of raw features (bytes 0–255 for pictures, column
 * values for tables; row-major) and one label each (class index, or target value), of tasks with several numbers one for each
 * of them, row-major (`targetSize`).
 */
export interface RawExamples {
  readonly count: number;
  readonly features: Uint8Array | Numbers;
  readonly labels: Numbers;
}

/** The same numbers as float32 where each of them is one, so that they take half the memory; else as they are. */
export function compactNumbers(values: Float64Array): Numbers {
  const single = Float32Array.from(values);
  return values.every((value, at) => Object.is(value, single[at])) ? single : values;
}

/** An array of the same type, of another length. */
export function emptyLike<T extends Uint8Array | Numbers>(values: T, length: number): T {
  return new (values.constructor as new (length: number) => T)(length);
}

/** The examples at `rows`, copied. */
export function selectExamples(examples: RawExamples, rows: ArrayLike<number>): RawExamples {
  const size = examples.count === 0 ? 0 : examples.features.length / examples.count;
  const features = emptyLike(examples.features, rows.length * size);
  const width = examples.count === 0 ? 0 : examples.labels.length / examples.count;
  const labels = emptyLike(examples.labels, rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    features.set(examples.features.subarray(row * size, (row + 1) * size), i * size);
    labels.set(examples.labels.subarray(row * width, (row + 1) * width), i * width);
  }
  return { count: rows.length, features, labels };
}

/** A task's data: examples to distribute to participants, and test data for global models. */
export interface TaskData {
  readonly train: RawExamples;
  readonly test: RawExamples;
}
