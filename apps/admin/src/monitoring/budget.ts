import type { TriggerRule } from '@coppice/continuity';
import type { Firing } from '@coppice/protocol';

/** The most that launches without a release lengthen the cool-down by. */
const LONGEST_BACK_OFF = 16;

/**
 * The period up to which the trigger waits after the last launch; null where it waits for none.
 *
 * @param firings newest first. @param now number of the current period, as `currentPeriod` gives it; null: none is over.
 */
export function coolDownUntil(
  { coolDown }: Pick<TriggerRule, 'coolDown'>,
  firings: readonly Firing[],
  now: number | null,
): number | null {
  const last = firings[0];
  if (last === undefined) return null;
  // An admin that moves a channel says nothing about the candidate.
  const own = firings.filter(({ outcome }) => outcome !== 'overtaken');
  const released = own.findIndex(({ outcome }) => outcome === 'released');
  const failures = released < 0 ? own.length : released;
  const until = periodOf(last) + coolDown * Math.min(LONGEST_BACK_OFF, 2 ** failures);
  return (now ?? -1) < until ? until : null;
}

export const costs = ['rounds', 'bytes', 'deviceSeconds', 'epsilon'] as const;
export type CostName = (typeof costs)[number];

/** One limit of the budget, and what launches in its periods cost so far. */
export interface BudgetLine {
  readonly name: CostName;
  readonly spent: number;
  readonly limit: number;
}

/** The limits that a budget has, each with what was spent. Parameters as of `coolDownUntil`. */
export function budgetLines(
  { budget }: Pick<TriggerRule, 'budget'>,
  firings: readonly Firing[],
  now: number | null,
): BudgetLine[] {
  const counted = firings.filter((firing) => periodOf(firing) > (now ?? -1) - budget.periods);
  return costs.flatMap((name) => {
    const limit = budget[name];
    if (limit === null) return [];
    return [{ name, limit, spent: counted.reduce((sum, { spent }) => sum + (spent[name] ?? 0), 0) }];
  });
}

/**
 * The period that triggers count by: the newest that is over or, where no periods end, that of the time since the last launch.
 *
 * @param firings newest first.
 * @param newest number of the newest period that is over; null: none is.
 * @param time `now` in milliseconds since 1970, by the coordinator's clock; `length` of a period, in milliseconds.
 */
export function currentPeriod(
  firings: readonly Firing[],
  newest: number | null,
  { now, length }: { readonly now: number; readonly length: number },
): number | null {
  const last = firings[0];
  if (last === undefined) return newest;
  return Math.max(newest ?? -1, periodOf(last) + Math.max(0, Math.floor((now - last.at) / length)));
}

/** A firing before the first period counts as the one before it. */
function periodOf({ period }: Firing): number {
  return period ?? -1;
}
