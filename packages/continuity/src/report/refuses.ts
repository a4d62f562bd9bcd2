import { type Binning, watchedOf } from '../reference/binning.ts';
import { MAX_OBSERVATIONS, tensorsOf } from './layout.ts';
import { SQUARE_UNIT, squareOf } from './shares.ts';
import { layoutOf, measuredOf, type ReportKind } from './statistics-layout.ts';
import { MINIMUM_COUNT } from './summarise.ts';

/** A report as it came: its numbers, and the hashes of its data recipe and its reference. */
export interface Report {
  /** The hash of the device's data recipe. */
  readonly recipe: string;
  /** The hash of the reference (`identityOf`). */
  readonly identity: string;
  readonly numbers: Float32Array;
}

/** The reasons for which a report is refused. */
export type RefusalName =
  /** Made with another data recipe, or with another reference. */
  | 'report-recipe'
  | 'report-reference'
  /** More or fewer numbers than the layout has, or one that is not finite. */
  | 'report-shape'
  | 'report-not-finite'
  /** Numbers that no counts give. */
  | 'report-counts'
  /** Shares of a histogram that do not add up to 1. */
  | 'report-mass'
  /** Squares that are not those of the shares. */
  | 'report-squares'
  /** A mean and a mean square that no values in [0, 1] have together. */
  | 'report-moments';

export interface Refusal {
  readonly name: RefusalName;
  /** One sentence: the number that cannot be, and the reason. */
  readonly why: string;
}

/**
 * Looks for numbers that no device can have counted. A report that passes adds no more than one participant may: each of its
 * histograms has a mass of 1, and squares that belong to it.
 *
 * @param minimum the fewest observations of a report, as in `summarise`.
 * @param kind `statistics`: also the numbers that `statisticsLayout` adds.
 * @returns the first reason to refuse the report, or `null`.
 */
export function refuses(
  report: Report,
  binning: Binning,
  identity: string,
  minimum: number = MINIMUM_COUNT,
  kind: ReportKind = 'report',
): Refusal | null {
  const { recipe, numbers } = report;
  if (recipe !== binning.recipe)
    return no(
      'report-recipe',
      `It was made with the data recipe ${short(recipe)}, not ${short(binning.recipe)}.`,
    );
  if (report.identity !== identity)
    return no(
      'report-reference',
      `It was made with the reference ${short(report.identity)}, not ${short(identity)}.`,
    );
  const layout = layoutOf(kind, binning, identity);
  const length = layout.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0);
  if (numbers.length !== length)
    return no('report-shape', `It has ${numbers.length} numbers, and the layout has ${length}.`);
  const tensors = tensorsOf(layout, numbers);
  for (const { name, unit } of layout) {
    const values = tensors.get(name) as Float32Array;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) return no('report-not-finite', `Its "${name}" has the number ${value}.`);
      if (value < 0 || value > 1 || !Number.isInteger(value / unit))
        return no(
          'report-counts',
          `Its "${name}" has the number ${value}, which is no share in units of ${unit}.`,
        );
    }
  }
  return (
    refusesCounts(tensors, minimum) ??
    refusesHistograms(tensors, binning, minimum) ??
    (kind === 'statistics' ? refusesLabels(tensors, minimum) : null) ??
    (kind === 'statistics' ? refusesMoments(tensors, binning) : null)
  );
}

function refusesCounts(tensors: ReadonlyMap<string, Float32Array>, minimum: number): Refusal | null {
  const one = (name: string) => tensors.get(name)?.[0] as number;
  const observations = one('observations') * MAX_OBSERVATIONS;
  if (one('reports') !== 1) return no('report-counts', `It counts for ${one('reports')} reports.`);
  if (observations < minimum)
    return no('report-counts', `It is of ${observations} observations, and ${minimum} are the fewest.`);
  const inverse = one('missing-inverse');
  // At the largest number that can be told there may be more observations than it says.
  const least = observations === MAX_OBSERVATIONS ? 0 : 1 / observations - SQUARE_UNIT;
  if (!(inverse > least && inverse < 1 / observations + SQUARE_UNIT))
    return no('report-counts', `Its inverse of ${observations} observations is ${inverse}.`);
  if (one('labelled') === 0 && (one('errors') !== 0 || one('warned') !== 0))
    return no('report-counts', 'It tells of errors without outcomes.');
  return (
    refusesSquares(tensors, 'errors', 'errors-square') ?? refusesGuards(tensors) ?? refusesGroups(tensors)
  );
}

function refusesGroups(tensors: ReadonlyMap<string, Float32Array>): Refusal | null {
  const [present, errors] = ['group-present', 'group-errors'].map((name) => tensors.get(name));
  if (present === undefined || errors === undefined) return null;
  if (tensors.get('labelled')?.[0] !== 1 && present.includes(1))
    return no('report-counts', 'It tells of outcomes of a group, and of too few of all groups together.');
  if (errors.some((error, group) => error !== 0 && present[group] !== 1))
    return no('report-counts', 'It tells of errors of a group without outcomes.');
  return refusesSquares(tensors, 'group-errors', 'group-squares');
}

