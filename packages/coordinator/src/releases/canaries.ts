import type { CheckpointId, Release } from '@coppice/protocol';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { isMoveOf } from './firing-moves.ts';

/** A canary that goes on. */
export interface Canary {
  /** Known to the coordinator alone: nobody else can tell the arm of a participant. */
  readonly secret: string;
  /** The share of participants with the canary, in (0, 0.5]; as many are the control group. */
  readonly share: number;
  /** The number of the move of the channel `canary` that began it. */
  readonly sequence: number;
  readonly checkpoint: CheckpointId;
  /** The hash of its weights. */
  readonly hash: string;
}

/** The canaries that go on, at most one a task. */
export interface Canaries {
  of(task: string): Canary | null;
  all(): Iterable<readonly [task: string, canary: Canary]>;
}

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
    if (firing === null || share === undefined || checkpoint === null || hash === null || !isMoveOf(move, firing))
      this.#running.delete(task);
    else this.#running.set(task, { secret: firing.secret, share, sequence, checkpoint, hash });
  }
}
