import type { Clock } from '@coppice/ports';
import { ANSWER_TIMEOUT } from '@coppice/protocol';

/**
 * Waits for the next word of a run. A run tells its participants of every change. Where nothing comes for long, a message
 * may have been lost.
 */
export class Silence {
  readonly #clock: Clock;
  #stop: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Begins the wait, in place of the one before: 120 to 240 s. Participants that fell silent together do not all ask
   * together: the answer to the first is heard by all.
   *
   * @param participant its id, which decides the time; `null`: the shortest.
   * @param lasted is called once, at the end of the wait.
   */
  wait(participant: string | null, lasted: () => void): void {
    this.stop();
    const share = Number.parseInt(participant?.slice(0, 8) ?? '', 16) / 2 ** 32 || 0;
    this.#stop = this.#clock.setTimer(ANSWER_TIMEOUT * (1 + share), lasted);
  }

  stop(): void {
    this.#stop();
    this.#stop = () => {};
  }
}
