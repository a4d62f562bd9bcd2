import type { Clock } from '@coppice/ports';
import type { SessionState } from './session-state.ts';

/** The time by the coordinator's clock, milliseconds since 1970; null before the first connection. */
export function coordinatorTime(
  { clockOffset }: Pick<SessionState, 'clockOffset'>,
  clock: Clock,
): number | null {
  return clockOffset === null ? null : clock.now() + clockOffset;
}
