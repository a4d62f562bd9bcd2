import type { RandomSource } from '@coppice/ports';
import { classesOf, type DataSchema, targetOf, targetUnit } from '@coppice/protocol';

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

/**
 * A prediction with the model that made it. Tasks of classes have `classes`, in the task's order, whose probabilities
 * add up to 1; others have `value`, the target in its `unit` (`null`: it has none).
 */
export type Prediction =
  | (Stamp & { readonly classes: readonly ClassProbability[] })
  | (Stamp & { readonly value: number; readonly unit: string | null });

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
  if (classes === null)
    return { ...stamp, value: targetOf(output[0] as number, data), unit: targetUnit(data) ?? null };
  return {
    ...stamp,
    classes: classes.map((name, index) => ({ name, probability: output[index] as number })),
  };
}

function randomId(random: RandomSource): string {
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
}
