import { CoppiceError, type DataSchema, exampleSize } from '@coppice/protocol';
import type { RawExamples } from './examples.ts';

/** Normalised examples; the same shape as training's `Dataset`. */
export interface NormalisedExamples {
  readonly count: number;
  readonly xs: Float32Array;
  readonly ys: Float32Array;
}

/**
 * Scales raw examples as the schema says: pixels to 0–1, columns to (value − mean) / scale. Labels stay unchanged.
 *
 * @throws CoppiceError `data-invalid` where the sizes disagree with the schema.
 */
export function normalise(raw: RawExamples, schema: DataSchema): NormalisedExamples {
  const size = exampleSize(schema);
  if (raw.features.length !== raw.count * size || raw.labels.length !== raw.count) {
    throw new CoppiceError(
      'data-invalid',
      `${raw.count} examples of ${size} numbers were announced, but there are ${raw.features.length} numbers and ${raw.labels.length} labels. Load the examples again.`,
    );
  }
  return { count: raw.count, xs: normaliseFeatures(raw.features, schema), ys: raw.labels.slice() };
}

/** The features in a trainer's form: bytes of pictures unchanged, everything else normalised. */
export function trainerInputs(
  features: Uint8Array | Float32Array,
  schema: DataSchema,
): Uint8Array | Float32Array {
  return schema.kind === 'image' && features instanceof Uint8Array
    ? features
    : normaliseFeatures(features, schema);
}

/** The number in [0, 1] for each byte of a picture. */
const shades = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Normalises features alone, of any number of whole examples. */
export function normaliseFeatures(features: ArrayLike<number>, schema: DataSchema): Float32Array {
  const xs = new Float32Array(features.length);
  if (schema.kind === 'image' && features instanceof Uint8Array) {
    for (let i = 0; i < xs.length; i++) xs[i] = shades[features[i] as number] as number;
    return xs;
  }
  if (schema.kind === 'image') {
    for (let i = 0; i < xs.length; i++) xs[i] = (features[i] as number) / 255;
    return xs;
  }
  const size = schema.features.length;
  for (const [column, { mean, scale }] of schema.features.entries()) {
    for (let i = column; i < xs.length; i += size) xs[i] = ((features[i] as number) - mean) / scale;
  }
  return xs;
}
