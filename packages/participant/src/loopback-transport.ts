import {
  CoppiceError,
  type Down,
  type DownName,
  downMessages,
  PIECE_BYTES,
  parseMessage,
  type Reply,
  type Up,
  type UpName,
  type UpValue,
  upMessages,
  type WireError,
} from '@coppice/protocol';
import type { Transport, TransportEvents } from './transport.ts';

/** The coordinator's end of a loopback: answers, pushes, breaks and restores the connection. */
export interface LoopbackPeer {
  /** Sets the handler of messages of one name. */
  answer<N extends UpName>(
    name: N,
    handle: (message: Up<N>) => Reply<UpValue<N>> | Promise<Reply<UpValue<N>>>,
  ): void;
  push<N extends DownName>(name: N, message: Down<N>): void;
  /** Breaks the connection; pending requests are lost. */
  drop(): void;
  /** Restores the connection and sends the welcome. */
  welcome(welcome: Down<'welcome'>): void;
  refuse(error: WireError): void;
}

/** A transport within one process, validated like the real one: for tests without a network. */
export function loopback(): { transport: Transport; peer: LoopbackPeer } {
  const handlers = new Map<UpName, (message: never) => unknown>();
  const sent = { messages: 0, bytes: 0 };
  const received = { messages: 0, bytes: 0 };
  let events: TransportEvents | null = null;
  let connected = false;
  let broken: () => void = () => {};
  let line = new Promise<never>(() => {});
  const lost = () =>
    new CoppiceError('connection-lost', 'The connection to the coordinator broke. It comes back by itself.');

  const transport: Transport = {
    open(given) {
      events = given;
    },
    async request(name, message) {
      if (!connected) throw lost();
      const { frame } = message as { frame?: Uint8Array | ArrayBuffer };
      if (frame !== undefined && frame.byteLength > PIECE_BYTES)
        throw new CoppiceError('frame-too-large', `The frame has ${frame.byteLength} bytes.`);
      count(sent, message);
      const checked = parseMessage(name, upMessages[name].schema, message);
      const handle = handlers.get(name) ?? (() => new Promise(() => {}));
      const answer = await Promise.race([Promise.resolve(handle(checked as never)), line]);
      count(received, (answer as { value?: unknown }).value ?? answer);
      const schema = upMessages[name].reply;
      if (schema === null) throw new Error(`the message "${name}" has no answer`);
      return parseMessage(`answer to ${name}`, schema, answer) as Reply<never>;
    },
    send(name, message) {
      if (!connected) return;
      count(sent, message);
      handlers.get(name)?.(parseMessage(name, upMessages[name].schema, message) as never);
    },
    get traffic() {
      return { sent: { ...sent }, received: { ...received } };
    },
    close() {
      connected = false;
      events = null;
    },
  };

  const peer: LoopbackPeer = {
    answer: (name, handle) => void handlers.set(name, handle as (message: never) => unknown),
    push(name, message) {
      if (!connected) return;
      count(received, message);
      // A newer coordinator may say more: as over a socket, an unknown event has no listener.
      if (!Object.hasOwn(downMessages, name)) return;
      try {
        events?.onMessage(name, parseMessage(name, downMessages[name], message) as Down<typeof name>);
      } catch (thrown) {
        events?.onMessage('notice', CoppiceError.from(thrown, 'message-invalid').toWire());
      }
    },
    drop() {
      connected = false;
      broken();
      events?.onLost();
    },
    welcome(welcome) {
      connected = true;
      count(received, welcome);
      line = new Promise((_, reject) => {
        broken = () => reject(lost());
      });
      // It may break without a waiter.
      line.catch(() => {});
      events?.onWelcome(welcome);
    },
    refuse(error) {
      connected = false;
      events?.onRefused(error);
    },
  };
  return { transport, peer };
}

function count(direction: { messages: number; bytes: number }, message: unknown): void {
  const { frame, bytes, ...fields } = message as Record<
    'frame' | 'bytes',
    ArrayBufferLike | Uint8Array | undefined
  >;
  direction.messages++;
  direction.bytes += JSON.stringify(fields).length + (frame?.byteLength ?? 0) + (bytes?.byteLength ?? 0);
}
