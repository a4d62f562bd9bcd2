import { featureColumns, type Observation, pictureColumns } from '@coppice/continuity';
import { CoppiceError, classesOf, type DataSchema, exampleSize, targetOf } from '@coppice/protocol';

/** A prediction that was made on this device. */
export interface ObservedPrediction {
  /** The hash of the weights that made it. */
  readonly hash: string;
  /** Its input in stored form: bytes of a picture, or raw column values of a table. */
  readonly example: Uint8Array | Uint8ClampedArray | Float32Array | Float64Array;
  /** The model's output: a probability for each class, or one number as the model learned it. */
  readonly output: ArrayLike<number>;
  /** The model's features of a picture (`Trainer.predictWithFeatures`); left out or null for tables, and where it has none. */
  readonly features?: ArrayLike<number> | null;
  /** Names the prediction where its outcome may come later: 1 to 64 characters. */
  readonly id?: string;
}

/**
 * What a monitor counts of a prediction.
 *
 * @returns `null` where the model gave no finite numbers: there is nothing to count.
 * @throws CoppiceError `data-invalid` for an input or an output of another task.
 */
export function observationOf(
  { example, output, features = null, id }: Omit<ObservedPrediction, 'hash'>,
  data: DataSchema,
): Observation | null {
  const classes = classesOf(data);
  const picture =
    data.kind === 'image' && (example instanceof Uint8Array || example instanceof Uint8ClampedArray);
  if (example.length !== exampleSize(data) || (data.kind === 'image') !== picture)
    throw invalid(`its input has ${exampleSize(data)} ${data.kind === 'image' ? 'bytes' : 'values'}`);
  if (output.length !== (classes?.length ?? 1))
    throw invalid(`its output has ${classes?.length ?? 1} numbers, not ${output.length}`);
  if (id !== undefined && (id === '' || id.length > 64)) throw invalid('its id has 1 to 64 characters');
  const columns = picture ? columnsOf(example, features) : example;
  if (classes === null) {
    const prediction = targetOf(output[0] as number, data);
    if (!Number.isFinite(prediction)) return null;
    return id === undefined ? { columns, prediction } : { columns, prediction, id };
  }
  let prediction = 0;
  for (let i = 0; i < output.length; i++) {
    if (!Number.isFinite(output[i])) return null;
    if ((output[i] as number) > (output[prediction] as number)) prediction = i;
  }
  const confidence = Math.min(1, Math.max(0, output[prediction] as number));
  return id === undefined ? { columns, prediction, confidence } : { columns, prediction, confidence, id };
}

function columnsOf(pixels: Uint8Array | Uint8ClampedArray, features: ArrayLike<number> | null): number[] {
  const columns: number[] = pictureColumns(pixels);
  if (features !== null) for (const one of featureColumns(features)) columns.push(one);
  return columns;
}

function invalid(rule: string): CoppiceError {
  return new CoppiceError(
    'data-invalid',
    `A prediction does not belong to the task that is watched: ${rule}. It is not counted.`,
  );
}
