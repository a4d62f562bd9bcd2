import type { RandomSource } from '@coppice/ports';
import { classesOf, type DataSchema, targetColumns, targetOf } from '@coppice/protocol';

interface Stamp {
  /** 128 random bits of this prediction alone, 32 hexadecimal digits. */
  readonly id: string;
  /** The checkpoint that predicted: `<run>/<round>`. */
  readonly checkpoint: string;
  /** SHA-256 of its weights. */
  readonly hash: string;
}

/** A class with its probability, 0 to 1. */
interface ClassProbability {
  readonly name: string;
  readonly probability: number;
}

/** A number that a task predicts, in its unit; `null`: it has none. */
interface TargetValue {
  readonly name: string;
  readonly value: number;
  readonly unit: string | null;
}

/**
 * A prediction with the model that made it. Tasks of classes have `classes`, in the task's order, whose probabilities
 * add up to 1; others have `values`, the targets in their order, each in its `unit` (`null`: it has none), and the first of them as
 * `value` and `unit`.
 */
export type Prediction =
  | (Stamp & { readonly classes: readonly ClassProbability[] })
  | (Stamp & {
      readonly value: number;
      readonly unit: string | null;
      readonly values: readonly TargetValue[];
    });

/**
 * Makes a prediction of one row of a model's outputs.
 *
 * @param made names the model.
 */
export function predictionOf(
  output: Float32Array,
  data: DataSchema,
  made: { readonly checkpoint: string; readonly hash: string },
  random: RandomSource,
): Prediction {
  const stamp: Stamp = { id: randomId(random), checkpoint: made.checkpoint, hash: made.hash };
  const classes = classesOf(data);
  if (classes === null) {
    const values = targetColumns(data).map(({ name, unit }, column) => ({
      name,
      value: targetOf(output[column] as number, data, column),
      unit: unit ?? null,
    }));
    const { value, unit } = values[0] as TargetValue;
    return { ...stamp, value, unit, values };
  }
  return {
    ...stamp,
    classes: classes.map((name, index) => ({ name, probability: output[index] as number })),
  };
}

function randomId(random: RandomSource): string {
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
}
