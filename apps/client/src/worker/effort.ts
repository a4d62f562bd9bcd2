import type { Clock } from '@coppice/ports';
import type { Pace } from '@coppice/training';
import type { Effort } from '../care/strain.ts';

/** Milliseconds of work that make a meaningful measurement. */
const WORTH_TELLING = 1000;

/** The pace of this worker's training: the page sets it, and receives the device's efforts. */
export function workerPace(
  clock: Clock,
  doing: () => string,
): Pace & { set(share: number): void; listen(told: (effort: Effort) => void): void } {
  let share = 1;
  let told: (effort: Effort) => void = () => {};
  let of = '';
  let busy = 0;
  let examples = 0;
  return {
    clock,
    share: () => share,
    took(milliseconds, count) {
      // Resting after every batch makes a graphics processor slower by itself.
      const now = `${doing()}/${share < 1 ? 'shared' : 'whole'}`;
      if (now !== of) {
        of = now;
        busy = 0;
        examples = 0;
      }
      busy += milliseconds;
      examples += count;
      if (busy < WORTH_TELLING) return;
      told({ of, millisecondsPerExample: busy / examples });
      busy = 0;
      examples = 0;
    },
    set(next) {
      share = next;
    },
    listen(next) {
      told = next;
    },
  };
}
