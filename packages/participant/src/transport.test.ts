import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_MESSAGE_BYTES, PROTOCOL_VERSION, type WireError } from '@coppice/protocol';
import { Server, type Socket } from 'socket.io';
import { expect, it } from 'vitest';
import { type TransportUnderTest, transportContract, welcome } from './contract.ts';
import { type LoopbackPeer, loopback } from './loopback-transport.ts';
import { headlessIdentity } from './node/headless-identity.ts';
import { socketTransport } from './socket-transport.ts';

transportContract('loopback', async () => ({ ...loopback(), close: async () => {} }));

/** A bare Socket.IO server that does what the test says, and nothing else. */
async function socketIo(): Promise<TransportUnderTest> {
  const http = createServer();
  const io = new Server(http, { maxHttpBufferSize: MAX_MESSAGE_BYTES });
  const answers = new Map<string, (message: never) => unknown>();
  const pending: ((socket: Socket) => void)[] = [];
  const free: Socket[] = [];
  let current: Socket | null = null;
  let refusal: WireError | null = null;
  const namespace = io.of('/participant');
  namespace.use((_socket, next) => {
    if (refusal === null) next();
    else next(Object.assign(new Error('refused'), { data: refusal }));
  });
  namespace.on('connection', (socket) => {
    socket.onAny((name: string, ...sent: unknown[]) => {
      const [message, acknowledge] = sent as [never, ((answer: unknown) => void)?];
      const answer = answers.get(name);
      if (answer !== undefined) void Promise.resolve(answer(message)).then((value) => acknowledge?.(value));
    });
    const next = pending.shift();
    if (next === undefined) free.push(socket);
    else next(socket);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const peer: LoopbackPeer = {
    answer: (name, handle) => void answers.set(name, handle as (message: never) => unknown),
    push: (name, message) => void current?.emit(name, message),
    drop: () => current?.conn.close(),
    welcome(message) {
      const greet = (socket: Socket) => {
        current = socket;
        socket.emit('welcome', { ...message, protocol: PROTOCOL_VERSION });
      };
      const socket = free.shift();
      if (socket === undefined) pending.push(greet);
      else greet(socket);
    },
    refuse(error) {
      refusal = error;
    },
  };
  return {
    transport: socketTransport(`http://127.0.0.1:${port}`, headlessIdentity('a peer')),
    peer,
    close: () => new Promise((resolve) => void io.close(() => resolve())),
  };
}

transportContract('Socket.IO', socketIo);

it.each(['participant-banned', 'session-replaced'] as const)('gives up after the notice %s', async (code) => {
  const { transport, peer, close } = await socketIo();
  const refused = new Promise<WireError>((resolve) => {
    transport.open({
      // Named for a run it is that run's matter, and the connection stands.
      onWelcome: () => {
        peer.push('notice', { code, message: 'here', run: 'r-1' });
        peer.push('notice', { code, message: 'everywhere' });
      },
      onLost: () => {},
      onRefused: resolve,
      onMessage: () => {},
    });
  });
  peer.welcome(welcome);
  expect(await refused).toMatchObject({
    code,
    message: code === 'participant-banned' ? 'everywhere' : 'here',
  });
  transport.close();
  await close();
});
