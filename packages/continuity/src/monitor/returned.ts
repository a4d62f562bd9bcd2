import type { MonitorState } from './state.ts';

/**
 * A monitor's state with counts that were to be reported and did not count: they are added to those that came since, for the
 * next report. Detectors, warnings and predictions that await their outcome are the current ones.
 *
 * @param counts the state just before `begin`, of the same reference.
 */
export function withReturned(current: MonitorState, counts: MonitorState): MonitorState {
  const sum = (a: readonly number[], b: readonly number[]) => a.map((one, i) => one + (b[i] as number));
  return {
    ...current,
    // The period may be asked for once more.
    period: counts.period,
    observations: current.observations + counts.observations,
    foreign: current.foreign + counts.foreign,
    counts: current.counts.map((bins, i) => sum(bins, counts.counts[i] as number[])),
    missing: sum(current.missing, counts.missing),
    outside: sum(current.outside, counts.outside),
    labelled: current.labelled + counts.labelled,
    errors: current.errors + counts.errors,
    unmatched: current.unmatched + counts.unmatched,
    warned: current.warned || counts.warned,
    ...(current.groups === undefined
      ? {}
      : {
          groups: current.groups.map(({ labelled, errors }, i) => ({
            labelled: labelled + (counts.groups?.[i]?.labelled ?? 0),
            errors: errors + (counts.groups?.[i]?.errors ?? 0),
          })),
        }),
  };
}
