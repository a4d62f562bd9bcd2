import {
  type Answer,
  type Codec,
  CoppiceError,
  decodeHeader,
  FRAME_HEADER_BYTES,
  type FrameExpectation,
  frameBytes,
  isHeaderAlone,
  type Parcel,
  PIECE_BYTES,
  pieceBytes,
  pieceCount,
  pieceOf,
  type Reply,
  travelling,
  type UpName,
  type UpValue,
} from '@coppice/protocol';
import type { Transport } from './transport.ts';

/** Pieces in flight at once: one is on the line while the one before is being acknowledged. */
const UNDER_WAY = 2;
/** Repeated announcements of an answer without progress at the coordinator before it is given up. */
const ANNOUNCEMENTS = 3;

type Request = Transport['request'];

export interface PieceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of finished pieces, their total, and their size in bytes. */
  readonly onPiece?: ((done: number, of: number, bytes: number) => void) | undefined;
}

/**
 * Sends an answer: in one message where its frame is no larger than a piece, otherwise its header first and its payload
 * in pieces, from the one that the coordinator wants next. A second call after a lost connection resumes.
 *
 * @returns the coordinator's acknowledgement.
 * @throws CoppiceError `connection-lost`, `update-not-offered`; an `AbortError` when `signal` was aborted.
 */
export async function sendAnswer(
  request: Request,
  answer: Answer,
  options: PieceOptions = {},
): Promise<Reply<UpValue<'answer'>>> {
  const frame = frameBytes(answer.frame);
  const header = travelling(frame);
  if (header === frame) return request('answer', answer);
  let furthest = -1;
  for (let stuck = 0; ; ) {
    options.signal?.throwIfAborted();
    const reply = await request('answer', { ...answer, frame: header });
    if (!reply.ok || reply.value.next === null) return reply;
    stuck = reply.value.next > furthest ? 0 : stuck + 1;
    furthest = Math.max(furthest, reply.value.next);
    if (stuck === ANNOUNCEMENTS) {
      throw new CoppiceError(
        'update-not-offered',
        'The coordinator asks for the same pieces of the update again and again.',
      );
    }
    const refused = await sendPieces(request, answer, reply.value.next, options);
    // Forgotten meanwhile, as by a restart: announced anew, it begins anew.
    if (refused !== null && refused.error.code !== 'update-not-offered') return refused;
  }
}

type Refused = Extract<Reply<never>, { ok: false }>;

async function sendPieces(
  request: Request,
  { run, ticket, frame }: Answer,
  from: number,
  { signal, onPiece }: PieceOptions,
): Promise<Refused | null> {
  const payload = frameBytes(frame).subarray(FRAME_HEADER_BYTES);
  const of = pieceCount(payload.byteLength);
  onPiece?.(from, of, payload.byteLength);
  return inOrder(request, 'answer-piece', { from, of, signal }, (piece) => ({
    message: { run, ticket, piece, bytes: pieceOf(payload, piece) },
    done: () => onPiece?.(piece + 1, of, payload.byteLength),
  }));
}

/** Sends one request for each piece, a few at once, and handles the replies in order. */
async function inOrder<N extends 'answer-piece' | 'parcel'>(
  request: Request,
  name: N,
  { from, of, signal }: { from: number; of: number; signal: AbortSignal | undefined },
  ask: (piece: number) => { message: Parameters<typeof request<N>>[1]; done: (value: UpValue<N>) => void },
): Promise<Refused | null> {
  const underWay: { reply: Promise<Reply<UpValue<N>>>; done: (value: UpValue<N>) => void }[] = [];
  for (let piece = from; piece < of || underWay.length > 0; ) {
    signal?.throwIfAborted();
    if (piece < of && underWay.length < UNDER_WAY) {
      const { message, done } = ask(piece++);
      const reply = request(name as UpName, message as never) as Promise<Reply<UpValue<N>>>;
      // An earlier one may be refused first, and then nothing waits for this one.
      reply.catch(() => {});
      underWay.push({ reply, done });
      continue;
    }
    const { reply, done } = underWay.shift() as (typeof underWay)[number];
    const answer = await reply;
    if (!answer.ok) return answer;
    done(answer.value);
  }
  return null;
}

/** A parcel whose header arrived alone. */
interface WantedParcel {
  readonly run: string;
  readonly hash: string;
  readonly codec: Codec;
  readonly header: Uint8Array;
  readonly payloadBytes: number;
}

interface Fetch {
  readonly frame: Promise<Uint8Array>;
  readonly abort: AbortController;
  readonly heard: Set<NonNullable<PieceOptions['onPiece']>>;
  waiting: number;
  /** Progress of the fetch. */
  readonly at: { done: number; of: number; bytes: number };
}

