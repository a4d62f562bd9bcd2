import { type Binning, type ColumnBins, groupsIn } from '../reference/binning.ts';
import { canonicalHash } from '../reference/canonical.ts';
import { reportLayout } from './layout.ts';
import { statisticsNumbers } from './statistics-layout.ts';

/** Everything that a person agrees to who lets a device report. */
export interface ReportTerms {
  /** The reference, or the binning that a reference is being made with. */
  readonly binning: Binning;
  /** The length of a period in milliseconds: a device reports once in each. */
  readonly periodMilliseconds: number;
  /** The fewest observations of which anything leaves a device. */
  readonly minimum: number;
}

/**
 * The version of the consent to reports: a hash over what they tell, in lower-case hexadecimal digits. It changes with the
 * columns that are watched and their kinds, with the column of the groups, with the kinds of numbers in a report and in statistics, with the period and with the minimum. It
 * stays where bins move, as they do with each reference, and where the way changes in which raw data become columns.
 */
export function consentVersion({ binning, periodMilliseconds, minimum }: ReportTerms): string {
  const { columns, prediction, confidence } = binning;
  const groups = groupsIn(binning);
  return canonicalHash({
    columns: columns.map(watched),
    prediction: prediction.kind === 'class' ? { classes: prediction.classes } : {},
    confidence: confidence !== null,
    // Names alone: shapes follow from the bins.
    numbers: [...reportLayout(binning, '').map(({ name }) => name), ...statisticsNumbers],
    periodMilliseconds,
    minimum,
    ...(groups === null ? {} : { groups: columns[groups.column]?.name }),
  });
}

function watched(column: ColumnBins): object {
  const { kind, name } = column;
  return column.kind === 'category' ? { kind, name, values: column.values } : { kind, name };
}
