import type { Moment, Reference } from '@coppice/continuity';
import type { DriftVerdict } from '@coppice/protocol';

/** What a reference tells of one distribution beside its shares. */
export interface AtRelease {
  /** Of a numeric column; null: not known. */
  readonly moment: Moment | null;
  /** Of the labels, beside predictions; null: not known, or another distribution. */
  readonly labels: { readonly shares: readonly number[]; readonly moment: Moment | null } | null;
}

/** @param reference the one that the distribution is held against; null where it is not known, as an earlier one. */
export function atRelease(
  { role, name }: Pick<DriftVerdict['drift']['results'][number], 'role' | 'name'>,
  reference: Reference | null,
): AtRelease {
  const column = role === 'input' ? reference?.columns.find((one) => one.name === name) : undefined;
  const labels = role === 'prediction' ? reference?.labels : undefined;
  return {
    moment: (column?.kind === 'number' ? column.moment : undefined) ?? null,
    labels:
      labels === undefined || labels.spread.participants === 0
        ? null
        : { shares: labels.spread.shares, moment: labels.moment ?? null },
  };
}
