import type { Socket as NetSocket } from 'node:net';
import { ANSWER_TIMEOUT } from '@coppice/protocol';
import type { Socket } from 'socket.io';
import type { Intake, Source } from './intake.ts';
import { type Reader, ReadMemory } from './read-memory.ts';

type WebSocketLike = Pick<Source, 'pause' | 'resume'> & { readonly _receiver?: Reader };

/**
 * Lets a connection take turns with the others while it sends something large, and takes what it sends for
 * a sign of life: its answer to a heartbeat is behind that. For as long as an answer may take; who trickles
 * longer has its heartbeats counted as ever.
 */
export function pace(connection: Socket['conn'], intake: Intake): void {
  // What comes by requests has its own end.
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
  /** When the message under way began; by the timers' own clock, since heartbeats are Engine.IO's. */
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
