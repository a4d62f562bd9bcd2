import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import express from 'express';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { errorHandler, json } from './respond.ts';
import { sendList } from './send-list.ts';

/** More than a socket of this machine takes before it is read. */
const MANY = 200;
const LARGE = 'x'.repeat(1 << 20);

let server: Server;
let port: number;
/** Members that were made. */
let made: number;
let reader: Socket | null;

beforeEach(async () => {
  made = 0;
  reader = null;
  async function* members(path: string) {
    if (path === '/fails') throw new Error('the disk is gone');
    const count = path === '/none' ? 0 : path === '/few' ? 3 : MANY;
    while (made < count) {
      made++;
      yield path === '/few' ? made : LARGE;
    }
  }
  const app = express();
  app.use(json((request, response) => sendList(response, members(request.path), (member) => ({ member }))));
  app.use(errorHandler(pino({ level: 'silent' })));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  reader?.destroy();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
});

const ask = async (path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, response.headers.get('content-type'), await response.json()];
};

it('sends a list, an empty one, and an error where there is none', async () => {
  const type = expect.stringContaining('application/json');
  expect(await ask('/few')).toEqual([200, type, [{ member: 1 }, { member: 2 }, { member: 3 }]]);
  expect(await ask('/none')).toEqual([200, type, []]);
  expect(await ask('/fails')).toMatchObject([500, type, { error: {} }]);
});

it('makes no member before there is room for it, and none for a reader that went away', async () => {
  reader = connect(port, '127.0.0.1');
  reader.write('GET /many HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(reader, 'readable');
  reader.pause();
  // All of them would be made in as many turns of the event loop.
  for (let turn = 0; turn < 10 * MANY; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(made).toBeLessThan(MANY / 2);
  const before = made;
  reader.destroy();
  for (let turn = 0; turn < 10 * MANY; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(made).toBeLessThanOrEqual(before + 2);
});
