import { once } from 'node:events';
import type { Clock } from '@coppice/ports';
import { CoppiceError, MAX_MODEL_BYTES, PIECE_BYTES, SILENCE_TIMEOUT } from '@coppice/protocol';
import type { Request, Response } from 'express';
import type { ConnectionCaps } from '../security/connection-caps.ts';
import { type ByteRange, rangeOf } from './byte-range.ts';

/** Bytes copied and written at once: the memory that a slow reader costs beside the model. */
const WRITE_BYTES = 64 * 1024;
/** Bytes that a reader must take in each `SILENCE_TIMEOUT`; less, and its answer is broken off. */
const FLOOR_BYTES = PIECE_BYTES;
/** Milliseconds after which an answer with a model that has been replaced is broken off. */
export const LET_GO_AFTER = SILENCE_TIMEOUT;
/** Most bytes of different models that answers hold in memory at once. */
export const MOST_HELD = 8 * MAX_MODEL_BYTES;
/** Most large answers (above a piece) that are under way at once, in all and to one address. */
export const MOST_ANSWERS = 1000;
export const MOST_ANSWERS_PER_ADDRESS = 64;
/** Seconds after which a refused request may be sent again. */
const RETRY_AFTER = 5;

/** Bytes that never change under their ETag. */
export interface Download {
  /** With its quotation marks. */
  readonly etag: string;
  readonly size: number;
  /** The media type; left out, that of bytes. */
  readonly type?: string;
  /** Called once, if bytes are to be sent at all. */
  readonly load: () => Promise<Uint8Array> | Uint8Array;
  /** Checks that others need these bytes as well, so that an answer costs no memory of its own. Left out: they do. */
  readonly isCurrent?: () => boolean;
}

/** Bytes that are made on request, and have no size before. */
export interface MadeDownload extends Pick<Download, 'etag' | 'type'> {
  /** Makes the bytes, or takes those that are kept. */
  readonly make: () => Promise<Uint8Array>;
}

/**
 * Answers that send models, and other bytes that are large and the same for many. What readers that do not read can make the coordinator hold is bounded: the number of large
 * answers, in all and by address; the models that they hold; and the time, since a reader must take a piece in each
 * `SILENCE_TIMEOUT`, and a model that has been replaced is let go soon.
 */
export class Downloads {
  readonly #clock: Clock;
  readonly #caps: ConnectionCaps;
  /** Models that answers hold, by ETag. */
  readonly #held = new Map<string, { readonly bytes: number; by: number }>();

  /** @param caps of large answers under way. */
  constructor(clock: Clock, caps: ConnectionCaps) {
    this.#clock = clock;
    this.#caps = caps;
  }

