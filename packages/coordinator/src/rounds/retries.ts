import type { Clock } from '@coppice/ports';
import type { ErrorCode } from '@coppice/protocol';

/** After so many rounds in a row that all diverged, waiting longer will not help. */
const MAX_DIVERGED_ROUNDS = 5;
/** Pauses before a round that was abandoned is tried again, in milliseconds: doubled each time, from the first to the longest. */
export interface RetryPauses {
  readonly first: number;
  readonly longest: number;
}

const usualPauses: RetryPauses = { first: 1000, longest: 30_000 };

/** When a round that was abandoned is tried again, and when the run is better paused. */
export class Retries {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #pauses: RetryPauses;
  #attempt: number;
  #abandonedInRow = 0;
  #divergedInRow = 0;
  #stopTimer: (() => void) | null = null;

  constructor(clock: Pick<Clock, 'setTimer'>, attempt = 1, pauses: RetryPauses = usualPauses) {
    this.#clock = clock;
    this.#attempt = attempt;
    this.#pauses = pauses;
  }

  /** The attempt that comes next, from 1. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Whether the pause before the next attempt is not over. */
  get isPausing(): boolean {
    return this.#stopTimer !== null;
  }

  committed(): void {
    this.#attempt = 1;
    this.#forgive();
  }

  /** The run goes on after a pause: earlier rounds do not count against it, and the next one need not wait. */
  resumed(): void {
    this.#forgive();
    this.stop();
  }

  /** @returns `wait`: milliseconds until the next attempt; `giveUp`: whether the run is to be paused instead. */
  abandoned(attempt: number, code: ErrorCode): { wait: number; giveUp: boolean } {
    this.#attempt = attempt + 1;
    this.#divergedInRow = code === 'training-diverged' ? this.#divergedInRow + 1 : 0;
    const wait = Math.min(this.#pauses.longest, this.#pauses.first * 2 ** this.#abandonedInRow++);
    return { wait, giveUp: this.#divergedInRow >= MAX_DIVERGED_ROUNDS };
  }

  /** Pauses before the next attempt, then calls `go`. */
  pause(wait: number, go: () => void): void {
    this.#stopTimer = this.#clock.setTimer(wait, () => {
      this.#stopTimer = null;
      go();
    });
  }

  /** Ends the pause without calling back. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
  }

  #forgive(): void {
    this.#abandonedInRow = 0;
    this.#divergedInRow = 0;
  }
}
