import { type MetricForm, type MetricSums, SCORE_BINS } from '@coppice/protocol';
import type { Tally } from './train-measures.ts';

/** Slack of sums that travel as two float32 numbers, relative and in their units. */
const RELATIVE = 1e-6;
const ABSOLUTE = 1e-3;

/** The reason why no data can give the sums of a task's measures beside such a tally; `null`: they can be. */
export function checkSums(
  sums: MetricSums,
  tally: Pick<Tally, 'examples' | 'classes'>,
  form: MetricForm,
): string | null {
  return tally.classes === null
    ? faultOfErrors(sums, tally.examples)
    : (faultOfScores(sums, tally.examples, tally.classes, form) ??
        faultOfPredicted(sums, tally.examples, tally.classes));
}

const whole = (value: number) => Number.isInteger(value) && value >= 0;
const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);

function faultOfScores(
  { scores }: MetricSums,
  examples: number,
  classes: NonNullable<Tally['classes']>,
  form: MetricForm,
): string | null {
  if (scores === undefined) return null;
  if (!scores.every(whole)) return 'its histograms of scores do not count examples';
  const rows = scores.length / (2 * SCORE_BINS);
  for (let row = 0; row < rows; row++) {
    const own = classes.examples[form.classes === 2 ? 1 : row] as number;
    const side = (which: 0 | 1) =>
      total(scores.subarray((2 * row + which) * SCORE_BINS, (2 * row + which + 1) * SCORE_BINS));
    if (side(1) !== own || side(0) !== examples - own)
      return 'its histograms of scores do not add up to the examples of its classes';
  }
  return null;
}

function faultOfPredicted(
  { predicted, found }: MetricSums,
  examples: number,
  classes: NonNullable<Tally['classes']>,
): string | null {
  if (predicted === undefined) return null;
  const rightly = found ?? classes.hits;
  const isPossible =
    predicted.every(whole) &&
    total(predicted) === examples &&
    Array.from(rightly).every(
      (n, i) => whole(n) && n <= (predicted[i] as number) && n <= (classes.examples[i] as number),
    );
  if (!isPossible) return 'its predicted classes do not add up to its examples and hits';
  // Of two classes: each example of a class that was not found was predicted as the other.
  const [mine, other] = [0, 1].map((i) => (classes.examples[i] as number) - (rightly[i] as number));
  const isTwo = found === undefined || predicted[0] === (found[0] as number) + (other as number);
  return isTwo && mine !== undefined ? null : 'its predicted classes do not add up to its examples and hits';
}

function faultOfErrors(sums: MetricSums, examples: number): string | null {
  const counted = sums['error-examples']?.[0];
  const { absolute, squared, targets, 'target-squares': squares } = sums;
  if (counted === undefined || !absolute || !squared || !targets || !squares) return null;
  if (counted !== examples && counted !== 0)
    return `its errors are of ${counted} of its ${examples} examples`;
  // A sum's square is at most the number of its terms times the sum of their squares.
  const isWithin = (sum: number, ofSquares: number) =>
    sum * sum <= counted * ofSquares * (1 + RELATIVE) + counted * counted * ABSOLUTE;
  for (let i = 0; i < absolute.length; i++) {
    const [errors, errorSquares] = [absolute[i] as number, squared[i] as number];
    if (!(errors >= 0) || !(errorSquares >= 0) || !((squares[i] as number) >= 0))
      return 'a sum of its errors or of squares is negative';
    if (counted === 0 && [errors, errorSquares, targets[i], squares[i]].some((sum) => sum !== 0))
      return 'its errors are of no example and not 0';
    if (!isWithin(errors, errorSquares) || !isWithin(targets[i] as number, squares[i] as number))
      return 'a sum of its errors or targets is larger than the sum of their squares allows';
  }
  return null;
}
