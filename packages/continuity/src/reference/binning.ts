import * as z from 'zod/mini';

/** The most bins of a numeric column. */
const MAX_BINS = 256;

/** Inner edges of bins, ascending: k edges make k + 1 bins, the first and the last of them open. */
export const EdgesSchema = z.array(z.number().check(z.refine(Number.isFinite, 'edges are finite'))).check(
  z.minLength(1),
  z.maxLength(MAX_BINS - 1),
  z.refine((edges) => edges.every((edge, i) => i === 0 || edge > (edges[i - 1] as number)), 'edges ascend'),
);

/** An interval, in the unit of what is counted: its limits are finite and ascend. Moments map it to [0, 1]. */
export const SpanSchema = z
  .tuple([z.number(), z.number()])
  .check(z.refine(([low, high]) => isSpan(low, high), 'limits are finite and ascend'));
export type Span = z.infer<typeof SpanSchema>;

/** True where an interval can be mapped to [0, 1]. */
export function isSpan(low: number, high: number): boolean {
  return high > low && Number.isFinite(high - low);
}

const name = z.string().check(z.minLength(1), z.maxLength(100));

/** A hash in lower-case hexadecimal digits. */
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/, 'takes a SHA-256 in hexadecimal digits'));

export const NumberBinsSchema = z.object({
  kind: z.literal('number'),
  name,
  edges: EdgesSchema,
  /** The plausible range, inclusive, in the column's own unit; `null`: any value is plausible. */
  range: z.nullable(z.tuple([z.number(), z.number()])),
  /** True where the model makes the column: another model makes other values of the same input. */
  ofModel: z.optional(z.literal(true)),
  /** The interval of the column's moments; left out in first bins, and in those of earlier versions: there are no moments. */
  span: z.optional(SpanSchema),
});

export const CategoryBinsSchema = z.object({
  kind: z.literal('category'),
  name,
  /** The number of values that the task lists. A raw value is an index below it, and every other number is "other". */
  values: z.int().check(z.minimum(1), z.maximum(1000)),
});

export const ClassBinsSchema = z.object({
  kind: z.literal('class'),
  classes: z.int().check(z.minimum(2), z.maximum(1000)),
});

export const OutputBinsSchema = z.object({
  kind: z.literal('number'),
  edges: EdgesSchema,
  /** The absolute error, in the target's unit, that counts as 1. Smaller errors count in proportion, larger ones as 1. */
  errorScale: z.number().check(z.positive()),
  /** The interval of the labels' moments, as of a numeric column. */
  span: z.optional(SpanSchema),
});

/** Bins of everything that is watched: agreed before anything is counted, and the same on every device. */
export const BinningSchema = z.object({
  version: z.literal(1),
  /** The hash of the data recipe that makes raw values. */
  recipe: hash,
  columns: z
    .array(z.discriminatedUnion('kind', [NumberBinsSchema, CategoryBinsSchema]))
    .check(z.minLength(1), z.maxLength(2000)),
  prediction: z.discriminatedUnion('kind', [ClassBinsSchema, OutputBinsSchema]),
  /** Bins of the confidence in [0, 1]; `null` where the model gives none. */
  confidence: z.nullable(z.object({ edges: EdgesSchema })),
  /** The name of the column of categories by whose values errors are told apart; left out: they are not. */
  groups: z.optional(name),
});
export type Binning = z.infer<typeof BinningSchema>;
export type ColumnBins = Binning['columns'][number];
export type PredictionBins = Binning['prediction'];

/** The bin of a value: the number of edges that are not above it. */
export function binOf(edges: readonly number[], value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= (edges[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The number of a column's bins. A category has one for each value, and "other" last. */
export function columnBins(column: ColumnBins): number {
  return column.kind === 'number' ? column.edges.length + 1 : column.values + 1;
}

/** The bin of a column's raw value, which is finite; that of a category may be missing, and counts as "other". */
export function columnBin(column: ColumnBins, value: number): number {
  if (column.kind === 'number') return binOf(column.edges, value);
  return Number.isInteger(value) && value >= 0 && value < column.values ? value : column.values;
}

/** The groups by which errors are told apart. */
export interface Groups {
  /** The index of their column. */
  readonly column: number;
  /** Their number: one for each value, and one for any other or none. */
  readonly count: number;
}

/** The groups of a binning; `null` where it names no column of categories. */
export function groupsIn({ columns, groups }: Pick<Binning, 'columns' | 'groups'>): Groups | null {
  if (groups === undefined) return null;
  const index = columns.findIndex(({ kind, name }) => kind === 'category' && name === groups);
  const column = columns[index];
  return column === undefined ? null : { column: index, count: columnBins(column) };
}

/** The number of a prediction's bins: one a class, or those of a number. */
export function predictionBins(prediction: PredictionBins): number {
  return prediction.kind === 'class' ? prediction.classes : prediction.edges.length + 1;
}

/**
 * The bin of a prediction, or of a label: the index of a class, or a number in the target's unit.
 *
 * @throws RangeError for what is neither.
 */
export function predictionBin(output: PredictionBins, value: number): number {
  if (output.kind === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`a prediction is a finite number, not ${value}`);
    return binOf(output.edges, value);
  }
  if (!Number.isInteger(value) || value < 0 || value >= output.classes)
    throw new RangeError(`a class is a whole number below ${output.classes}, not ${value}`);
  return value;
}

/** True where a raw value is beyond the column's plausible range. */
export function isOutside(column: ColumnBins, value: number): boolean {
  if (column.kind !== 'number' || column.range === null) return false;
  return value < column.range[0] || value > column.range[1];
}

/** A part of a report: the histogram of one input column, of the predictions, or of the confidence. */
export interface Watched {
  readonly role: 'input' | 'prediction' | 'confidence';
  /** The column's name; empty for predictions and confidence. */
  readonly name: string;
  /** True where bins lie in the order of the numbers in them. */
  readonly ordered: boolean;
  readonly bins: number;
  /** The place of its first bin among the bins of all. */
  readonly at: number;
  /** True where the model makes the values. */
  readonly ofModel: boolean;
}

/** Everything that is watched, in the order in which reports hold it: input columns, predictions, confidence. */
export function watchedOf({ columns, prediction, confidence }: Binning): Watched[] {
  const parts: Omit<Watched, 'at'>[] = [
    ...columns.map((column) => ({
      role: 'input' as const,
      name: column.name,
      ordered: column.kind === 'number',
      bins: columnBins(column),
      ofModel: column.kind === 'number' && column.ofModel === true,
    })),
    {
      role: 'prediction' as const,
      name: '',
      ordered: prediction.kind === 'number',
      bins: predictionBins(prediction),
      ofModel: true,
    },
    ...(confidence === null
      ? []
      : [
          {
            role: 'confidence' as const,
            name: '',
            ordered: true,
            bins: confidence.edges.length + 1,
            ofModel: true,
          },
        ]),
  ];
  let at = 0;
  return parts.map((part) => {
    const placed = { ...part, at };
    at += part.bins;
    return placed;
  });
}
