import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ManualClock } from '@coppice/ports';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CLOSING_GRACE, type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

const KEY = 'a-key-for-tests';
const clock = new ManualClock(1_760_000_000_000);
let coordinator: Coordinator;
let sockets: Socket[] = [];

beforeEach(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
    clock,
  });
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
  [
    'a socket that does not answer its end',
    request('GET', '/socket.io/?EIO=4&transport=websocket', [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ]),
  ],
])('a coordinator that closes waits a little for %s, and no longer', async (_, sent) => {
  const socket = await connected(sent);
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
  socket.destroy();
});