/**
 * Fetches the payloads of large parcels, whose headers arrived alone. Concurrent requests for one parcel share its
 * fetch, and an interrupted fetch resumes when its parcel is requested again.
 */
export class ParcelFetcher {
  readonly #request: Request;
  readonly #fetches = new Map<string, Fetch>();
  /** The rest of the last interrupted fetch. */
  #left: { key: string; frame: Uint8Array; pieces: number } | null = null;

  constructor(request: Request) {
    this.#request = request;
  }

  /**
   * Returns the whole frame of a parcel, with the received header and an unchecked payload.
   *
   * @param expected the form by the run's layout: memory is allocated for nothing else.
   * @throws CoppiceError `connection-lost`, `checkpoint-unknown` where the parcel is no longer current,
   *   `frame-invalid`, `update-shape`; an `AbortError` when `signal` was aborted.
   */
  async fetch(
    run: string,
    { hash, frame }: Pick<Parcel, 'hash' | 'frame'>,
    expected: FrameExpectation,
    { signal, onPiece }: PieceOptions = {},
  ): Promise<Uint8Array> {
    const header = frameBytes(frame);
    if (!isHeaderAlone(header)) return header;
    signal?.throwIfAborted();
    const { codec, payloadBytes } = decodeHeader(header, expected);
    // A model travels exact and rounded.
    const key = `${run}/${hash}/${codec}`;
    const known = this.#fetches.get(key);
    const fetch = known ?? this.#begin(key, { run, hash, codec, header, payloadBytes });
    if (known === undefined) {
      this.#fetches.set(key, fetch);
      const over = () => {
        if (this.#fetches.get(key) === fetch) this.#fetches.delete(key);
      };
      fetch.frame.then(over, over);
    }
    if (onPiece !== undefined) {
      fetch.heard.add(onPiece);
      const { done, of, bytes } = fetch.at;
      if (of > 0) onPiece(done, of, bytes);
    }
    fetch.waiting++;
    let aborted: () => void = () => {};
    try {
      return await new Promise((resolve, reject) => {
        aborted = () => reject(signal?.reason);
        signal?.addEventListener('abort', aborted);
        fetch.frame.then(resolve, reject);
      });
    } finally {
      signal?.removeEventListener('abort', aborted);
      if (onPiece !== undefined) fetch.heard.delete(onPiece);
      // Nothing waits for it any more.
      if (--fetch.waiting === 0) {
        fetch.abort.abort();
        if (this.#fetches.get(key) === fetch) this.#fetches.delete(key);
      }
    }
  }

  #begin(key: string, wanted: WantedParcel): Fetch {
    const heard: Fetch['heard'] = new Set();
    const abort = new AbortController();
    const at = { done: 0, of: 0, bytes: 0 };
    const frame = this.#fetchPieces(key, wanted, {
      signal: abort.signal,
      onPiece: (done, of, bytes) => {
        Object.assign(at, { done, of, bytes });
        for (const hear of heard) hear(done, of, bytes);
      },
    });
    // A failure is heard by those who wait; all may have stopped waiting.
    frame.catch(() => {});
    return { frame, abort, heard, waiting: 0, at };
  }

  async #fetchPieces(
    key: string,
    { run, hash, codec, header, payloadBytes }: WantedParcel,
    { signal, onPiece }: PieceOptions,
  ): Promise<Uint8Array> {
    const of = pieceCount(payloadBytes);
    const left = this.#left?.key === key ? this.#left : null;
    this.#left = null;
    // With the header before it the payload is aligned, so its numbers can be read where they are.
    const frame = left?.frame ?? new Uint8Array(FRAME_HEADER_BYTES + payloadBytes);
    frame.set(header);
    let pieces = left?.pieces ?? 0;
    onPiece?.(pieces, of, payloadBytes);
    try {
      const refused = await inOrder(this.#request, 'parcel', { from: pieces, of, signal }, (piece) => ({
        message: { run, hash, codec, piece },
        done: ({ bytes }) => {
          const content = frameBytes(bytes);
          if (content.byteLength !== pieceBytes(payloadBytes, piece)) {
            throw new CoppiceError(
              'frame-invalid',
              `Piece ${piece} of the parcel has ${content.byteLength} bytes, not ${pieceBytes(payloadBytes, piece)}.`,
            );
          }
          frame.set(content, FRAME_HEADER_BYTES + piece * PIECE_BYTES);
          pieces = piece + 1;
          onPiece?.(pieces, of, payloadBytes);
        },
      }));
      if (refused !== null) throw CoppiceError.fromWire(refused.error);
      return frame;
    } catch (thrown) {
      const wanted = !(thrown instanceof CoppiceError) || thrown.code === 'connection-lost';
      if (wanted) this.#left = { key, frame, pieces };
      throw thrown;
    }
  }
}
