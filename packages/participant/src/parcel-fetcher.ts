import {
  type Checksum,
  type Codec,
  CoppiceError,
  decodeFrame,
  decodeHeader,
  FRAME_HEADER_BYTES,
  type FrameExpectation,
  frameBytes,
  isHeaderAlone,
  type Parcel,
  PIECE_BYTES,
  pieceBytes,
  pieceCount,
  readFloat32Payload,
  weightsHash,
} from '@coppice/protocol';
import type { Incoming, ParcelDownload } from './parcel-download.ts';
import type { ParcelPass } from './parcel-source.ts';
import { inOrder, type PieceOptions } from './pieces.ts';
import type { Transport } from './transport.ts';

/** The way over HTTP, and what its bytes are checked with: they may come from a cache or a proxy. */
export interface HttpWay {
  readonly download: ParcelDownload;
  readonly checksum?: Checksum | undefined;
}

export interface FetchOptions extends PieceOptions {
  /** Opens the parcel over HTTP; left out or `null`: it comes over the socket. */
  readonly pass?: ParcelPass | null | undefined;
  /**
   * Takes a fetched frame before anybody has it: until then, all that want the parcel share its fetch. May throw, for all of
   * them. Of several that share a fetch, the first one's.
   */
  readonly onWhole?: ((frame: Uint8Array) => void) | undefined;
}

/** A parcel whose header came. */
interface WantedParcel {
  readonly run: string;
  readonly hash: string;
  readonly codec: Codec;
  readonly header: Uint8Array;
  readonly payloadBytes: number;
  readonly expected: FrameExpectation;
  readonly pass: ParcelPass | null;
}

/** A frame on its way here. */
interface Arriving extends Incoming {
  readonly frame: Uint8Array;
  /** Whether any of its bytes came over HTTP. */
  downloaded: boolean;
}

interface Fetch {
  readonly frame: Promise<Uint8Array>;
  readonly abort: AbortController;
  readonly heard: Set<NonNullable<PieceOptions['onPiece']>>;
  waiting: number;
  /** How far it is. */
  readonly at: { done: number; of: number; bytes: number };
}

/**
 * Makes whole frames of the headers of large parcels, over HTTP where that works, else in pieces over the socket. All that
 * want one parcel share its fetch, and a fetch that broke off goes on where it was when its parcel is wanted again.
 */
export class ParcelFetcher {
  readonly #request: Transport['request'];
  readonly #fetches = new Map<string, Fetch>();
  /** The frame of the last fetch that broke off, as far as it came. */
  #left: { key: string; arriving: Arriving } | null = null;
  readonly #http: HttpWay | null;

  /** @param http `null`: everything comes over the socket. */
  constructor(request: Transport['request'], http: HttpWay | null = null) {
    this.#request = request;
    this.#http = http;
  }

