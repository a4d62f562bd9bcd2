import type { Release } from '@coppice/protocol';
import type { StoredFiring } from '../storage/firing-storage.ts';
import type { Canaries, Canary } from './arms.ts';
import { isMoveOf } from './firing-moves.ts';

/** The canaries of firings, by the moves of the channel `canary`: one goes on while the last move is its firing's. */
export class FiringCanaries implements Canaries {
  readonly #running = new Map<string, Canary>();

  of(task: string): Canary | null {
    return this.#running.get(task) ?? null;
  }

  all(): Iterable<readonly [string, Canary]> {
    return this.#running;
  }

  /** Takes up a move of the channel `canary`. @param firing the one of the task that has not ended; null: none. */
  moved(move: Release, firing: StoredFiring | null): void {
    const { task, sequence, checkpoint, hash } = move;
    const share = firing?.rules.canary?.share;
    if (
      firing === null ||
      share === undefined ||
      checkpoint === null ||
      hash === null ||
      !isMoveOf(move, firing)
    )
      this.#running.delete(task);
    else this.#running.set(task, { secret: firing.secret, share, sequence, checkpoint, hash });
  }
}
