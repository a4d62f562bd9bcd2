import type { Clock } from '@coppice/ports';

/** Cohort members whose connection broke have a while to come back: one timer each. */
export class Grace {
  readonly #clock: Clock;
  readonly #timers = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param milliseconds after which `expired` is called, once, unless `end` came first. */
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
