import type { Clock } from '@coppice/ports';

/** Share of a device's time that training may take, and the listener to its speed. */
export interface Pace {
  readonly clock: Clock;
  /** Above 0, at most 1. Read after every batch, so that a change takes effect within a round. */
  share(): number;
  /** Receives from time to time the milliseconds for which `examples` kept the device busy, idling excluded. */
  took?(milliseconds: number, examples: number): void;
}

/** The longest stretch that counts as work; a longer one means, most likely, that the device slept. */
const LONGEST_BUSY = 10_000;
/** Resolution of timers; shorter idling accumulates. */
const SHORTEST_IDLE = 4;

/**
 * Idles so that training takes `share` of the time: busy × (1 − share) / share after each stretch of work. It changes
 * the timing of results, not the results.
 */
export class Pacer {
  readonly #pace: Pace | null;
  #since: number;
  #owed = 0;

  constructor(pace: Pace | null) {
    this.#pace = pace;
    this.#since = pace?.clock.elapsed() ?? 0;
  }

  /** True where the pacer rests after every batch; the device's queue must then be empty, or it would work on. */
  get slowed(): boolean {
    return this.#pace !== null && this.#pace.share() < 1;
  }

  /** Call when the device has finished all submitted work: `examples` since the last call. */
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

/** Waits until the time is up or `signal` is aborted. */
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
