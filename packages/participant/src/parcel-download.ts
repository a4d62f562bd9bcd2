import type { Clock } from '@coppice/ports';
import { CoppiceError, FIRST_PAUSE, LONGEST_PAUSE, SILENCE_TIMEOUT } from '@coppice/protocol';
import { pause } from './delivery.ts';
import type { ParcelAddress, ParcelPass, ParcelSource } from './parcel-source.ts';

/** How often in a row a download is tried again without a byte having come. */
const TRIES_IN_VAIN = 3;

/** A payload that is being received. */
export interface Incoming {
  readonly payload: Uint8Array;
  /** Bytes that are here, from the first on. */
  bytes: number;
}

export interface DownloadOptions {
  readonly pass: ParcelPass;
  readonly signal: AbortSignal;
  /** Hears of all bytes that came, each time that some did. */
  readonly onBytes: () => void;
}

/**
 * Downloads payloads from a source, as long as that is of use: the first failure that will not pass ends it for the
 * session. A download that broke goes on from the byte where it broke, at once where bytes had come, else after pauses.
 */
export class ParcelDownload {
  readonly #source: ParcelSource;
  readonly #clock: Clock;
  #usable = true;
  /** Whether a byte has ever come this way. */
  #worked = false;

  constructor({ source, clock }: { source: ParcelSource; clock: Clock }) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Whether this way is still of use. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Ends this way for the session. */
  giveUp(): void {
    this.#usable = false;
  }

  /**
   * Notes that the same parcel came another way. Where nothing ever came this way, it is not the line that is broken:
   * browsers tell no difference between that and a request that they do not allow.
   */
  otherWayWorked(): void {
    if (!this.#worked) this.giveUp();
  }

  /**
   * Downloads what is missing of a payload.
   *
   * @returns whether all is here; else the rest has to come another way.
   * @throws CoppiceError `checkpoint-unknown` where the parcel is not a current one any more; an `AbortError` when `signal`
   *   was aborted.
   */
  async complete(address: ParcelAddress, incoming: Incoming, options: DownloadOptions): Promise<boolean> {
    const { signal } = options;
    for (let inVain = 0; ; ) {
      const before = incoming.bytes;
      try {
        await this.#read(address, incoming, options);
        return true;
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof CoppiceError) || thrown.code === 'checkpoint-unknown') throw thrown;
        if (thrown.retry !== 'later') {
          // A ticket ends with its question; the next one is as good as any.
          if (thrown.code !== 'ticket-invalid') this.giveUp();
          return false;
        }
        if (incoming.bytes > before) inVain = 0;
        else if (++inVain > TRIES_IN_VAIN) return false;
        else await pause(this.#clock, Math.min(FIRST_PAUSE * 2 ** (inVain - 1), LONGEST_PAUSE), signal);
      }
    }
  }

  async #read(address: ParcelAddress, incoming: Incoming, options: DownloadOptions): Promise<void> {
    const { pass, signal, onBytes } = options;
    const attempt = new AbortController();
    const stopped = () => attempt.abort(signal.reason);
    signal.addEventListener('abort', stopped, { once: true });
    const dead = new CoppiceError('connection-lost', 'Nothing came of a parcel for too long.');
    const wait = () => this.#clock.setTimer(SILENCE_TIMEOUT, () => attempt.abort(dead));
    let stop = wait();
    try {
      const parts = this.#source.read(address, incoming.bytes, { pass, signal: attempt.signal });
      for await (const part of parts) {
        incoming.payload.set(part, incoming.bytes);
        incoming.bytes += part.byteLength;
        this.#worked = true;
        stop();
        stop = wait();
        onBytes();
      }
    } finally {
      stop();
      signal.removeEventListener('abort', stopped);
    }
  }
}