  /**
   * The whole frame of a parcel, with the header that was sent and a payload that is not checked yet.
   *
   * @param expected form by the run's layout: room is made for nothing else.
   * @throws CoppiceError `connection-lost`, `checkpoint-unknown` where the parcel is not a current one any
   *   more, `frame-invalid`, `update-shape`; an `AbortError` when `signal` was aborted.
   */
  async fetch(
    run: string,
    { hash, frame }: Pick<Parcel, 'hash' | 'frame'>,
    expected: FrameExpectation,
    { signal, onPiece, pass = null, onWhole }: FetchOptions = {},
  ): Promise<Uint8Array> {
    const header = frameBytes(frame);
    if (!isHeaderAlone(header)) return header;
    signal?.throwIfAborted();
    const { codec, payloadBytes } = decodeHeader(header, expected);
    // A model travels exact and rounded.
    const key = `${run}/${hash}/${codec}`;
    const known = this.#fetches.get(key);
    const fetch =
      known ?? this.#begin(key, { run, hash, codec, header, payloadBytes, expected, pass }, onWhole);
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

  /** Ends every fetch that is under way: those that wait hear that the connection is lost. */
  close(): void {
    const closed = new CoppiceError(
      'connection-lost',
      'The session was closed while a parcel was on its way.',
    );
    for (const { abort } of this.#fetches.values()) abort.abort(closed);
  }

  #begin(key: string, wanted: WantedParcel, onWhole: FetchOptions['onWhole']): Fetch {
    const heard: Fetch['heard'] = new Set();
    const abort = new AbortController();
    const at = { done: 0, of: 0, bytes: 0 };
    const frame = this.#whole(key, wanted, abort.signal, (done, of, bytes) => {
      Object.assign(at, { done, of, bytes });
      for (const hear of heard) hear(done, of, bytes);
    }).then((whole) => {
      onWhole?.(whole);
      return whole;
    });
    // A failure is heard by those who wait; all may have stopped waiting.
    frame.catch(() => {});
    return { frame, abort, heard, waiting: 0, at };
  }

  async #whole(
    key: string,
    wanted: WantedParcel,
    signal: AbortSignal,
    onPiece: NonNullable<PieceOptions['onPiece']>,
  ): Promise<Uint8Array> {
    const { header, payloadBytes } = wanted;
    const of = pieceCount(payloadBytes);
    const arriving = this.#left?.key === key ? this.#left.arriving : arrivingOf(payloadBytes);
    this.#left = null;
    arriving.frame.set(header);
    let told = -1;
    const tell = () => {
      const done = arriving.bytes === payloadBytes ? of : Math.floor(arriving.bytes / PIECE_BYTES);
      if (done !== told) onPiece(done, of, payloadBytes);
      told = done;
    };
    tell();
    try {
      await this.#download(wanted, arriving, { signal, tell });
      const missing = arriving.bytes < payloadBytes;
      if (missing) await this.#fetchPieces(wanted, arriving, { signal, tell });
      if (arriving.downloaded && !this.#isRight(wanted, arriving.frame)) {
        // A way that brought other bytes once would do so again.
        this.#http?.download.giveUp();
        arriving.bytes = 0;
        arriving.downloaded = false;
        await this.#fetchPieces(wanted, arriving, { signal, tell });
      } else if (missing) this.#http?.download.otherWayWorked();
      return arriving.frame;
    } catch (thrown) {
      const goesOn = !(thrown instanceof CoppiceError) || thrown.code === 'connection-lost';
      if (goesOn) this.#left = { key, arriving };
      throw thrown;
    }
  }

  async #download(
    { run, hash, codec, payloadBytes, pass }: WantedParcel,
    arriving: Arriving,
    { signal, tell }: { signal: AbortSignal; tell: () => void },
  ): Promise<void> {
    const download = this.#http?.download;
    if (download?.usable !== true || pass === null) return;
    const onBytes = () => {
      arriving.downloaded = true;
      tell();
    };
    await download.complete({ run, hash, codec, bytes: payloadBytes }, arriving, { pass, signal, onBytes });
  }

  /** Fetches pieces over the socket from the one on that is not whole. */
  async #fetchPieces(
    { run, hash, codec, payloadBytes }: WantedParcel,
    arriving: Arriving,
    { signal, tell }: { signal: AbortSignal; tell: () => void },
  ): Promise<void> {
    const from = Math.floor(arriving.bytes / PIECE_BYTES);
    const of = pieceCount(payloadBytes);
    const refused = await inOrder(this.#request, 'parcel', { from, of, signal }, (piece) => ({
      message: { run, hash, codec, piece },
      done: ({ bytes }) => {
        const content = frameBytes(bytes);
        const expected = pieceBytes(payloadBytes, piece);
        if (content.byteLength !== expected) {
          throw new CoppiceError(
            'frame-invalid',
            `Piece ${piece} of the parcel has ${content.byteLength} bytes, not ${expected}.`,
          );
        }
        arriving.payload.set(content, piece * PIECE_BYTES);
        arriving.bytes = piece * PIECE_BYTES + expected;
        tell();
      },
    }));
    if (refused !== null) throw CoppiceError.fromWire(refused.error);
  }

  /** Whether a frame has the checksum of its header and, where it is not rounded, the hash of its parcel. */
  #isRight({ codec, hash, expected }: WantedParcel, frame: Uint8Array): boolean {
    try {
      const sent = decodeFrame(frame, expected, this.#http?.checksum);
      return codec !== 'float32' || weightsHash(readFloat32Payload(sent)) === hash;
    } catch (thrown) {
      if (thrown instanceof CoppiceError) return false;
      throw thrown;
    }
  }
}

function arrivingOf(payloadBytes: number): Arriving {
  // With the header before it the payload is aligned, so its numbers can be read where they are.
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payloadBytes);
  return { frame, payload: frame.subarray(FRAME_HEADER_BYTES), bytes: 0, downloaded: false };
}
