import type { CohortSizes, Norms } from '@coppice/federation';
import type { Answer, CoppiceError } from '@coppice/protocol';
import { type TaskOpening, taskOwner } from './task-opening.ts';

/** The opening of a round, with everything that another process needs to resume it. */
export interface RoundOpening {
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  /** Hash of the model the round began from. */
  readonly parent: string;
  readonly sizes: CohortSizes;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly deadlineAt: number;
  /** Participants, in the order of selection. */
  readonly cohort: readonly string[];
  /** Cohort members beyond the target: the round neither waits for them nor closes by them. */
  readonly beyond: readonly string[];
  /** Cohort members whose answers the round awaits until its deadline. */
  readonly owed: readonly string[];
  /** Participants that a strategy counts as the run's. */
  readonly joined: number;
  /** The largest weight that counts, by participant, in the cohort's order. */
  readonly weightCaps: readonly number[];
  /** L2 norms to which longer groups are scaled down, by the names of norms; `null`: none. */
  readonly normBounds: Norms | null;
}

/** The opening of any exchange. */
export type Opening = RoundOpening | TaskOpening;

/** The run, or the task's exchange, under which the answers are spooled. */
export function ownerOf(opening: Opening): string {
  return isOfTask(opening) ? taskOwner(opening) : opening.run;
}

function isOfTask(opening: Opening): opening is TaskOpening {
  return 'task' in opening;
}

export interface SpooledAnswer {
  readonly participant: string;
  readonly answer: Answer;
}

/** The frame of an answer in the spool, readable in parts. Methods may throw CoppiceError `storage-failed`. */
export interface SpooledFrame {
  readonly byteLength: number;
  /** Fills `into` from byte `at` of the frame on. */
  read(into: Uint8Array, at: number): Promise<void>;
}

/** An exchange of an earlier process. */
export interface SpooledExchange<O extends Opening = Opening> {
  readonly opening: O;
  /**
   * In the order of appending; read one at a time, so that memory holds only one. Frames are returned as written: a
   * decoder must verify the checksum.
   *
   * @throws CoppiceError `storage-failed` where the medium cannot be read.
   */
  answers(): AsyncIterable<SpooledAnswer>;
  /** The reason that part of the spool is unreadable; `null` where all is readable. */
  readonly damage: CoppiceError | null;
}

export type SpooledRound = SpooledExchange<RoundOpening>;

export function isSpooledRound(spooled: SpooledExchange): spooled is SpooledRound {
  return !isOfTask(spooled.opening);
}

export function isSpooledTask(spooled: SpooledExchange): spooled is SpooledExchange<TaskOpening> {
  return isOfTask(spooled.opening);
}

/**
 * A payload that arrives in pieces, stored beside the spooled updates: memory holds only the piece being written. It
 * ends with its process, and its sender then starts again.
 *
 * Methods may throw CoppiceError `storage-failed`.
 */
export interface Incoming {
  /** Resolves when the piece is written, not necessarily durable. Its bytes must not change until then. */
  write(piece: Uint8Array, at: number): Promise<void>;
  /** Fills `into` from the beginning. */
  read(into: Uint8Array): Promise<void>;
  /** Releases its space; never fails. It must be the last call. */
  discard(): Promise<void>;
}

/**
 * A write-ahead log of the answers of open exchanges: append-only, so that an acknowledged answer outlives the process
 * that acknowledged it. Each owner, a run or a task's exchange (`ownerOf`), has at most one. Every implementation must
 * pass `spoolContract`.
 *
 * Methods may throw CoppiceError `storage-failed`; after that the exchange accepts nothing more.
 */
export interface Spool {
  /** Begins an exchange; any earlier one of its owner is deleted. Durable once an append is. */
  open(opening: Opening): void;
  /** Resolves when the answer is on disk. The frame's bytes must not change until then. */
  append(owner: string, answer: SpooledAnswer): Promise<void>;
  /** The frame of a participant's answer in an owner's exchange, once it is on disk; `null`: there is none. */
  frame(owner: string, participant: string): SpooledFrame | null;
  /**
   * Recovers an owner's open exchange of an earlier process; later appends continue it. `null`: there is none.
   *
   * @throws CoppiceError `storage-corrupt` where nothing of it is usable.
   */
  recover(owner: string): Promise<SpooledExchange | null>;
  /** Deletes an owner's exchange that was committed or given up. Resolves when nothing of it can return. */
  drop(owner: string): Promise<void>;
  /** Reserves a file for a payload of `payloadBytes` bytes that arrives in pieces. `recover` does not return it. */
  receive(payloadBytes: number): Promise<Incoming>;
  /** Appended answers that are not yet on disk. */
  readonly waiting: number;
  close(): Promise<void>;
}
