import * as z from 'zod/mini';
import type { DataSchema, TableData } from './task.ts';

/** The fewest participants that agree on a scaling: every page shows the result. */
export const FEWEST_TO_AGREE = 3;

/** The fewest examples, of all participants together, that a scaling is agreed from. */
export const FEWEST_EXAMPLES_TO_AGREE = 20;

/** What participants agreed on: a mean and a scale above 0 for each of `agreedColumns`, in their order. */
export const AgreedScalingSchema = z.object({
  participants: z.int().check(z.positive()),
  examples: z.int().check(z.positive()),
  means: z.array(z.number()).check(z.maxLength(3000)),
  scales: z.array(z.number().check(z.positive())).check(z.maxLength(3000)),
});
export type AgreedScaling = z.infer<typeof AgreedScalingSchema>;

/** A column of numbers, or the numeric target, whose scaling is agreed. */
export interface AgreedColumn {
  readonly name: string;
  /** The index of the column; `null`: it is a target. */
  readonly column: number | null;
  /** The place among the targets; 0 for columns. */
  readonly output: number;
  /** The plausible range that values are clipped to, `min` below `max`. */
  readonly min: number;
  readonly max: number;
}

/** True where a task's scaling is agreed by participants, whether or not it is already. */
export function hasAgreedScaling(data: DataSchema): boolean {
  return data.kind === 'table' && data.scaling === 'agreed';
}

/** True where a task's scaling has still to be agreed: until then nothing can be trained. */
export function awaitsScaling(data: DataSchema): data is TableData {
  return data.kind === 'table' && data.scaling === 'agreed' && data.agreed === undefined;
}

/** The columns whose scaling is agreed: those of numbers, in order, then the numeric targets. */
export function agreedColumns(data: DataSchema): AgreedColumn[] {
  if (data.kind === 'image' || !hasAgreedScaling(data)) return [];
  const columns = data.features.flatMap((feature, column): AgreedColumn[] =>
    feature.kind === 'category' ? [] : [{ ...rangeOf(feature), column, output: 0 }],
  );
  const targets = numbersIn(data.target).map((target, output) => ({
    ...rangeOf(target),
    column: null,
    output,
  }));
  return [...columns, ...targets];
}

/**
 * A task's data with the scaling that participants agreed on.
 *
 * @throws RangeError where the scaling is of other columns.
 */
export function withScaling(
  data: TableData,
  { participants, examples, means, scales }: AgreedScaling,
): TableData {
  const columns = agreedColumns(data);
  if (means.length !== columns.length || scales.length !== columns.length)
    throw new RangeError(`${means.length} means and ${scales.length} scales for ${columns.length} columns`);
  const scaled = <T extends object>(part: T, column: number | null, output = 0): T => {
    const at = columns.findIndex((one) => one.column === column && one.output === output);
    return at < 0 ? part : { ...part, mean: means[at], scale: scales[at] };
  };
  const { target } = data;
  return {
    ...data,
    features: data.features.map((feature, column) => scaled(feature, column)),
    target:
      target.kind === 'numbers'
        ? { ...target, columns: target.columns.map((one, output) => scaled(one, null, output)) }
        : scaled(target, null),
    agreed: { participants, examples },
  };
}

/** The scaling that participants agreed on, read from a task's data; `null`: they did not yet, or need not. */
export function scalingIn(data: DataSchema): AgreedScaling | null {
  if (data.kind === 'image' || data.agreed === undefined) return null;
  const numbers = agreedColumns(data).map(({ column, output }) => {
    const { mean = 0, scale = 1 } = (
      column === null ? numbersIn(data.target)[output] : data.features[column]
    ) as Partial<Record<'mean' | 'scale', number>>;
    return { mean, scale };
  });
  return {
    ...data.agreed,
    means: numbers.map(({ mean }) => mean),
    scales: numbers.map(({ scale }) => scale),
  };
}

/** The numeric targets, in order. */
function numbersIn(target: TableData['target']) {
  if (target.kind === 'class') return [];
  return target.kind === 'number' ? [target] : target.columns;
}

function rangeOf({
  name,
  min = -1,
  max = 1,
}: {
  name: string;
  min?: number | undefined;
  max?: number | undefined;
}) {
  return { name, min, max };
}
