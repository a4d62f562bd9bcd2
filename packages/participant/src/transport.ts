import type { Down, DownName, Reply, Up, UpName, UpValue, WireError } from '@coppice/protocol';

/** Counted at the socket, both directions, since the transport was made. */
export interface Traffic {
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly received: { readonly messages: number; readonly bytes: number };
}

export interface TransportEvents {
  /** Connected and welcomed; fires again after every reconnection, before any other message. */
  onWelcome(welcome: Down<'welcome'>): void;
  /** The connection broke, or the first one could not be made; the transport keeps trying. */
  onLost(): void;
  /** The coordinator refused this participant; the transport gave up. */
  onRefused(error: WireError): void;
  /** A checked message. Never called with `challenge` or `welcome`. */
  onMessage<N extends DownName>(name: N, message: Down<N>): void;
}

/**
 * A participant's line to the coordinator. It reconnects by itself, with growing pauses, until
 * `close` or a refusal that cannot be cured by waiting. Messages are checked on the way in.
 */
export interface Transport {
  open(events: TransportEvents): void;
  /**
   * Sends a message and waits for its answer.
   *
   * @throws CoppiceError `connection-lost` when the connection breaks before the answer, or none
   *   came in time. The message may or may not have arrived. `frame-too-large`, and nothing was sent, when
   *   the frame has more than `PIECE_BYTES`: `sendAnswer` sends it in pieces.
   */
  request<N extends UpName>(name: N, message: Up<N>): Promise<Reply<UpValue<N>>>;
  /** Sends a message that may be lost. */
  send<N extends UpName>(name: N, message: Up<N>): void;
  readonly traffic: Traffic;
  close(): void;
}
