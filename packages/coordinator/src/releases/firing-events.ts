import type { GateReason, TriggerReason } from '@coppice/continuity';
import type { NewEvent } from '../monitoring/new-event.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { causesIn, hindrancesIn } from './firing-causes.ts';

/** The event of a firing that begins. */
export function beganEvent(firing: StoredFiring): NewEvent {
  const { task, sequence, period, causes, production } = firing;
  return {
    run: null,
    round: null,
    level: 'info',
    kind: 'firing-began',
    data: {
      task,
      firing: sequence,
      period,
      causes: causesIn(causes as unknown as TriggerReason[]),
      production,
    },
  };
}

/** The event of a launch that is hindered. */
export function hinderedEvent(task: string, period: number, why: readonly TriggerReason[]): NewEvent {
  const hindrances = hindrancesIn(why).map(({ hindrance }) => hindrance);
  return {
    run: null,
    round: null,
    level: hindrances.includes('data-quality') || hindrances.includes('budget') ? 'warning' : 'info',
    kind: 'launch-hindered',
    data: { task, period: Math.max(0, period), causes: causesIn(why), hindrances },
  };
}

/** The event of a change of a firing; null where it is none that people hear of. */
export function changeEvent(before: StoredFiring, after: StoredFiring): NewEvent | null {
  const { task, sequence: firing, run, candidate, comparison, canary, outcome, rules } = after;
  const about = { run, round: null } as const;
  if (before.canary === null && canary !== null && candidate !== null && rules.canary !== null)
    return {
      ...about,
      level: 'info',
      kind: 'canary-began',
      data: { task, firing, candidate, share: rules.canary.share },
    };
  if (before.outcome !== null || outcome === null) return null;
  const reasons = (comparison?.reasons ?? []) as unknown as GateReason[];
  const failed = outcome === 'refused' ? reasons.filter(({ outcome: of }) => of !== 'passed') : [];
  return {
    ...about,
    level: outcome === 'released' || outcome === 'overtaken' ? 'info' : 'warning',
    kind: 'firing-ended',
    data: {
      task,
      firing,
      outcome,
      candidate,
      checks: [...new Set(failed.map(({ check }) => check))],
    },
  };
}
