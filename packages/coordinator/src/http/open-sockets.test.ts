import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@coppice/ports';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../config.ts';
import { CLOSING_GRACE, type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { freePort } from './free-port.testing.ts';

const KEY = 'a-key-for-tests';
const clock = new ManualClock(1_760_000_000_000);
let coordinator: Coordinator;
let sockets: Socket[] = [];

const start = (config: Partial<Config> = {}) =>
  startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent', ...config },
    storage: memoryStorage(),
    spool: memorySpool(),
    clock,
  });

beforeEach(async () => {
  coordinator = await start();
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
});

/** A connection that has sent this and nothing else, once the coordinator has taken it and begun to answer a whole head. */
async function connected(sent = ''): Promise<Socket> {
  const socket = connect(Number(new URL(coordinator.url).port), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(sent);
  if (sent.endsWith('\r\n\r\n')) await once(socket, 'data');
  // Connections are taken in their order: one that is answered comes after this one.
  await (await fetch(`${coordinator.url}/api/protocol.json`, { headers: { connection: 'close' } })).text();
  return socket;
}
const request = (method: string, path: string, more: readonly string[] = []) =>
  [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', `Authorization: Bearer ${KEY}`, ...more, '', ''].join(
    '\r\n',
  );
/** A body that the coordinator asks for once it has read the head. */
const body = ['Content-Type: application/json', 'Content-Length: 20', 'Expect: 100-continue'];

const webSocket = request('GET', '/socket.io/?EIO=4&transport=websocket', [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]);

/** Closes the coordinator, whose grace passes meanwhile. */
async function closedInTime(): Promise<void> {
  let isClosed = false;
  const closed = coordinator.close().then(() => {
    isClosed = true;
  });
  await expect
    .poll(() => {
      clock.advance(CLOSING_GRACE);
      return isClosed;
    })
    .toBe(true);
  await closed;
}

it.each([
  ['says nothing, such as one that a browser opened for later', ''],
  ['sent half of a head', 'GET / HTTP/1.1\r\nHost: 127'],
  ['was answered and stays', request('GET', '/api/protocol.json')],
])('a coordinator closes at once although a connection %s', async (_, sent) => {
  const socket = await connected(sent);
  const gone = once(socket, 'close');
  socket.resume();
  await coordinator.close();
  await gone;
});

it('a coordinator that closes answers what was asked, and ends the connection then', async () => {
  const socket = await connected(request('POST', '/api/runs', body));
  const answer: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => answer.push(bytes));
  const gone = once(socket, 'close');
  const closed = coordinator.close();
  socket.write('{"task":"no-task"}  ');
  await closed;
  await gone;
  expect(Buffer.concat(answer).toString()).toContain('"task-unknown"');
});

it.each([
  ['a request that never ends', request('POST', '/api/runs', body)],
  ['a socket that does not answer its end', webSocket],
])('a coordinator that closes waits a little for %s, and no longer', async (_, sent) => {
  await connected(sent);
  await closedInTime();
});

it('answers a WebSocket that comes while it recovers, so that its participant tries again', async () => {
  const storage = memoryStorage();
  const { openFirings } = storage;
  const { promise: recovers, resolve: recover } = Promise.withResolvers<void>();
  storage.openFirings = async () => {
    await recovers;
    return openFirings();
  };
  await coordinator.close();
  const port = await freePort();
  const config = { port, adminKey: KEY, logLevel: 'silent' } as const;
  const starting = startCoordinator({ config, storage, spool: memorySpool(), clock });
  await expect.poll(() => fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null)).not.toBeNull();
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket.on('error', () => {}));
  socket.write(webSocket);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 [45]/);
  recover();
  coordinator = await starting;
  await coordinator.close();
});

describe('with TLS', () => {
  const pem = (name: string) =>
    fileURLToPath(new URL(`../security/fixtures/first.${name}.pem`, import.meta.url));

  beforeEach(async () => {
    await coordinator.close();
    coordinator = await start({ tlsCert: pem('cert'), tlsKey: pem('key') });
  });

  it('closes at once although a connection says nothing', async () => {
    const port = Number(new URL(coordinator.url).port);
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
    sockets.push(socket);
    // The ticket of a session comes once the coordinator has the whole handshake.
    await once(socket, 'session');
    const gone = once(socket.resume(), 'close');
    await coordinator.close();
    await gone;
  });

  it('waits a little for a connection that does not even begin the handshake', async () => {
    const socket = connect(Number(new URL(coordinator.url).port), '127.0.0.1');
    sockets.push(socket.on('error', () => {}));
    await once(socket, 'connect');
    await closedInTime();
  });
});
