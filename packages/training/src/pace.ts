import type { Clock } from '@coppice/ports';

/** How much of a device's time training may take, and who hears how long it takes. */
export interface Pace {
  readonly clock: Clock;
  /** Above 0, at most 1. Asked after every batch, so that a change takes hold in the midst of a round. */
  share(): number;
  /** Told from time to time how long so many examples kept the device busy, without the idling. */
  took?(milliseconds: number, examples: number): void;
}

/** The longest stretch that counts as work: one that took longer was, most likely, a device asleep. */
const LONGEST_BUSY = 10_000;
/** Timers are no finer than this; shorter idling is saved up. */
const SHORTEST_IDLE = 4;

/**
 * Idles so that training is at work for `share` of the time: busy × (1 − share) / share after each
 * stretch of work. What is computed does not depend on it, only when.
 */
export class Pacer {
  readonly #pace: Pace | null;
  #since: number;
  #owed = 0;

  constructor(pace: Pace | null) {
    this.#pace = pace;
    this.#since = pace?.clock.elapsed() ?? 0;
  }

  /** Whether to rest after every batch: the device's queue must be empty then, or it would work on. */
  get slowed(): boolean {
    return this.#pace !== null && this.#pace.share() < 1;
  }

  /** Call when the device has done all it was given: `examples` since the last call. */
  async rest(examples: number, signal?: AbortSignal): Promise<void> {
    if (this.#pace === null) return;
    const { clock } = this.#pace;
    const busy = Math.min(LONGEST_BUSY, Math.max(0, clock.elapsed() - this.#since));
    this.#pace.took?.(busy, examples);
    const share = this.#pace.share();
    this.#owed = share < 1 ? this.#owed + (busy * (1 - share)) / share : 0;
    if (this.#owed >= SHORTEST_IDLE) {
      const idle = this.#owed;
      this.#owed = 0;
      await idleFor(clock, idle, signal);
    }
    this.#since = clock.elapsed();
  }
}

/** Waits; no longer than until `signal` is aborted. */
function idleFor(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.setTimer(milliseconds, done);
    signal?.addEventListener('abort', done);
  });
}
