import * as z from 'zod/mini';
import { MAX_OBSERVATIONS } from '../report/layout.ts';
import { measuredOf } from '../report/statistics-layout.ts';
import { countOf, labelSpreadOf, momentOf, rateOf, type Sums, spreadOf } from '../report/sums.ts';
import {
  type Binning,
  BinningSchema,
  CategoryBinsSchema,
  ClassBinsSchema,
  columnBins,
  EdgesSchema,
  NumberBinsSchema,
  OutputBinsSchema,
  predictionBins,
  watchedOf,
} from './binning.ts';
import { canonicalHash } from './canonical.ts';

const share = z.number().check(z.minimum(0), z.maximum(1));
const variance = z.number().check(z.minimum(0), z.maximum(1));
const count = z.int().check(z.minimum(0));

/** Mean shares of a histogram's bins over participants, and how well they are known. */
export const SpreadSchema = z.object({
  /** One a bin; they add up to 1, or are all 0 where no participant had a value. */
  shares: z.array(share),
  /** The variance of each of these means, with participants as clusters. */
  variances: z.array(variance),
  /** The part of it that examples within participants account for: multiplied by p (1 − p), it is their variance of a share p. */
  within: share,
  /** The part of it that noise in the sum accounts for; left out where there was none, and by earlier versions. */
  noise: z.optional(variance),
  participants: count,
});
export type Spread = z.infer<typeof SpreadSchema>;

/** As `Spread`, of one share. */
export const RateSchema = z.object({
  share,
  variance,
  within: share,
  noise: z.optional(variance),
  participants: count,
});
export type Rate = z.infer<typeof RateSchema>;

/** Moments of a number in its own unit. Each participant has the same weight; values beyond the span count as its limit. */
export const MomentSchema = z.object({
  mean: z.number(),
  /** The standard deviation of single values. */
  deviation: z.number().check(z.minimum(0)),
  participants: count,
});
export type Moment = z.infer<typeof MomentSchema>;

const ofInput = { spread: SpreadSchema, missing: RateSchema, outside: RateSchema };

/**
 * Distributions at the time of a release, against which later ones are held: a `Binning` with the shares of each bin. Shares
 * are means over participants, each with its own histogram of mass 1, as in the reports.
 */
export const ReferenceSchema = z
  .extend(BinningSchema, {
    columns: z
      .array(
        z.discriminatedUnion('kind', [
          // Without a moment where no participant had a value, and in references of earlier versions.
          z.extend(NumberBinsSchema, { ...ofInput, moment: z.optional(MomentSchema) }),
          z.extend(CategoryBinsSchema, ofInput),
        ]),
      )
      .check(z.minLength(1), z.maxLength(2000)),
    prediction: z.discriminatedUnion('kind', [
      z.extend(ClassBinsSchema, { spread: SpreadSchema }),
      z.extend(OutputBinsSchema, { spread: SpreadSchema }),
    ]),
    confidence: z.nullable(z.object({ edges: EdgesSchema, spread: SpreadSchema })),
    /** The labels of the examples, in the bins of the predictions; left out in references of earlier versions. */
    labels: z.optional(z.object({ spread: SpreadSchema, moment: z.optional(MomentSchema) })),
    /** Participants that it was made of, and their examples. */
    participants: count,
    examples: count,
  })
  .check(z.refine(isSound, 'has as many shares as bins, which add up to 1'));
export type Reference = z.infer<typeof ReferenceSchema>;

/** SHA-256 of the canonical JSON of a binning or a reference, in hexadecimal digits. Reports name their reference by it. */
export function identityOf(of: Binning | Reference): string {
  return canonicalHash(of);
}

/**
 * The reference made of summed statistics, or reports, with this binning: of reports it has no labels and no moments.
 *
 * @param noise the variance of the noise that was added to each number of the sum.
 */
export function referenceOf(binning: Binning, sums: Sums, noise = 0): Reference {
  const spreads = watchedOf(binning).map((watched, i) => wholeOf(spreadOf(sums, watched, i, noise), noise));
  const rate = (of: 'missing' | 'outside', i: number) => {
    const known = rateOf(sums, of, i, noise);
    const added = addedTo(known.participants, noise);
    return { ...known, variance: Math.min(1, known.variance + added), ...(added > 0 && { noise: added }) };
  };
  const of = (i: number) => spreads[i] as Spread;
  const moments = new Map(
    measuredOf(binning).map((measured, i) => [measured.column, momentOf(sums, measured, i)]),
  );
  const momentAt = (column: number | null) => {
    const moment = moments.get(column);
    return moment === undefined ? {} : { moment };
  };
  const inputs = binning.columns.length;
  return {
    ...binning,
    columns: binning.columns.map((column, i) => ({
      ...column,
      spread: of(i),
      missing: rate('missing', i),
      outside: rate('outside', i),
      ...momentAt(i),
    })),
    prediction: { ...binning.prediction, spread: of(inputs) },
    confidence: binning.confidence === null ? null : { ...binning.confidence, spread: of(inputs + 1) },
    ...(sums.has('label-present')
      ? {
          labels: {
            spread: wholeOf(labelSpreadOf(sums, predictionBins(binning.prediction), noise), noise),
            ...momentAt(null),
          },
        }
      : {}),
    participants: countOf(sums, 'reports'),
    examples: countOf(sums, 'observations', MAX_OBSERVATIONS),
  };
}

/** A spread whose shares add up to 1, as noisy ones do not, and whose variances are those of the shares with their noise. */
function wholeOf(spread: Spread, noise: number): Spread {
  const mass = spread.shares.reduce((sum, one) => sum + one, 0);
  if (mass === 0) return { ...spread, shares: spread.shares.map(() => 0), participants: 0 };
  const added = addedTo(spread.participants, noise);
  return {
    ...spread,
    shares: spread.shares.map((one) => Math.min(1, one / mass)),
    variances: spread.variances.map((one) => Math.min(1, one + added)),
    ...(added > 0 && { noise: added }),
  };
}

/** The variance that noise adds to a mean of so many participants. */
function addedTo(participants: number, noise: number): number {
  return participants === 0 ? 0 : Math.min(1, noise / participants ** 2);
}

/** The spreads of a reference, in the order of `watchedOf`. */
export function spreadsOf({ columns, prediction, confidence }: Reference): Spread[] {
  return [
    ...columns.map(({ spread }) => spread),
    prediction.spread,
    ...(confidence === null ? [] : [confidence.spread]),
  ];
}

function isSound({
  columns,
  prediction,
  confidence,
  labels,
}: Pick<Reference, 'columns' | 'prediction' | 'confidence' | 'labels'>): boolean {
  const fits = ({ shares, variances, participants }: Spread, bins: number) => {
    const mass = shares.reduce((sum, one) => sum + one, 0);
    return (
      shares.length === bins &&
      variances.length === bins &&
      Math.abs(mass - (participants > 0 ? 1 : 0)) < 1e-6
    );
  };
  return (
    columns.every((column) => fits(column.spread, columnBins(column))) &&
    fits(prediction.spread, predictionBins(prediction)) &&
    (labels === undefined || fits(labels.spread, predictionBins(prediction))) &&
    (confidence === null || fits(confidence.spread, confidence.edges.length + 1))
  );
}
