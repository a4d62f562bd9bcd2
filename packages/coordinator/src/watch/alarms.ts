import type { Verdict } from '@coppice/continuity';
import type { NewEvent } from '../monitoring/new-event.ts';

/** The events of a period's verdict: at most one of drift and one of data quality, each with the worst of its results. */
export function alarmsOf(
  task: string,
  period: number,
  { participants, drift, quality }: Verdict,
): NewEvent[] {
  const about = { run: null, round: null, level: 'warning' } as const;
  const found: NewEvent[] = [];
  const [shift] = drift.results.filter(({ alarm }) => alarm);
  if (shift !== undefined) {
    const { role, name, effect } = shift;
    const data = { task, period, participants, ...countsOf(drift), role, name, effect };
    found.push({ ...about, kind: 'drift-alarm', data });
  }
  const [fault] = quality.results.filter(({ alarm }) => alarm);
  if (fault !== undefined) {
    const { name, fault: kind, reference, current } = fault;
    const data = { task, period, participants, ...countsOf(quality), name, fault: kind, reference, current };
    found.push({ ...about, kind: 'data-quality-alarm', data });
  }
  return found;
}

function countsOf({ results, tested }: Verdict['drift'] | Verdict['quality']) {
  return { alarms: results.filter(({ alarm }) => alarm).length, tested };
}
