import {
  type AnswerPiece,
  CoppiceError,
  FRAME_HEADER_BYTES,
  frameBytes,
  PIECE_BYTES,
  PIECE_WINDOW,
  pieceBytes,
  pieceCount,
} from '@coppice/protocol';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import type { Incoming, Spool } from '../storage/spool.ts';

interface Transfer {
  readonly header: Uint8Array;
  readonly payloadBytes: number;
  /** Created with the first piece: an announcement alone takes no space. */
  incoming: Promise<Incoming> | null;
  /** The next piece; those before it are written, or being written. */
  next: number;
  /** Number of pieces that are being written. */
  writing: number;
  written: Promise<void>;
}

/**
 * Incoming large answers of one exchange, at most one for each participant. Received pieces are in the spool; memory
 * holds the pieces being written, and one whole frame while it is counted.
 */
export class Transfers {
  readonly #spool: Pick<Spool, 'receive'>;
  readonly #transfers = new Map<string, Transfer>();
  /** Serializes the reading of whole frames into memory. */
  readonly #inTurn = oneAtATime();

  constructor(spool: Pick<Spool, 'receive'>) {
    this.#spool = spool;
  }

  /** Number of transfers in progress. */
  get size(): number {
    return this.#transfers.size;
  }

  /**
   * Announces an answer by its header. The same answer resumes; another one replaces it.
   *
   * @returns the next piece; `null` where all are present.
   */
  announced(participant: string, header: Uint8Array, payloadBytes: number): number | null {
    let transfer = this.#transfers.get(participant);
    if (transfer === undefined || !sameBytes(transfer.header, header)) {
      this.drop(participant);
      // A copy: the header is a view into a message, which would be kept with it.
      const own = new Uint8Array(header);
      transfer = {
        header: own,
        payloadBytes,
        incoming: null,
        next: 0,
        writing: 0,
        written: Promise.resolve(),
      };
      this.#transfers.set(participant, transfer);
    }
    return transfer.next < pieceCount(payloadBytes) ? transfer.next : null;
  }

  /**
   * Takes a piece. Resolves, when it is written, with the next piece; a piece that is already present is not written
   * again.
   *
   * @param unread called where the bytes of the piece are not needed any more, though its reply is still to come.
   * @throws CoppiceError `update-not-offered` where none was announced, `message-invalid` where the piece is out of
   *   order or has the wrong length, `storage-failed`.
   */
  async take(
    participant: string,
    { piece, bytes }: AnswerPiece,
    unread: () => void = () => {},
  ): Promise<number> {
    const transfer = this.#transfers.get(participant);
    if (transfer === undefined) {
      throw new CoppiceError(
        'update-not-offered',
        'No update of this participant is expected in pieces. Send "answer" with its header first.',
      );
    }
    if (piece < transfer.next) {
      unread();
      await transfer.written;
      return transfer.next;
    }
    const content = frameBytes(bytes);
    const expected = pieceBytes(transfer.payloadBytes, piece);
    if (piece > transfer.next) throw invalid(`piece ${transfer.next} comes next, not ${piece}`);
    if (content.byteLength !== expected || expected === 0)
      throw invalid(`piece ${piece} has ${expected} bytes, ${content.byteLength} came`);
    if (transfer.writing === PIECE_WINDOW)
      throw invalid(`more than ${PIECE_WINDOW} pieces came without waiting for an answer`);
    transfer.next++;
    transfer.writing++;
    transfer.incoming ??= this.#spool.receive(transfer.payloadBytes);
    const written = transfer.incoming.then((incoming) => incoming.write(content, piece * PIECE_BYTES));
    const all = Promise.all([transfer.written, written]).then(() => {});
    // Its waiters see the rejection; there may be none.
    all.catch(() => {});
    transfer.written = all;
    try {
      await written;
    } catch (thrown) {
      // The file's state is unknown: the transfer starts again.
      if (this.#transfers.get(participant) === transfer) this.drop(participant);
      throw thrown;
    } finally {
      transfer.writing--;
    }
    return transfer.next;
  }

  /** Runs work while no other whole frame is in memory. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(work);
  }

  /** Reads the whole frame, as received. Call within `alone`, when `announced` reports that all pieces are present. */
  async whole(participant: string): Promise<Uint8Array> {
    const transfer = this.#transfers.get(participant);
    if (transfer?.incoming == null) throw new Error('no transfer is complete');
    await transfer.written;
    const { header, payloadBytes } = transfer;
    // With the header before it the payload is aligned, so its numbers can be read where they are.
    const frame = new Uint8Array(FRAME_HEADER_BYTES + payloadBytes);
    frame.set(header);
    await (await transfer.incoming).read(frame.subarray(FRAME_HEADER_BYTES));
    return frame;
  }

  /** Discards a transfer that is no longer wanted. */
  drop(participant: string): void {
    const transfer = this.#transfers.get(participant);
    this.#transfers.delete(participant);
    transfer?.incoming?.then(
      (incoming) => void incoming.discard(),
      () => {},
    );
  }

  dropAll(): void {
    for (const participant of [...this.#transfers.keys()]) this.drop(participant);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}

function invalid(why: string): CoppiceError {
  return new CoppiceError('message-invalid', `The message "answer-piece" is not valid: ${why}.`);
}
