import {
  type AgreedColumn,
  type AgreedScaling,
  type ContributionLayout,
  CoppiceError,
  MAX_EXAMPLES,
  type TensorSpec,
} from '@coppice/protocol';
import type { Measures } from './measures.ts';

/** Unit of the sums: values of a column that differ by 10⁻¹² of its plausible range are told apart. */
const SUM_UNIT = 2 ** -80;

/**
 * A variance below this share of the mean square is rounding error: an answer has 48 bits of a sum. The values of the
 * column do not differ.
 */
const CONSTANT = 2 ** -40;

/** What float32 limbs and sums in float64 may be off, as a share of the number of examples. */
const ROUNDING = 2 ** -20;

const GROUP = 'measures';

/**
 * The layout of the sums that a scaling is agreed from, with C columns: measures `examples`, `sums` [C] and `squares` [C],
 * of values that the plausible range maps to [−1, 1].
 *
 * @param maxExamples the most examples that count of one participant.
 */
export function columnSumsLayout(columns: readonly AgreedColumn[], maxExamples: number): ContributionLayout {
  const most = Math.min(maxExamples, MAX_EXAMPLES);
  const tensor = (name: string, shape: number[], unit: number, precision: TensorSpec['precision']) =>
    ({ name, shape, role: 'measure', group: GROUP, unit, bound: most, weighted: 'one', precision }) as const;
  return [
    tensor('examples', [], 1, 'single'),
    tensor('sums', [columns.length], SUM_UNIT, 'double'),
    tensor('squares', [columns.length], SUM_UNIT, 'double'),
  ];
}

/**
 * The sums of a device's examples: for each column Σu and Σu² of u = (x − centre) / half, where x is clipped to the
 * column's plausible range, `centre` is its middle and `half` half of its width, so that u is in [−1, 1].
 *
 * @param examples.features raw values, row by row; @param examples.labels the numeric targets of each row, in order, or one class; @param examples.rows the
 *   rows that count.
 * @param maxExamples where there are more, as many rows count, evenly spread.
 */
export function columnSums(
  columns: readonly AgreedColumn[],
  examples: {
    readonly features: ArrayLike<number>;
    readonly labels: ArrayLike<number>;
    readonly rows: ArrayLike<number>;
  },
  maxExamples: number,
): Measures {
  const { features, labels, rows } = examples;
  const counted = Math.min(rows.length, maxExamples, MAX_EXAMPLES);
  // Labels have a number for each target.
  const outputs = columns.filter(({ column }) => column === null).length || 1;
  const width = (features.length * outputs) / labels.length;
  const spans = columns.map(({ min, max, ...column }) => ({ ...column, min, max, ...spanOf(min, max) }));
  const sums = new Float64Array(columns.length);
  const squares = new Float64Array(columns.length);
  for (let i = 0; i < counted; i++) {
    const row = rows[Math.floor((i * rows.length) / counted)] as number;
    for (const [at, { column, output, min, max, centre, half }] of spans.entries()) {
      const value = (
        column === null ? labels[row * outputs + output] : features[row * width + column]
      ) as number;
      const u = Math.min(1, Math.max(-1, (Math.min(max, Math.max(min, value)) - centre) / half));
      sums[at] = (sums[at] as number) + u;
      squares[at] = (squares[at] as number) + u * u;
    }
  }
  return new Map([
    ['examples', Float64Array.of(counted)],
    ['sums', sums],
    ['squares', squares],
  ]);
}

/**
 * The scaling that follows from the sums of all participants: mean and population standard deviation of each column's
 * clipped values, in its own unit. A column whose values do not differ gets half of its range as its scale.
 *
 * @param participants the number of answers in the sums.
 */
export function scalingOf(
  columns: readonly AgreedColumn[],
  sums: Measures,
  participants: number,
): AgreedScaling {
  const examples = one(sums, 'examples');
  const [total, squares] = [sums.get('sums'), sums.get('squares')];
  const numbers = columns.map(({ min, max }, at) => {
    const { centre, half } = spanOf(min, max);
    const mean = (total?.[at] ?? 0) / examples;
    const meanSquare = (squares?.[at] ?? 0) / examples;
    const variance = meanSquare - mean ** 2;
    const deviation = variance > CONSTANT * meanSquare ? Math.sqrt(variance) : 1;
    return { mean: centre + half * mean, scale: half * deviation };
  });
  return {
    participants,
    examples,
    means: numbers.map(({ mean }) => mean),
    scales: numbers.map(({ scale }) => scale),
  };
}

/**
 * Refuses sums that no examples can have: a count that is no whole number above 0, a sum beyond the count, a negative sum
 * of squares or one beyond the count, or below what its sum allows (Cauchy–Schwarz).
 *
 * @throws CoppiceError `update-measure`
 */
export function checkColumnSums(sums: Measures): void {
  const examples = one(sums, 'examples');
  const refuse = (what: string) => {
    throw new CoppiceError(
      'update-measure',
      `The sums of the columns cannot be: ${what}. Clip values to the column's range, count and sum again; docs/protocol.md says how.`,
    );
  };
  if (!Number.isInteger(examples) || examples < 1) refuse(`they are of ${examples} examples`);
  const most = examples * (1 + ROUNDING);
  for (const [at, square] of (sums.get('squares') ?? []).entries()) {
    const sum = sums.get('sums')?.[at] ?? 0;
    if (Math.abs(sum) > most) refuse(`sum ${at + 1} is ${sum} of ${examples} examples`);
    if (square < 0 || square > most)
      refuse(`the sum of squares ${at + 1} is ${square} of ${examples} examples`);
    // The second term is for squares so small that float32 has no place for them.
    if (sum ** 2 > examples * square * (1 + ROUNDING) + examples ** 2 * SUM_UNIT)
      refuse(`the sum of squares ${at + 1} is ${square}, and its sum ${sum}, of ${examples} examples`);
  }
}

/** The middle of a range, and half of its width. */
function spanOf(min: number, max: number): { readonly centre: number; readonly half: number } {
  return { centre: min / 2 + max / 2, half: max / 2 - min / 2 };
}

function one(sums: Measures, name: string): number {
  return sums.get(name)?.[0] ?? 0;
}
