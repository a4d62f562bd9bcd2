import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { Intake } from './intake.ts';
import { pace } from './pace.ts';
import { connectParticipant, next } from './participant.testing.ts';

/** Everything that a connection may begin with, and go on with. */
const ways: { way: ('polling' | 'websocket')[] }[] = [
  { way: ['websocket'] },
  { way: ['polling'] },
  { way: ['polling', 'websocket'] },
];
const LARGE = 1_000_000;

/** Resolves once a client's connection is carried by the last of its transports. */
async function settled({ io: { engine } }: ReturnType<typeof io>, way: readonly string[]): Promise<void> {
  if (engine.transport.name !== way.at(-1)) await new Promise((resolve) => engine.once('upgrade', resolve));
}

describe('a participant', () => {
  let coordinator: Coordinator;
  beforeAll(async () => {
    coordinator = await startCoordinator({
      config: { port: 0, logLevel: 'silent' },
      storage: memoryStorage(),
      spool: memorySpool(),
    });
  });
  afterAll(() => coordinator.close());

  it.each(ways)('that comes by $way has its bytes counted both ways, each once', async ({ way }) => {
    const { socket, id } = await connectParticipant(coordinator.url, way);
    await settled(socket, way);
    const { id: run, checkpoint } = await coordinator.runs.create('mnist-2nn', { minParticipants: 1 }, true);
    const about = { device: 'headless', backend: 'cpu', examples: 1, speed: null, paused: false };
    const asked = next<{ ticket: string }>(socket, 'ask');
    await socket.emitWithAck('join', { run, ...about });
    const { ticket } = await asked;
    const bytes = () => {
      const [row] = coordinator.runs.engine(run).participants([id]);
      return { up: row?.bytesUp ?? 0, down: row?.bytesDown ?? 0 };
    };
    const before = bytes();
    // Long polling carries binary parts as base64, 4 bytes for 3.
    const most = way.at(-1) === 'polling' ? 4 / 3 : 1;
    const frame = Buffer.alloc(LARGE);
    await socket.emitWithAck('answer', { run, ticket, weight: 1, milliseconds: 1, frame });
    await expect.poll(() => bytes().up - before.up).toBeGreaterThan(most * LARGE);
    expect(bytes().up - before.up).toBeLessThan(most * LARGE + 20_000);
    const sent = bytes().down;
    const { value } = await socket.emitWithAck('parcel', { run, hash: checkpoint, piece: 0 });
    const size = value.bytes.byteLength;
    expect(size).toBeGreaterThan(100_000);
    await expect.poll(() => bytes().down - sent).toBeGreaterThan(most * size);
    expect(bytes().down - sent).toBeLessThan(most * size + 20_000);
    socket.disconnect();
    await coordinator.runs.act(run, 'stop');
  });
});

it.each(ways)('a connection that comes by $way takes turns as soon as it is a WebSocket', async ({ way }) => {
  const server = createServer();
  const sockets = new Server(server, { maxHttpBufferSize: 2 * LARGE });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const intake = new Intake();
  const read: number[] = [];
  const count = intake.read.bind(intake);
  intake.read = (source, bytes) => {
    read.push(bytes);
    count(source, bytes);
  };
  sockets.on('connection', (socket: Socket) => {
    pace(socket.conn, intake);
    socket.on('large', (_bytes, acknowledge) => acknowledge());
  });
  const client = io(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    transports: way,
    forceNew: true,
  });
  try {
    await next(client, 'connect');
    await settled(client, way);
    await client.emitWithAck('large', Buffer.alloc(LARGE));
    const isWebSocket = way.at(-1) === 'websocket';
    expect(intake.size).toBe(isWebSocket ? 1 : 0);
    const bytes = read.reduce((sum, one) => sum + one, 0);
    // All but the rest of the chunk that the change of transports came in.
    if (isWebSocket) expect(bytes).toBeGreaterThan(LARGE - 2 * 65_536);
    else expect(bytes).toBe(0);
  } finally {
    client.close();
    await new Promise<void>((resolve) => void sockets.close(() => resolve()));
  }
});
