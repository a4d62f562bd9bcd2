import {
  ANSWER_TIMEOUT,
  CoppiceError,
  type Down,
  type DownName,
  downMessages,
  PIECE_BYTES,
  PROTOCOL_VERSION,
  parseMessage,
  proofBytes,
  type Reply,
  upMessages,
  type WireError,
} from '@coppice/protocol';
import { Manager, type Socket } from 'socket.io-client';
import type { Identity } from './identity.ts';
import type { Traffic, Transport, TransportEvents } from './transport.ts';

/** Pause before asking again after "later". Reconnection after a lost line is Socket.IO's own. */
const REFUSED_RETRY = 5_000;

/** The transport of the product: Socket.IO, WebSocket first, reconnecting for ever. */
export function socketTransport(url: string, identity: Identity): Transport {
  const sent = { messages: 0, bytes: 0 };
  const received = { messages: 0, bytes: 0 };
  const manager = new Manager(url, {
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnection: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    autoConnect: false,
  });
  const socket: Socket = manager.socket('/participant', {
    auth: { protocol: PROTOCOL_VERSION, key: identity.key },
  });
  let closed = false;
  /** Whether the loss of this connection has been told: once, not at every attempt. */
  let toldLost = false;
  let retry: ReturnType<typeof setTimeout> | null = null;

  // Every connection has a new engine; each counts its packets, framing excluded.
  manager.on('open', () => {
    manager.engine.on('packetCreate', (packet: { data?: unknown }) => count(sent, packet.data));
    manager.engine.on('packet', (packet: { data?: unknown }) => count(received, packet.data));
  });

  const giveUp = (events: TransportEvents, error: WireError) => {
    closed = true;
    socket.disconnect();
    events.onRefused(error);
  };

  const again = () => {
    if (retry !== null) clearTimeout(retry);
    retry = setTimeout(() => {
      if (!closed) socket.connect();
    }, REFUSED_RETRY);
  };

  const prove = async (nonce: string, events: TransportEvents) => {
    const signature = await identity.sign(proofBytes(new URL(url).host, nonce));
    let answer: unknown;
    try {
      answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck('prove', { signature });
    } catch {
      // The connection broke meanwhile; the next has a challenge of its own.
      return;
    }
    const reply = parseMessage('answer to prove', upMessages.prove.reply, answer);
    if (!reply.ok && !closed) giveUp(events, reply.error);
  };

  return {
    open(events) {
      const receive = <N extends DownName>(name: N, handle: (message: Down<N>) => void) => {
        socket.on(name as string, (payload: unknown) => {
          try {
            handle(parseMessage(name, downMessages[name], payload) as Down<N>);
          } catch (thrown) {
            // A message this program cannot read is shown, and nothing else stops.
            events.onMessage('notice', CoppiceError.from(thrown, 'message-invalid').toWire());
          }
        });
      };
      for (const name of Object.keys(downMessages) as DownName[]) {
        if (name === 'welcome') {
          receive('welcome', (message) => {
            toldLost = false;
            events.onWelcome(message);
          });
        } else if (name === 'challenge') {
          receive('challenge', ({ nonce }) => {
            prove(nonce, events).catch((thrown: unknown) => {
              if (!closed) giveUp(events, CoppiceError.from(thrown).toWire());
            });
          });
        } else if (name === 'notice') {
          receive('notice', (error) => {
            if (error.code === 'session-replaced') giveUp(events, error);
            else events.onMessage('notice', error);
          });
        } else receive(name, (message) => events.onMessage(name, message));
      }
      socket.on('disconnect', (reason) => {
        if (closed) return;
        toldLost = true;
        events.onLost();
        // Socket.IO does not come back by itself when the server closed the connection on purpose.
        if (reason === 'io server disconnect') again();
      });
      socket.on('connect_error', (error: Error & { data?: WireError }) => {
        if (closed) return;
        if (error.data?.code === undefined) {
          // Nobody answered. Socket.IO goes on trying; who has never been connected must hear of it too.
          if (!toldLost) events.onLost();
          toldLost = true;
          return;
        }
        const refusal = CoppiceError.fromWire(error.data);
        if (refusal.retry !== 'later') return giveUp(events, refusal.toWire());
        // What passes by itself is told like a lost connection; what someone must see to, by its name.
        if (refusal.code !== 'coordinator-stopping') events.onRefused(refusal.toWire());
        else if (!toldLost) events.onLost();
        toldLost = true;
        again();
      });
      socket.connect();
    },
    async request(name, message) {
      if (!socket.connected) throw lost();
      const { frame } = message as { frame?: Uint8Array | ArrayBuffer };
      if (frame !== undefined && frame.byteLength > PIECE_BYTES) {
        // The coordinator would close the connection without a word.
        throw new CoppiceError(
          'frame-too-large',
          `The frame has ${frame.byteLength} bytes; one message carries ${PIECE_BYTES} at most. Larger ones go in pieces.`,
        );
      }
      let answer: unknown;
      try {
        answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck(name, message);
      } catch (cause) {
        throw lost(cause);
      }
      const schema = upMessages[name].reply;
      if (schema === null) throw new Error(`the message "${name}" has no answer`);
      return parseMessage(`answer to ${name}`, schema, answer) as Reply<never>;
    },
    send(name, message) {
      if (socket.connected) socket.volatile.emit(name, message);
    },
    get traffic(): Traffic {
      return { sent: { ...sent }, received: { ...received } };
    },
    close() {
      closed = true;
      if (retry !== null) clearTimeout(retry);
      socket.disconnect();
    },
  };
}

function count(direction: { messages: number; bytes: number }, data: unknown): void {
  direction.messages++;
  if (typeof data === 'string') direction.bytes += data.length;
  else if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) direction.bytes += data.byteLength;
}

function lost(cause?: unknown): CoppiceError {
  return new CoppiceError(
    'connection-lost',
    'The connection to the coordinator broke. It comes back by itself.',
    { cause },
  );
}
