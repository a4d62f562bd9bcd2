import {
  type CategoryFeature,
  CoppiceError,
  type DataSchema,
  exampleSize,
  featureWidth,
  hasScaledTarget,
  inputSize,
  pictureNumber,
  pictureNumbers,
  pictureRange,
  type TargetScaling,
  targetColumns,
  targetSize,
} from '@coppice/protocol';
import type { Numbers, RawExamples } from './examples.ts';

/** Normalised examples: `inputSize` numbers and `targetSize` targets each. */
export interface NormalisedExamples {
  readonly count: number;
  readonly xs: Float32Array;
  readonly ys: Float32Array;
}

/** Examples in a trainer's form: the same shape as training's `Dataset`. */
export interface TrainerExamples {
  readonly count: number;
  /** `inputSize` numbers an example; bytes of pictures are brought to the schema's range by the trainer. */
  readonly xs: Uint8Array | Float32Array;
  readonly ys: Float32Array;
}

/**
 * Converts raw examples to the model's inputs and targets as the schema says: pixels to their range, columns of numbers and
 * numeric targets to (value − mean) / scale, columns of categories to one-hot. Class indices stay as they are.
 *
 * @throws CoppiceError `data-invalid` where the sizes disagree with the schema.
 */
export function normalise(raw: RawExamples, schema: DataSchema): NormalisedExamples {
  const size = exampleSize(schema);
  if (raw.features.length !== raw.count * size || raw.labels.length !== raw.count * targetSize(schema)) {
    throw new CoppiceError(
      'data-invalid',
      `${raw.count} examples of ${size} numbers were announced, but there are ${raw.features.length} numbers and ${raw.labels.length} labels. Load the examples again.`,
    );
  }
  return {
    count: raw.count,
    xs: normaliseFeatures(raw.features, schema),
    ys: normaliseLabels(raw.labels.slice(), schema),
  };
}

/**
 * Converts raw examples, whose sizes were checked, to a trainer's form. Bytes of pictures, and labels that are not
 * scaled, are the same arrays.
 */
export function trainerExamples(
  { count, features, labels }: RawExamples,
  schema: DataSchema,
): TrainerExamples {
  const bytes = schema.kind === 'image' && features instanceof Uint8Array;
  return {
    count,
    xs: bytes ? features : normaliseFeatures(features, schema),
    ys: normaliseLabels(labels, schema),
  };
}

function normaliseLabels(labels: Numbers, schema: DataSchema): Float32Array {
  if (!hasScaledTarget(schema)) return labels instanceof Float32Array ? labels : Float32Array.from(labels);
  const columns = targetColumns(schema);
  return Float32Array.from(labels, (label, i) => {
    const { mean, scale } = columns[i % columns.length] as TargetScaling;
    return (label - mean) / scale;
  });
}

/**
 * Normalises features alone, of any number of whole examples.
 *
 * @returns `inputSize` numbers an example. A column of categories is one-hot: a number that is no index of its values
 *   is any other value.
 */
export function normaliseFeatures(features: ArrayLike<number>, schema: DataSchema): Float32Array {
  if (schema.kind === 'image') {
    const xs = new Float32Array(features.length);
    if (features instanceof Uint8Array) {
      const shades = pictureNumbers(schema);
      for (let i = 0; i < xs.length; i++) xs[i] = shades[features[i] as number] as number;
    } else {
      const range = pictureRange(schema);
      for (let i = 0; i < xs.length; i++) xs[i] = pictureNumber(features[i] as number, range);
    }
    return xs;
  }
  const columns = schema.features.length;
  const width = inputSize(schema);
  const count = features.length / columns;
  const xs = new Float32Array(count * width);
  let at = 0;
  for (const [column, feature] of schema.features.entries()) {
    for (let row = 0; row < count; row++) {
      const value = features[row * columns + column] as number;
      const to = row * width + at;
      if (feature.kind === 'category') xs[to + slotOf(value, feature)] = 1;
      else xs[to] = (value - feature.mean) / feature.scale;
    }
    at += featureWidth(feature);
  }
  return xs;
}

/** The place of a stored category among the model's inputs of its column. */
function slotOf(index: number, { values }: CategoryFeature): number {
  return values[index] === undefined ? values.length : index;
}
