import type { Clock } from '@coppice/ports';

/** A leaky bucket: each event adds one, and it drains over time. */
export class Bucket {
  readonly #clock: Clock;
  readonly #leakPerSecond: number;
  #level = 0;
  #since: number;

  constructor(clock: Clock, { leakPerSecond }: { leakPerSecond: number }) {
    this.#clock = clock;
    this.#leakPerSecond = leakPerSecond;
    this.#since = clock.elapsed();
  }

  /** Adds an event. @returns the new level. */
  add(): number {
    const now = this.#clock.elapsed();
    const leaked = ((now - this.#since) / 1000) * this.#leakPerSecond;
    this.#level = Math.max(0, this.#level - leaked) + 1;
    this.#since = now;
    return this.#level;
  }
}