function refusesGuards(tensors: ReadonlyMap<string, Float32Array>): Refusal | null {
  const [present, errors] = ['guard-present', 'guard-errors'].map((name) => tensors.get(name)) as [
    Float32Array,
    Float32Array,
  ];
  if (present.every((one) => one === 1))
    return no('report-counts', 'It tells of both arms of a canary, and a device has one.');
  if (errors.some((error, arm) => error !== 0 && present[arm] !== 1))
    return no('report-counts', "It tells of errors of a canary's arm without outcomes.");
  return refusesSquares(tensors, 'guard-errors', 'guard-squares');
}

function refusesHistograms(
  tensors: ReadonlyMap<string, Float32Array>,
  binning: Binning,
  minimum: number,
): Refusal | null {
  const of = (name: string) => tensors.get(name) as Float32Array;
  const shares = of('shares');
  for (const [i, { name, role, bins, at }] of watchedOf(binning).entries()) {
    const called = role === 'input' ? `the column "${name}"` : `the ${role}`;
    const [present, inverse] = [of('present')[i] as number, of('inverse')[i] as number];
    const histogram = { called, present, inverse, shares: shares.subarray(at, at + bins) };
    const refusal = refusesHistogram(histogram, tensors, minimum);
    if (refusal !== null) return refusal;
    if (role === 'input' && present === 0 && of('outside')[i] !== 0)
      return no(
        'report-counts',
        `It tells of values of ${called} beyond the plausible range, and of none within.`,
      );
  }
  return (
    refusesSquares(tensors, 'shares', 'squares') ??
    refusesSquares(tensors, 'missing', 'missing-squares') ??
    refusesSquares(tensors, 'outside', 'outside-squares')
  );
}

interface Histogram {
  readonly called: string;
  readonly present: number;
  readonly inverse: number;
  readonly shares: Float32Array;
}

function refusesHistogram(
  { called, present, inverse, shares }: Histogram,
  tensors: ReadonlyMap<string, Float32Array>,
  minimum: number,
): Refusal | null {
  const mass = shares.reduce((sum, one) => sum + one, 0);
  if (mass !== present)
    return no('report-mass', `The shares of ${called} add up to ${mass}, not ${present}.`);
  const least = tensors.get('missing-inverse')?.[0] as number;
  const inverseFits = present === 1 ? inverse >= least && inverse < 1 / minimum + SQUARE_UNIT : inverse === 0;
  if (inverseFits) return null;
  return no(
    'report-counts',
    `The inverse count of ${called} is ${inverse}, with ${minimum} values at least, and ${least} of all observations.`,
  );
}

function refusesLabels(tensors: ReadonlyMap<string, Float32Array>, minimum: number): Refusal | null {
  const of = (name: string) => tensors.get(name) as Float32Array;
  const [present, inverse] = [of('label-present')[0] as number, of('label-inverse')[0] as number];
  const histogram = { called: 'the labels', present, inverse, shares: of('label-shares') };
  return (
    refusesHistogram(histogram, tensors, minimum) ?? refusesSquares(tensors, 'label-shares', 'label-squares')
  );
}

function refusesMoments(tensors: ReadonlyMap<string, Float32Array>, binning: Binning): Refusal | null {
  for (const [i, { column }] of measuredOf(binning).entries()) {
    const present = column === null ? tensors.get('label-present')?.[0] : tensors.get('present')?.[column];
    const called = column === null ? 'the labels' : `the column "${binning.columns[column]?.name}"`;
    const [mean, square] = [tensors.get('means')?.[i] as number, tensors.get('mean-squares')?.[i] as number];
    if (present === 0 && (mean !== 0 || square !== 0))
      return no('report-counts', `It tells moments of ${called} without a histogram.`);
    if (square < squareOf(mean))
      return no(
        'report-moments',
        `The mean square of ${called} is ${square}, below ${squareOf(mean)}, the square of the mean ${mean}.`,
      );
    if (square > mean)
      return no(
        'report-moments',
        `The mean square of ${called} is ${square}, above the mean ${mean}: values in [0, 1] have none such.`,
      );
  }
  return null;
}

function refusesSquares(
  tensors: ReadonlyMap<string, Float32Array>,
  shares: string,
  squares: string,
): Refusal | null {
  const [of, given] = [tensors.get(shares) as Float32Array, tensors.get(squares) as Float32Array];
  for (let i = 0; i < of.length; i++) {
    const [share, square] = [of[i] as number, given[i] as number];
    if (square !== squareOf(share))
      return no(
        'report-squares',
        `Its "${squares}" has ${square}, and the square of the share ${share} is ${squareOf(share)}.`,
      );
  }
  return null;
}

function no(name: RefusalName, why: string): Refusal {
  return { name, why };
}

function short(hash: string): string {
  return hash.slice(0, 12);
}
