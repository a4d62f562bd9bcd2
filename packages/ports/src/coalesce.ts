import type { Clock } from './clock.ts';

/**
 * Calls `flush` at most once per `milliseconds`, at the end of the interval in which it was requested, so that a
 * hundred changes in one instant become one message. A function is called for the length of each interval as it begins.
 */
export function coalesce(
  clock: Clock,
  milliseconds: number | (() => number),
  flush: () => void,
): { request(): void; cancel(): void } {
  let cancel: (() => void) | null = null;
  return {
    request() {
      cancel ??= clock.setTimer(typeof milliseconds === 'number' ? milliseconds : milliseconds(), () => {
        cancel = null;
        flush();
      });
    },
    cancel() {
      cancel?.();
      cancel = null;
    },
  };
}
