/** The time grid of a task's periods. */
export interface Periods {
  /** Milliseconds since 1970 at which period 0 began. */
  readonly epoch: number;
  /** In milliseconds, more than 0. */
  readonly length: number;
}

export interface Period {
  readonly period: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly deadlineAt: number;
}

/**
 * The period to open at a time. Periods follow a grid, so that a coordinator that was down goes on with the current one and
 * leaves out those between. No number comes again and no period is longer than the others, wherever the date is set to.
 *
 * @param now milliseconds since 1970.
 * @param lastClosed the last period that was closed; `null`: none.
 */
export function nextPeriod(now: number, { epoch, length }: Periods, lastClosed: number | null): Period {
  const current = Math.max(0, Math.floor((now - epoch) / length));
  const period = Math.max(current, (lastClosed ?? -1) + 1);
  return { period, startedAt: now, deadlineAt: Math.min(epoch + (period + 1) * length, now + length) };
}
