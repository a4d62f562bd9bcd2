import type { PeriodSummary } from '@coppice/protocol';
import type { Point } from '@coppice/ui';

/** Values of past periods as points of lines, oldest first; null where a period has none. */
export interface PeriodLines {
  /** Of each period the worst: its effect, the interval of that, and the effect above which there is an alarm. */
  readonly drift: Interval & { readonly bound: readonly Point[] };
  /** The mean error, and its interval. */
  readonly errors: Interval;
}

interface Interval {
  readonly value: readonly Point[];
  readonly lower: readonly Point[];
  readonly upper: readonly Point[];
}

/** @param summaries newest first, as the coordinator gives them. */
export function periodLines(summaries: readonly PeriodSummary[]): PeriodLines {
  const points = (read: (verdict: NonNullable<PeriodSummary['verdict']>) => number | undefined): Point[] =>
    summaries
      .map(({ period, verdict }) => ({ x: period, y: verdict === null ? null : (read(verdict) ?? null) }))
      .reverse();
  return {
    drift: {
      value: points(({ drift }) => drift.worst?.effect),
      lower: points(({ drift }) => drift.worst?.interval[0]),
      upper: points(({ drift }) => drift.worst?.interval[1]),
      bound: points(({ drift }) => drift.worst?.bound),
    },
    errors: {
      value: points(({ errors }) => errors?.rate),
      lower: points(({ errors }) => errors?.interval[0]),
      upper: points(({ errors }) => errors?.interval[1]),
    },
  };
}

/** The newest period of each that were fetched, newest first: pages may overlap, as periods end between them. */
export function joinPeriods(
  known: readonly PeriodSummary[],
  page: readonly PeriodSummary[],
): readonly PeriodSummary[] {
  const byPeriod = new Map([...known, ...page].map((one) => [one.period, one]));
  return [...byPeriod.values()].sort((a, b) => b.period - a.period);
}
