import {
  type Answer,
  type AnswerPiece,
  CoppiceError,
  FRAME_HEADER_BYTES,
  frameBytes,
  isHeaderAlone,
  PIECE_BYTES,
} from '@coppice/protocol';
import type { Spool } from '../storage/spool.ts';
import type { AnswerForm } from './answer-form.ts';
import type { Cohort, CohortMember } from './cohort.ts';
import type { Gate } from './gate.ts';
import type { Counted, Tally } from './tally.ts';
import { Transfers } from './transfers.ts';

export interface ReceptionOptions {
  readonly cohort: Cohort;
  readonly gate: Gate;
  readonly tally: Tally;
  readonly form: AnswerForm;
  readonly spool: Pick<Spool, 'receive'>;
  /** Called in the turn in which an answer is completely in the sum. */
  readonly counted: (participant: string, member: CohortMember, answer: Answer, how: Counted) => void;
  /** Called when a complete answer has been inspected. */
  readonly lookedAt: () => void;
}

/**
 * Adds answers to the sum: whole ones, and those that are announced by their header and follow in pieces. Each member's
 * answers are inspected one at a time.
 */
export class Reception {
  readonly #o: ReceptionOptions;
  readonly #transfers: Transfers;

  constructor(options: ReceptionOptions) {
    this.#o = options;
    this.#transfers = new Transfers(options.spool);
  }

  /** Settles, as its answer does, when the participant's complete answer has been inspected; `null`: there is none. */
  lookingAt(participant: string): Promise<CohortMember> | null {
    return this.#o.cohort.get(participant)?.taking ?? null;
  }

  /**
   * @returns the piece that is wanted next; or the member whose answer counts.
   * @throws CoppiceError a fault of the answer, or `update-late` and its kin.
   */
  take(participant: string, answer: Answer): number | Promise<CohortMember> | CohortMember {
    const frame = frameBytes(answer.frame);
    if (!isHeaderAlone(frame)) return this.#whole(participant, answer, frame.byteLength);
    this.#o.gate.wanted(participant);
    const next = this.#transfers.announced(participant, frame, this.#o.form.payloadBytes(answer));
    if (next !== null) return next;
    // One whole frame is in memory at a time.
    return this.#looking(participant, () =>
      this.#transfers.alone(() => this.#fromPieces(participant, answer)),
    );
  }

  /** Takes a piece of an announced answer. @returns the piece that is wanted next, once this one is written. */
  takePiece(participant: string, piece: AnswerPiece, unread: () => void): Promise<number> {
    this.#o.gate.ensureOpen();
    return this.#transfers.take(participant, piece, unread);
  }

  /** Discards the pieces of a participant. */
  drop(participant: string): void {
    this.#transfers.drop(participant);
  }

  dropAll(): void {
    this.#transfers.dropAll();
  }

  #whole(participant: string, answer: Answer, bytes: number): CohortMember | Promise<CohortMember> {
    if (bytes > PIECE_BYTES) throw tooLarge(bytes);
    const { tally, gate } = this.#o;
    if (tally.takesTurns) return this.#looking(participant, () => this.#inTurns(participant, answer));
    const member = gate.wanted(participant);
    this.#o.counted(participant, member, answer, tally.add(participant, answer));
    return member;
  }

  async #fromPieces(participant: string, answer: Answer): Promise<CohortMember> {
    const { gate } = this.#o;
    // The exchange may have closed while others had their turn.
    gate.wanted(participant);
    try {
      const frame = await this.#transfers.whole(participant).catch((thrown: unknown) => {
        // Pieces that are not wanted any more are given up, also while they are read.
        gate.wanted(participant);
        throw thrown;
      });
      return await this.#inTurns(participant, { ...answer, frame });
    } finally {
      this.#transfers.drop(participant);
    }
  }

  async #inTurns(participant: string, answer: Answer): Promise<CohortMember> {
    const { gate, tally } = this.#o;
    const member = gate.wanted(participant);
    const isIn = await tally.addInTurns(
      participant,
      answer,
      () => gate.isWanted(participant),
      (how) => this.#o.counted(participant, member, answer, how),
    );
    if (!isIn) gate.wanted(participant);
    return member;
  }

  /** Inspects a complete answer; from here on a deadline waits for it. */
  async #looking(participant: string, work: () => Promise<CohortMember>): Promise<CohortMember> {
    const member = this.#o.gate.wanted(participant);
    const taking = work();
    member.taking = taking;
    try {
      return await taking;
    } finally {
      member.taking = null;
      this.#o.lookedAt();
    }
  }
}

function tooLarge(bytes: number): CoppiceError {
  return new CoppiceError(
    'frame-too-large',
    `The update came whole with ${bytes} bytes; above ${PIECE_BYTES} it is announced by its header of ${FRAME_HEADER_BYTES} bytes and follows in pieces.`,
  );
}
