import type { Codec } from '@coppice/protocol';
import type { Traffic } from './transport.ts';

/** Opens parcels over HTTP: the public id of a participant, and a ticket that it was given. */
export interface ParcelPass {
  readonly participant: string;
  readonly ticket: string;
}

/** The payload of a large parcel. */
export interface ParcelAddress {
  readonly run: string;
  /** SHA-256 of the parcel's float32 bytes, as 64 hexadecimal digits. */
  readonly hash: string;
  /** In the header that came. */
  readonly codec: Codec;
  /** Bytes of the payload, by the header that came. */
  readonly bytes: number;
}

/** A way to the payloads of large parcels beside the socket. */
export interface ParcelSource {
  /**
   * Reads a payload from a byte on, to its end.
   *
   * @param from the first byte that is wanted, from 0.
   * @returns bytes in order, in parts of any length; together as many as were missing.
   * @throws CoppiceError with `retry` `later` where the same call may go on, as `connection-lost`; `checkpoint-unknown`
   *   where the parcel is not a current one any more; `ticket-invalid` where the pass does not open it any more; any other
   *   where this way is of no use. An `AbortError` when `signal` was aborted.
   */
  read(
    address: ParcelAddress,
    from: number,
    options: { readonly pass: ParcelPass; readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array>;
  /** Requests and answers, and the bytes of both without what frames them, since the source was made. */
  readonly traffic: Traffic;
}
