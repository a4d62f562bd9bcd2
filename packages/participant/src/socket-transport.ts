import {
  ANSWER_TIMEOUT,
  CoppiceError,
  type Down,
  type DownName,
  dataCapabilities,
  downMessages,
  FIRST_PAUSE,
  FROZEN_ROLE,
  LONGEST_PAUSE,
  objectiveCapabilities,
  PIECE_BYTES,
  PROTOCOL_VERSION,
  parseMessage,
  planDescription,
  proofBytes,
  type Reply,
  SILENCE_TIMEOUT,
  upMessages,
  type WireError,
} from '@coppice/protocol';
import { Manager, type Socket } from 'socket.io-client';
import type { Identity } from './identity.ts';
import type { Traffic, Transport, TransportEvents } from './transport.ts';

/** The capabilities of every participant of this build, sorted, as in its hello. */
const features = [
  ...planDescription.capabilities().keys(),
  FROZEN_ROLE,
  ...dataCapabilities,
  ...objectiveCapabilities,
];

/** The production transport: Socket.IO, WebSocket first, reconnecting forever. */
export function socketTransport(url: string, identity: Identity): Transport {
  const sent = { messages: 0, bytes: 0 };
  const received = { messages: 0, bytes: 0 };
  const manager = new Manager(url, {
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnection: true,
    reconnectionDelay: FIRST_PAUSE,
    reconnectionDelayMax: LONGEST_PAUSE,
    timeout: SILENCE_TIMEOUT,
    autoConnect: false,
  });
  const socket: Socket = manager.socket('/participant', {
    auth: {
      protocol: PROTOCOL_VERSION,
      key: identity.key,
      features,
    },
  });
  let closed = false;
  /** True once the loss of this connection was reported: once, not at every attempt. */
  let toldLost = false;
  let retry: ReturnType<typeof setTimeout> | null = null;
  let welcome: ReturnType<typeof setTimeout> | undefined;

  /**
   * Closes this connection, so that a new one is made. Heartbeats may still pass where messages are lost (in a proxy,
   * in a process that was suspended); a new connection repeats everything.
   */
  const abandon = () => manager.engine.close();

  // Every connection has a new engine; each counts its packets, framing excluded.
  manager.on('open', () => {
    manager.engine.on('packetCreate', (packet: { data?: unknown }) => count(sent, packet.data));
    manager.engine.on('packet', (packet: { data?: unknown }) => count(received, packet.data));
  });

  // Messages received before the connection was established must not reach the next one: a challenge above all.
  manager.on('close', () => {
    socket.receiveBuffer = [];
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
    }, LONGEST_PAUSE);
  };

  const prove = async (nonce: string, events: TransportEvents) => {
    const { id } = socket;
    const signature = await identity.sign(proofBytes(new URL(url).host, nonce));
    // The connection broke meanwhile; the next has a challenge of its own, to which this is no answer.
    // (Socket.IO would keep the message for it.)
    if (!socket.connected || socket.id !== id) return;
    let answer: unknown;
    try {
      answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck('prove', { signature });
    } catch {
      // The connection broke meanwhile; the next has a challenge of its own.
      return;
    }
    const reply = parseMessage('answer to prove', upMessages.prove.reply, answer);
    if (reply.ok || closed) return;
    const refusal = CoppiceError.fromWire(reply.error);
    if (refusal.retry !== 'later') return giveUp(events, reply.error);
    // The coordinator closes the connection, which is then sought again.
    toldLost = true;
    events.onRefused(reply.error);
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
            clearTimeout(welcome);
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
            if (isFinal(error)) giveUp(events, error);
            else events.onMessage('notice', error);
          });
        } else receive(name, (message) => events.onMessage(name, message));
      }
      socket.on('connect', () => {
        clearTimeout(welcome);
        welcome = setTimeout(abandon, SILENCE_TIMEOUT);
      });
      socket.on('disconnect', (reason) => {
        clearTimeout(welcome);
        if (closed) return;
        toldLost = true;
        events.onLost();
        // Socket.IO does not come back by itself when the server closed the connection on purpose.
        if (reason === 'io server disconnect') again();
      });
      socket.on('connect_error', (error: Error & { data?: unknown }) => {
        if (closed) return;
        if (error.data == null) {
          // There was no answer. Socket.IO keeps trying; the first connection's failure must be reported, too.
          if (!toldLost) events.onLost();
          toldLost = true;
          return;
        }
        const refusal = CoppiceError.fromAnswer(error.data);
        if (refusal.retry !== 'later') return giveUp(events, refusal.toWire());
        // Passing refusals are reported as a lost connection; ones that need action, by their error.
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
        // Still connected: the message or its answer was lost, and so may be others.
        if (socket.connected) abandon();
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
      clearTimeout(welcome);
      socket.disconnect();
    },
  };
}

/** Checks that a notice ends the connection for good. A ban from one run names that run. */
function isFinal({ code, run }: Down<'notice'>): boolean {
  return code === 'session-replaced' || (code === 'participant-banned' && run === undefined);
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
