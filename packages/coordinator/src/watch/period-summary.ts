import type { PeriodSummary, WatchedPeriod } from '@coppice/protocol';

/** A period without its sums and distributions: a few hundred bytes, whatever the number of columns. */
export function summaryOf({
  period,
  reference,
  release,
  startedAt,
  endedAt,
  reports,
  verdict,
}: WatchedPeriod): PeriodSummary {
  const head = { period, reference, release, startedAt, endedAt, reports };
  if (verdict === null) return { ...head, verdict: null };
  const { participants, observations, drift, quality, errors } = verdict;
  const worstDrift = largest(drift.results);
  const worstQuality = largest(quality.results);
  return {
    ...head,
    verdict: {
      participants,
      observations,
      drift: {
        ...testedOf(drift),
        worst: worstDrift === null ? null : { role: worstDrift.role, ...headlineOf(worstDrift) },
      },
      quality: {
        ...testedOf(quality),
        worst: worstQuality === null ? null : { fault: worstQuality.fault, ...headlineOf(worstQuality) },
      },
      errors,
    },
  };
}

interface Test {
  readonly name: string;
  readonly effect: number;
  readonly interval: readonly [number, number];
  readonly bound: number;
  readonly alarm: boolean;
}

interface Tests {
  readonly alarm: boolean;
  readonly tested: number;
  readonly suppressed: number;
  readonly results: readonly Test[];
}

function testedOf({ alarm, tested, suppressed, results }: Tests) {
  return { alarm, tested, suppressed, alarms: results.filter((one) => one.alarm).length };
}

function headlineOf({ name, effect, interval, bound }: Test) {
  return { name, effect, interval, bound };
}

/** The first result of the worst kind: one with an alarm where there is any, then the one with the largest effect. */
function largest<T extends Test>(results: readonly T[]): T | null {
  return results.reduce<T | null>(
    (worst, one) =>
      worst === null || (one.alarm === worst.alarm ? one.effect > worst.effect : one.alarm) ? one : worst,
    null,
  );
}
