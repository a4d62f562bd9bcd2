import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROTOCOL_VERSION } from '@coppice/protocol';
import { Server, type Socket } from 'socket.io';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { welcome } from './contract.ts';
import { headlessIdentity } from './node/headless-identity.ts';
import { socketTransport } from './socket-transport.ts';
import type { TransportEvents } from './transport.ts';

// Short, so that what waits for them can be waited for.
vi.mock('../../protocol/src/timeouts.ts', () => ({
  ANSWER_TIMEOUT: 50,
  SILENCE_TIMEOUT: 100,
  HEARTBEAT_INTERVAL: 25_000,
  REST_TIMEOUT: 5000,
  GRACE_AFTER_RESTART: 30_000,
  FIRST_PAUSE: 1,
  LONGEST_PAUSE: 5,
}));

const silent: TransportEvents = { onWelcome() {}, onLost() {}, onRefused() {}, onMessage() {} };
const nonce = (digit: number) => ({ nonce: String(digit).repeat(64) });
const identity = headlessIdentity('somebody');

/** A server that does nothing by itself. @returns its address, and its connections as they come. */
async function server(): Promise<{ url: string; next: () => Promise<Socket> }> {
  const http = createServer();
  const io = new Server(http);
  const waiting: ((socket: Socket) => void)[] = [];
  const arrived: Socket[] = [];
  io.of('/participant').on('connection', (socket) => {
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(socket);
    else taker(socket);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void io.close(() => resolve())));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    next: () => {
      const socket = arrived.shift();
      return socket === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(socket);
    },
  };
}

const heard = (socket: Socket, name: string) =>
  new Promise<unknown>((resolve) => socket.once(name, (message: unknown) => resolve(message)));

it('a connection on which no welcome comes is given up for another', async () => {
  const { url, next } = await server();
  const transport = socketTransport(url, identity);
  onTestFinished(() => transport.close());
  let lost = 0;
  const welcomed = new Promise<void>((resolve) =>
    transport.open({ ...silent, onWelcome: () => resolve(), onLost: () => void lost++ }),
  );
  await next();
  const second = await next();
  second.emit('welcome', { ...welcome, protocol: PROTOCOL_VERSION });
  await welcomed;
  expect(lost).toBe(1);
});

it('so is one on which an answer does not come, and the message is told as lost', async () => {
  const { url, next } = await server();
  const transport = socketTransport(url, identity);
  onTestFinished(() => transport.close());
  const welcomes: (() => void)[] = [];
  const first = new Promise<void>((resolve) => welcomes.push(resolve));
  const again = new Promise<void>((resolve) => welcomes.push(resolve));
  transport.open({ ...silent, onWelcome: () => welcomes.shift()?.() });
  (await next()).emit('welcome', { ...welcome, protocol: PROTOCOL_VERSION });
  await first;
  await expect(transport.request('leave', { run: 'r-1' })).rejects.toMatchObject({ code: 'connection-lost' });
  (await next()).emit('welcome', { ...welcome, protocol: PROTOCOL_VERSION });
  await again;
});

it('a proof is given on the connection that asked for it, or not at all', async () => {
  const { url, next } = await server();
  let signed: (signature: string) => void = () => {};
  const asked = [
    new Promise<string>((resolve) => {
      signed = resolve;
    }),
    Promise.resolve('the second'),
  ];
  let signing: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    signing = resolve;
  });
  const transport = socketTransport(url, {
    ...identity,
    sign: () => {
      signing();
      return asked.shift() as Promise<string>;
    },
  });
  onTestFinished(() => transport.close());
  transport.open(silent);
  const first = await next();
  first.emit('challenge', nonce(1));
  await begun;
  first.conn.close();
  const second = await next();
  const proof = heard(second, 'prove');
  signed('the first');
  second.emit('challenge', nonce(2));
  expect(await proof).toEqual({ signature: 'the second' });
});

it('a challenge that came before its connection was known to stand is not for the next one', async () => {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  onTestFinished(() => new Promise<void>((resolve) => void http.close(() => resolve())));
  const opening = `0${JSON.stringify({ sid: 'x', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6 })}`;
  const challenge = (digit: number) => `42/participant,${JSON.stringify(['challenge', nonce(digit)])}`;
  let connections = 0;
  const proof = new Promise<string>((resolve) => {
    sockets.on('connection', (socket) => {
      const first = ++connections === 1;
      socket.send(opening);
      socket.on('message', (data) => {
        const text = String(data);
        if (text.includes('"prove"')) resolve(text);
        else if (first) {
          // The answer to the handshake is lost, the challenge is not.
          socket.send(challenge(1), () => socket.close());
        } else {
          socket.send('40/participant,{"sid":"y"}');
          socket.send(challenge(2));
        }
      });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const transport = socketTransport(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
    ...identity,
    sign: async (bytes) => new TextDecoder().decode(bytes).slice(-64),
  });
  onTestFinished(() => transport.close());
  transport.open(silent);
  expect(await proof).toContain(nonce(2).nonce);
});
