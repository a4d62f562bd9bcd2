import type { Socket as NetSocket } from 'node:net';
import { ANSWER_TIMEOUT } from '@coppice/protocol';
import type { Socket } from 'socket.io';
import type { Intake, Source } from './intake.ts';
import { type Reader, ReadMemory } from './read-memory.ts';

type WebSocketLike = Pick<Source, 'pause' | 'resume'> & { readonly _receiver?: Reader };

/**
 * Lets a connection take turns with the others while it sends a large message, and accepts its bytes as a sign of life,
 * since its heartbeat's answer is behind them. That holds for `ANSWER_TIMEOUT`; slower senders must answer heartbeats
 * as usual.
 */
export function pace(connection: Socket['conn'], intake: Intake): void {
  // Long polling needs no pace: each request ends by itself.
  if (connection.transport.name !== 'websocket') return;
  const ws = (connection.transport as unknown as { socket: WebSocketLike }).socket;
  const net = connection.request.socket as NetSocket;
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
