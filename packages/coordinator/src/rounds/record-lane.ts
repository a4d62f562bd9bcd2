import { oneAtATime } from '../storage/one-at-a-time.ts';

/**
 * Serialises the writes of one run's record: changes of its status and commits of its rounds. Each of them sees
 * the record that the one before it left in storage, and none runs while another is under way.
 */
export class RecordLane {
  readonly #inTurn = oneAtATime();
  #changes = 0;

  /** Whether a change of status is under way or waits for its turn. No round begins meanwhile. */
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
