import type { Cause, Channel, CheckpointId, Json, Release } from '@coppice/protocol';

/** A move of a channel to be recorded. Storage gives it its number and adds what follows from the records. */
export interface NewRelease {
  readonly task: string;
  readonly channel: Channel;
  /** Null: the channel is emptied. */
  readonly checkpoint: CheckpointId | null;
  /** Number of the channel's last move as the author knows it; null: none. */
  readonly expected: number | null;
  readonly undoes: number | null;
  readonly at: number;
  readonly by: Cause;
  readonly reason: string;
  readonly evidence: Json;
}

/** The most moves in a page, where no other limit is given. */
export const RELEASES_A_PAGE = 50;

/** With `after`: the moves after that number, oldest first; else those before `before`, or the last ones, newest first. */
export interface ReleasePage {
  readonly channel?: Channel;
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
}

/** The part of `Storage` for the moves of channels, which are never changed and never deleted. */
export interface ReleaseStorage {
  /**
   * Records a move, in one transaction with the checks that it must pass: of moves that expect the same last move of a
   * channel one is recorded. A checkpoint that is moved to is not deleted in between.
   *
   * @throws CoppiceError `release-conflict` where the channel's last move is another than the expected one;
   *   `checkpoint-unknown` where the task has no such checkpoint.
   */
  moveChannel(move: NewRelease): Promise<Release>;
  /**
   * The last move of a channel; null before its first.
   *
   * @param at left out: now; else the last move, in their order, made no later than then.
   */
  lastRelease(task: string, channel: Channel, at?: number): Promise<Release | null>;
  /** One move by its number; null where there is none. */
  release(task: string, sequence: number): Promise<Release | null>;
  /** A page of a task's moves. */
  releases(task: string, page: ReleasePage): Promise<Release[]>;
}
