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
import type { Incoming, Spool } from '../storage/spool.ts';

interface Transfer {
  readonly header: Uint8Array;
  readonly payloadBytes: number;
  /** Made with the first piece: an announcement alone takes no room. */
  incoming: Promise<Incoming> | null;
  /** The piece that comes next; those before it are written, or being written. */
  next: number;
  /** Pieces that are being written. */
  writing: number;
  written: Promise<void>;
}

/**
 * Large updates of one run on their way here, at most one a participant. What has come lies where the spool
 * keeps it; memory holds the pieces being written, and one whole frame while it is counted.
 */
export class Transfers {
  readonly #spool: Pick<Spool, 'receive'>;
  readonly #transfers = new Map<string, Transfer>();
  /** Whole frames are taken into memory one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(spool: Pick<Spool, 'receive'>) {
    this.#spool = spool;
  }

  /** How many are under way. */
  get size(): number {
    return this.#transfers.size;
  }

  /**
   * An update was announced by its header. The same one goes on where it was, another takes its place.
   *
   * @returns the piece that comes next; `null` where all are here.
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
   * Takes a piece. Resolves, when it is written, with the piece that comes next; one that is here already
   * is not written again.
   *
   * @throws CoppiceError `update-not-offered` where none was announced, `message-invalid` where the piece
   *   is not the one that comes next or has not the length that it must have, `storage-failed`.
   */
  async take(participant: string, { piece, bytes }: AnswerPiece): Promise<number> {
    const transfer = this.#transfers.get(participant);
    if (transfer === undefined) {
      throw new CoppiceError(
        'update-not-offered',
        'No update of this participant is expected in pieces. Send "answer" with its header first.',
      );
    }
    if (piece < transfer.next) {
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
    // Whoever waits for it hears of it; nobody may be waiting.
    all.catch(() => {});
    transfer.written = all;
    try {
      await written;
    } catch (thrown) {
      // Nobody knows what is there: it begins anew.
      if (this.#transfers.get(participant) === transfer) this.drop(participant);
      throw thrown;
    } finally {
      transfer.writing--;
    }
    return transfer.next;
  }

  /** Does something while no other whole frame is in memory. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** The whole frame, as it came; to be called within `alone`, when `announced` says that all is here. */
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

  /** What has come is not wanted any more. */
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
