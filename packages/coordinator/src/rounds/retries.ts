import type { Clock } from '@coppice/ports';
import type { ErrorCode } from '@coppice/protocol';

/** Consecutive diverged rounds after which further attempts are pointless. */
const MAX_DIVERGED_ROUNDS = 5;
/** Pauses before an abandoned round is retried, in milliseconds: doubled each time, from the first to the longest. */
export interface RetryPauses {
  readonly first: number;
  readonly longest: number;
}

const usualPauses: RetryPauses = { first: 1000, longest: 30_000 };

/** Retry policy of abandoned rounds: exponential backoff, and the advice to pause the run. */
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

  /** The next attempt, from 1. */
  get attempt(): number {
    return this.#attempt;
  }

  /** True during the pause before the next attempt. */
  get isPausing(): boolean {
    return this.#stopTimer !== null;
  }

  committed(): void {
    this.#attempt = 1;
    this.#forgive();
  }

  /** Resets the policy when the run resumes: earlier rounds no longer count, and the next one need not wait. */
  resumed(): void {
    this.#forgive();
    this.stop();
  }

  /** @returns `wait`: milliseconds until the next attempt; `giveUp`: true where the run is to be paused instead. */
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

  /** Ends the pause without calling `go`. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
  }

  #forgive(): void {
    this.#abandonedInRow = 0;
    this.#divergedInRow = 0;
  }
}
