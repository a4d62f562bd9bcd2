import type { TriggerReason } from '@coppice/continuity';
import { CoppiceError, type FiringCause } from '@coppice/protocol';
import type { StoredFiring } from '../storage/firing-storage.ts';

/** The names of causes, in the order of the reasons. */
export function causesIn(reasons: readonly TriggerReason[]): FiringCause[] {
  return reasons.flatMap((reason) => ('cause' in reason ? [reason.cause] : []));
}

export function hindrancesIn(reasons: readonly TriggerReason[]) {
  return reasons.filter((reason) => 'hindrance' in reason);
}

/** The name of a firing's first cause. */
export function firstCause({ causes }: Pick<StoredFiring, 'causes'>): FiringCause {
  return causesIn(causes as unknown as TriggerReason[])[0] ?? 'by-hand';
}

/** The refusal of a launch by hand, with its hindrances. */
export function hindered(task: string, reasons: readonly TriggerReason[]): CoppiceError {
  const why = hindrancesIn(reasons).map((reason) =>
    reason.hindrance === 'budget'
      ? `the budget of ${reason.of} has ${Math.max(0, reason.left)} left, and a launch costs ${reason.cost}`
      : reason.hindrance === 'running'
        ? 'a firing goes on'
        : `of ${reason.hindrance}`,
  );
  return new CoppiceError(
    'firing-refused',
    `No run of "${task}" was launched, since ${why.join('; ')}. GET /api/tasks/${task}/firings shows the firings and their costs.`,
  );
}
