import { oneAtATime } from '../storage/one-at-a-time.ts';

/**
 * Serializes the writes of one run's record: changes of its status and commits of its rounds. Each reads the record
 * that the one before it stored, and none runs during another.
 */
export class RecordLane {
  readonly #inTurn = oneAtATime();
  #changes = 0;

  /** True while a change of status runs or waits. No round begins meanwhile. */
  get changing(): boolean {
    return this.#changes > 0;
  }

  async change(write: () => Promise<void>): Promise<void> {
    this.#changes++;
    try {
      await this.#inTurn(write);
    } finally {
      this.#changes--;
    }
  }

  commit<T>(write: () => Promise<T>): Promise<T> {
    return this.#inTurn(write);
  }
}
