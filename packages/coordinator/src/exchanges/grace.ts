import type { Clock } from '@coppice/ports';

/** A grace period for each cohort member whose connection broke. */
export class Grace {
  readonly #clock: Clock;
  readonly #timers = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param milliseconds delay of `expired`, which is called once, unless `end` comes first. */
  begin(participant: string, milliseconds: number, expired: () => void): void {
    this.end(participant);
    const cancel = this.#clock.setTimer(milliseconds, () => {
      this.#timers.delete(participant);
      expired();
    });
    this.#timers.set(participant, cancel);
  }

  end(participant: string): void {
    this.#timers.get(participant)?.();
    this.#timers.delete(participant);
  }

  endAll(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
