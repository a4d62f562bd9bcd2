import type { Clock } from '@coppice/ports';

/** A bucket that fills by one with every event and leaks with time. */
export class Bucket {
  readonly #clock: Clock;
  readonly #leakPerSecond: number;
  #level = 0;
  #since: number;

  constructor(clock: Clock, { leakPerSecond }: { leakPerSecond: number }) {
    this.#clock = clock;
    this.#leakPerSecond = leakPerSecond;
    this.#since = clock.now();
  }

  /** @returns how full it is with this event. A clock that goes back empties nothing. */
  add(): number {
    const now = this.#clock.now();
    const leaked = (Math.max(0, now - this.#since) / 1000) * this.#leakPerSecond;
    this.#level = Math.max(0, this.#level - leaked) + 1;
    this.#since = now;
    return this.#level;
  }
}
