import type { ContributionLayout } from '@coppice/protocol';
import { type Binning, predictionBins, type Span } from '../reference/binning.ts';
import { reportLayout, tensorOf } from './layout.ts';
import { SHARE_UNIT, SQUARE_UNIT } from './shares.ts';

/** The kinds of answers that are made with bins: of a period's predictions, or of a device's own examples. */
export type ReportKind = 'report' | 'statistics';

/** The numbers that statistics have beside those of a report. */
export const statisticsNumbers = [
  'label-present',
  'label-inverse',
  'label-shares',
  'label-squares',
  'means',
  'mean-squares',
] as const;

/** A number whose moments are counted. */
export interface Measured {
  /** The index of its column; null: it is the label. */
  readonly column: number | null;
  readonly span: Span;
}

/** The numbers whose moments are counted with these bins, in their order in the statistics. */
export function measuredOf({ columns, prediction }: Binning): Measured[] {
  const numbers = columns.flatMap((one, column) =>
    one.kind === 'number' && one.span !== undefined ? [{ column, span: one.span }] : [],
  );
  if (prediction.kind !== 'number' || prediction.span === undefined) return numbers;
  return [...numbers, { column: null, span: prediction.span }];
}

/**
 * The layout of statistics: that of a report, of the device's own examples, and behind it, with P bins of predictions and M
 * numbers whose moments are counted (`measuredOf`), measures in [0, 1]:
 *
 * - `label-present`: 1 where enough examples have a label. `label-inverse`: 1 ÷ their number; 0 without.
 * - `label-shares` [P], `label-squares` [P]: shares of their labels in the bins of the predictions, and their squares.
 * - `means` [M], `mean-squares` [M]: the mean of the values and the mean of their squares, both of values that the span maps to
 *   [0, 1], those beyond it taken to be at its limit. 0 where the column's histogram, or that of the labels, is not present. Both
 *   are left out where M is 0, as with first bins.
 *
 * @param identity the hash of the binning (`identityOf`).
 */
export function statisticsLayout(binning: Binning, identity: string): ContributionLayout {
  const tensor = tensorOf(identity);
  const [bins, measured] = [[predictionBins(binning.prediction)], [measuredOf(binning).length]];
  return [
    ...reportLayout(binning, identity),
    tensor('label-present', [], 1),
    tensor('label-inverse', [], SQUARE_UNIT),
    tensor('label-shares', bins, SHARE_UNIT),
    tensor('label-squares', bins, SQUARE_UNIT),
    ...(measured[0] === 0
      ? []
      : [tensor('means', measured, SHARE_UNIT), tensor('mean-squares', measured, SQUARE_UNIT)]),
  ];
}

/** The layout of answers of a kind. */
export function layoutOf(kind: ReportKind, binning: Binning, identity: string): ContributionLayout {
  return kind === 'report' ? reportLayout(binning, identity) : statisticsLayout(binning, identity);
}
