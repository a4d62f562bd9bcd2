import type { Socket as NetSocket } from 'node:net';
import { ANSWER_TIMEOUT } from '@coppice/protocol';
import type { Socket } from 'socket.io';
import type { Intake, Source } from './intake.ts';
import { type Reader, ReadMemory } from './read-memory.ts';

/** A WebSocket of ws, with the private network socket that it reads. */
type WebSocketLike = Pick<Source, 'pause' | 'resume'> & {
  readonly _receiver?: Reader;
  readonly _socket: NetSocket;
};

/**
 * Lets a connection take turns with the others while it sends a large message, and accepts its bytes as a sign of life,
 * since its heartbeat's answer is behind them. That holds for `ANSWER_TIMEOUT`; slower senders must answer heartbeats
 * as usual. Long polling needs no pace, since each request ends by itself: it begins where a WebSocket takes over.
 */
export function pace(connection: Socket['conn'], intake: Intake): void {
  if (connection.transport.name === 'websocket') paceWebSocket(connection, intake);
  else connection.once('upgrade', () => paceWebSocket(connection, intake));
}

function paceWebSocket(connection: Socket['conn'], intake: Intake): void {
  const ws = (connection.transport as unknown as { socket: WebSocketLike }).socket;
  const net = ws._socket;
  // Engine.IO has no public way to say so.
  const alive = () =>
    (connection as unknown as { pingTimeoutTimer: NodeJS.Timeout | null }).pingTimeoutTimer?.refresh();
  const source: Source = {
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    waiting: () => net.readableLength,
    excuse: alive,
  };
  /** Start of the current message; by Node's own clock, as Engine.IO's heartbeats. */
  let began: number | null = null;
  const memory = new ReadMemory(ws._receiver ?? {});
  intake.add(source);
  const before = (chunk: Buffer) => {
    memory.read(chunk);
    began ??= performance.now();
    if (performance.now() - began < ANSWER_TIMEOUT) alive();
    intake.read(source, chunk.byteLength);
  };
  const after = () => {
    memory.done();
    intake.consider(source);
  };
  net.prependListener('data', before);
  connection.on('packet', ({ data }: { data?: unknown }) => {
    began = null;
    memory.complete(data);
    intake.complete(source);
  });
  net.on('data', after);
  connection.once('close', () => {
    net.off('data', before).off('data', after);
    memory.close();
    intake.gone(source);
  });
}