  /** Bytes of the models that answers hold, each model once. */
  get held(): number {
    let bytes = 0;
    for (const held of this.#held.values()) bytes += held.bytes;
    return bytes;
  }

  /**
   * Answers a GET or HEAD request with bytes: all of them, or the one range in `Range`. A range that starts after the
   * last byte is answered with 416. Several ranges, an unknown unit, an unreadable `Range`, and a range whose `If-Range`
   * names other bytes are ignored.
   *
   * @throws CoppiceError `rate-limited` where the address has enough large answers under way, `too-many-connections`
   *   where all together have; whatever `load` throws.
   */
  send(request: Request, response: Response, download: Download): Promise<void> {
    return this.#send(request, response, download, false);
  }

  /**
   * Answers as `send` does with bytes that are made first, unless the reader has them. The answer counts among the large ones while
   * they are made, too.
   *
   * @throws CoppiceError as `send`; whatever `make` throws.
   */
  async sendMade(request: Request, response: Response, { etag, type, make }: MadeDownload): Promise<void> {
    const named = { etag, ...(type === undefined ? {} : { type }) };
    if (rangeOf(request.headers, etag, 0) === 'same') {
      await this.send(request, response, { ...named, size: 0, load: () => new Uint8Array(0) });
      return;
    }
    try {
      this.#enter(request.ip ?? '', response);
      const bytes = await make();
      await this.#send(request, response, { ...named, size: bytes.length, load: () => bytes }, true);
    } catch (thrown) {
      response.removeHeader('Cache-Control');
      throw thrown;
    }
  }

  /** @param isCounted whether the answer counts among the large ones already. */
  async #send(request: Request, response: Response, download: Download, isCounted: boolean): Promise<void> {
    const { etag, size, type = 'application/octet-stream', isCurrent = () => true } = download;
    const range = rangeOf(request.headers, etag, size);
    const part = range === 'unsatisfiable' || range === 'same' ? null : (range ?? { start: 0, end: size });
    const bytes =
      part === null || request.method === 'HEAD'
        ? null
        : await this.#open(request, response, { ...part, isCounted }, download);
    response.type(type).set({ 'Accept-Ranges': 'bytes', ETag: etag });
    if (range === 'same') {
      response.status(304).end();
    } else if (part === null) {
      response.status(416).set('Content-Range', `bytes */${size}`);
      const message = `There are ${size} bytes, and the range begins behind them. Leave "Range" out to have all.`;
      response.json({ error: { code: 'body-invalid', message } });
    } else {
      const { start, end } = part;
      if (range !== null) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${size}`);
      response.set('Content-Length', String(end - start));
      if (bytes === null) response.end();
      else await this.#write(response, bytes, part, isCurrent);
    }
  }

  /** Makes room for an answer, until it is over, and loads its bytes. */
  async #open(
    request: Request,
    response: Response,
    { start, end, isCounted }: ByteRange & { isCounted: boolean },
    { etag, size, load }: Download,
  ): Promise<Uint8Array> {
    try {
      if (!isCounted && end - start > PIECE_BYTES) this.#enter(request.ip ?? '', response);
      this.#hold(etag, size, response);
      return await load();
    } catch (thrown) {
      // What was said of the bytes is not to be kept of a refusal.
      response.removeHeader('Cache-Control');
      throw thrown;
    }
  }

  #enter(address: string, response: Response): void {
    const { over, closed } = this.#caps.opened(address);
    response.once('close', closed);
    if (over) throw this.#refusal(response, this.#caps.full);
  }

  #hold(etag: string, size: number, response: Response): void {
    const held = this.#held.get(etag) ?? { bytes: size, by: 0 };
    if (held.by === 0 && this.held + size > MOST_HELD) throw this.#refusal(response, true);
    held.by++;
    this.#held.set(etag, held);
    response.once('close', () => {
      held.by--;
      if (held.by === 0) this.#held.delete(etag);
    });
  }

  #refusal(response: Response, all: boolean): CoppiceError {
    response.set('Retry-After', String(RETRY_AFTER));
    return all
      ? new CoppiceError(
          'too-many-connections',
          `The coordinator sends as many models as it can at once. Ask again in ${RETRY_AFTER} s.`,
        )
      : new CoppiceError(
          'rate-limited',
          `Too many models are on their way to this address at once. Ask again in ${RETRY_AFTER} s.`,
        );
  }

  /** Writes bytes no faster than they are read (backpressure), and no slower than the floor. */
  async #write(
    response: Response,
    bytes: Uint8Array,
    { start, end }: ByteRange,
    isCurrent: () => boolean,
  ): Promise<void> {
    const gone = new AbortController();
    const breakOffAfter = (milliseconds: number) =>
      this.#clock.setTimer(milliseconds, () => void response.destroy());
    let stopFloor = breakOffAfter(SILENCE_TIMEOUT);
    let stopGrace: (() => void) | null = null;
    response.once('close', () => {
      stopFloor();
      stopGrace?.();
      gone.abort();
    });
    let taken = 0;
    for (let at = start; at < end && !response.destroyed; at += WRITE_BYTES) {
      // A copy: what waits in a socket does not hold the model.
      const part = new Uint8Array(bytes.subarray(at, Math.min(end, at + WRITE_BYTES)));
      if (!response.write(part)) {
        try {
          await once(response, 'drain', { signal: gone.signal });
        } catch {
          // The reader went away, or was too slow.
          return;
        }
      }
      taken += part.byteLength;
      if (taken >= FLOOR_BYTES) {
        taken = 0;
        stopFloor();
        stopFloor = breakOffAfter(SILENCE_TIMEOUT);
      }
      if (stopGrace === null && !isCurrent()) stopGrace = breakOffAfter(LET_GO_AFTER);
    }
    // What is left in the socket is held to the floor, too, until the answer is over.
    response.end();
  }
}
