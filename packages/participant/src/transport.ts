import type { Down, DownName, Reply, Up, UpName, UpValue, WireError } from '@coppice/protocol';

/** Messages and bytes counted at the socket, in both directions, since the transport was created. */
export interface Traffic {
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly received: { readonly messages: number; readonly bytes: number };
}

export interface TransportEvents {
  /** Connected and welcomed; fires again after every reconnection, before any other message. */
  onWelcome(welcome: Down<'welcome'>): void;
  /** The connection broke, or the first one failed; the transport keeps trying. */
  onLost(): void;
  /** The coordinator refused this participant, and the transport gave up. */
  onRefused(error: WireError): void;
  /** A validated message. Never called with `challenge` or `welcome`. */
  onMessage<N extends DownName>(name: N, message: Down<N>): void;
}

/**
 * A participant's connection to the coordinator. It reconnects by itself, with growing pauses, until `close` or a
 * refusal that waiting cannot cure. Incoming messages are validated.
 */
export interface Transport {
  open(events: TransportEvents): void;
  /**
   * Sends a message and waits for its answer.
   *
   * @throws CoppiceError `connection-lost` when the connection breaks before the answer, or none arrives in time; the
   *   message may or may not have arrived. `frame-too-large` when the frame has more than `PIECE_BYTES`, and nothing
   *   was sent: `sendAnswer` sends it in pieces.
   */
  request<N extends UpName>(name: N, message: Up<N>): Promise<Reply<UpValue<N>>>;
  /** Sends a message that may be lost. */
  send<N extends UpName>(name: N, message: Up<N>): void;
  readonly traffic: Traffic;
  close(): void;
}
