import type { CohortSizes, Norms } from '@coppice/federation';
import type { Answer, CoppiceError } from '@coppice/protocol';

/** That a round was opened, and all that is needed to go on with it in another process. */
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
  /** Participants, in the order they were drawn. */
  readonly cohort: readonly string[];
  /** Cohort members asked in addition to the target: the round neither waits for them nor closes by them. */
  readonly beyond: readonly string[];
  /** Cohort members without whose answers the round does not close before its deadline. */
  readonly owed: readonly string[];
  /** Participants that had joined the run. */
  readonly joined: number;
  /** The largest weight that counts, by participant, in the cohort's order. */
  readonly weightCaps: readonly number[];
  /** The L2 norm beyond which a group counts as if it were as long as this, by the names of norms; `null`: none. */
  readonly normBounds: Norms | null;
}

export interface SpooledAnswer {
  readonly participant: string;
  readonly answer: Answer;
}

/** The frame of an answer in the spool, to be read in parts. Methods may throw CoppiceError `storage-failed`. */
export interface SpooledFrame {
  readonly byteLength: number;
  /** Fills `into` from byte `at` of the frame on. */
  read(into: Uint8Array, at: number): Promise<void>;
}

/** A round as an earlier process left it. */
export interface SpooledRound {
  readonly opening: RoundOpening;
  /**
   * In the order they were appended; read one at a time, so that memory holds one. Frames come as they
   * were written: whoever decodes one checks its checksum.
   *
   * @throws CoppiceError `storage-failed` where the medium cannot be read.
   */
  answers(): AsyncIterable<SpooledAnswer>;
  /** Why not all that is there can be read; `null` where all can. */
  readonly damage: CoppiceError | null;
}

/**
 * A payload that comes in pieces, kept where updates are kept: memory holds only what is being written.
 * It does not outlive its process; whoever was sending it begins anew.
 *
 * Methods may throw CoppiceError `storage-failed`.
 */
export interface Incoming {
  /** Resolves when the piece is written, not necessarily durable. Its bytes must not change until then. */
  write(piece: Uint8Array, at: number): Promise<void>;
  /** Fills `into` from the beginning of what was written. */
  read(into: Uint8Array): Promise<void>;
  /** Gives its room back; never fails. Nothing may be called after. */
  discard(): Promise<void>;
}

/**
 * A write-ahead log of the answers of a run's open round: append-only, so that an acknowledged one outlives the process
 * that acknowledged it. A run has at most one open round. Every implementation must pass `spoolContract`.
 *
 * Methods may throw CoppiceError `storage-failed`; after that the round in question takes nothing more.
 */
export interface Spool {
  /** Begins a round; whatever the run had spooled before is forgotten. Durable once an append is. */
  open(opening: RoundOpening): void;
  /** Resolves when the answer is on disk. The frame's bytes must not change until then. */
  append(run: string, answer: SpooledAnswer): Promise<void>;
  /** The frame of a participant's answer in a run's round, once it is on disk; `null`: there is none. */
  frame(run: string, participant: string): SpooledFrame | null;
  /**
   * What an earlier process left of a run's open round; later appends go on after it. `null`: nothing.
   *
   * @throws CoppiceError `storage-corrupt` where nothing of what is there can be used.
   */
  recover(run: string): Promise<SpooledRound | null>;
  /** Forgets a run's round: it was committed or given up. Resolves when nothing of it can come back. */
  drop(run: string): Promise<void>;
  /** Room for a payload of so many bytes that is to come in pieces. Nothing of it is in `recover`. */
  receive(payloadBytes: number): Promise<Incoming>;
  /** Answers that were appended and are not yet on disk. */
  readonly waiting: number;
  close(): Promise<void>;
}
