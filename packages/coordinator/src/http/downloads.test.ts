import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { ManualClock } from '@coppice/ports';
import { CoppiceError, SILENCE_TIMEOUT } from '@coppice/protocol';
import express from 'express';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionCaps } from '../security/connection-caps.ts';
import { type Download, Downloads, LET_GO_AFTER, MOST_HELD } from './downloads.ts';
import { errorHandler, json } from './respond.ts';

const MIB = 1 << 20;

let server: Server;
let clock: ManualClock;
let downloads: Downloads;
let address: { port: number; host: string };
/** What is sent under each path. */
let served: Map<string, Download>;
const sockets: Socket[] = [];

beforeEach(async () => {
  clock = new ManualClock();
  downloads = new Downloads(clock, new ConnectionCaps({ total: 6, perAddress: 4 }));
  served = new Map();
  const app = express();
  // The tests are many addresses.
  app.set('trust proxy', true);
  app.get(
    '/:name',
    json(async (request, response) => {
      const name = String(request.params['name']);
      response.set('Cache-Control', 'public, immutable');
      await downloads.send(request, response, served.get(name) as Download);
    }),
  );
  app.use(errorHandler(pino({ level: 'silent' })));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = { port: (server.address() as AddressInfo).port, host: '127.0.0.1' };
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
});

function serve(name: string, bytes: Uint8Array, more: Partial<Download> = {}): void {
  served.set(name, { etag: `"${name}"`, size: bytes.byteLength, load: () => bytes, ...more });
}

/** A client that asks, and reads nothing until it is told to. Resolves when the answer has begun. */
async function ask(name: string, from = '192.0.2.1'): Promise<Socket> {
  const socket = connect(address);
  sockets.push(socket);
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET /${name} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${from}\r\n\r\n`);
  await new Promise((resolve) => socket.once('readable', resolve));
  return socket;
}

/** Reads on demand; until then its system's buffers fill up. */
function reader(socket: Socket) {
  const chunks: Buffer[] = [];
  const it = {
    got: 0,
    /** Reads about so many bytes more, or to the end: of the connection, or of the body. @returns all that came. */
    async read(more: number, body = Number.POSITIVE_INFINITY): Promise<Buffer> {
      for (const until = it.got + more; it.got < until && it.got < body + headers() && !socket.closed; ) {
        await new Promise<void>((resolve) => {
          const go = () => {
            socket.off('data', take).off('close', go);
            socket.pause();
            resolve();
          };
          const take = (chunk: Buffer) => {
            chunks.push(chunk);
            it.got += chunk.byteLength;
            go();
          };
          socket.once('data', take).once('close', go);
          socket.resume();
        });
      }
      return Buffer.concat(chunks);
    },
  };
  const headers = () => (chunks[0]?.indexOf('\r\n\r\n') ?? 0) + 4;
  return it;
}

const fetched = (name: string, from = '192.0.2.1') =>
  fetch(`http://${address.host}:${address.port}/${name}`, { headers: { 'X-Forwarded-For': from } });

describe('a reader that does not read', () => {
  it('is broken off after a while, and what it was sent is let go', async () => {
    for (const name of ['a', 'b', 'c', 'd']) {
      serve(name, new Uint8Array(32 * MIB));
      await ask(name);
    }
    expect(downloads.held).toBe(4 * 32 * MIB);
    // What fits into the system's buffers is taken for read, at most once.
    await expect
      .poll(() => {
        clock.advance(SILENCE_TIMEOUT);
        return downloads.held;
      })
      .toBe(0);
  });

  it('holds a copy of a little of what is sent, and not the model', async () => {
    const bytes = new Uint8Array(32 * MIB);
    const written: ArrayBufferLike[] = [];
    server.prependListener('request', (_request, response) => {
      const write = response.write.bind(response);
      response.write = ((part: Uint8Array) => {
        written.push(part.buffer);
        return write(part);
      }) as typeof response.write;
    });
    serve('a', bytes);
    await ask('a');
    expect(written.length).toBeGreaterThan(0);
    for (const buffer of written) {
      expect(buffer).not.toBe(bytes.buffer);
      expect(buffer.byteLength).toBeLessThan(MIB);
    }
  });

  it('is let go soon where the model has been replaced, however steadily it reads', async () => {
    let isCurrent = true;
    const bytes = new Uint8Array(64 * MIB);
    for (const name of ['a', 'b']) serve(name, bytes, { isCurrent: () => isCurrent || name === 'b' });
    const [replaced, current] = [reader(await ask('a')), reader(await ask('b'))];
    for (let thirds = 0; thirds < 5; thirds++) {
      for (const one of [replaced, current]) await one.read(4 * MIB);
      isCurrent = false;
      clock.advance(LET_GO_AFTER / 3);
    }
    await replaced.read(64 * MIB);
    await current.read(64 * MIB, bytes.byteLength);
    expect(replaced.got).toBeLessThan(64 * MIB);
    expect(current.got).toBeGreaterThan(64 * MIB);
    await expect.poll(() => downloads.held).toBe(0);
  });
});

it('a slow reader gets everything, as long as it takes a piece in each while', async () => {
  const bytes = Uint8Array.from({ length: 32 * MIB }, (_, i) => (i * 31) % 251);
  serve('a', bytes);
  const slow = reader(await ask('a'));
  for (let pieces = 0; pieces < 7; pieces++) {
    await slow.read(4 * MIB);
    clock.advance(SILENCE_TIMEOUT - 1000);
  }
  const all = await slow.read(8 * MIB, bytes.byteLength);
  expect(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(bytes)).toBe(true);
  // The answer is over, and its room free.
  await expect.poll(() => downloads.held).toBe(0);
});

describe('large answers', () => {
  it('are limited by address and in all, and refused by name with a time to wait', async () => {
    serve('a', new Uint8Array(32 * MIB));
    serve('small', new Uint8Array(MIB));
    const first: Socket[] = [];
    for (let i = 0; i < 4; i++) first.push(await ask('a'));
    const refused = await fetched('a');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect(refused.headers.get('cache-control')).toBeNull();
    expect(await refused.json()).toMatchObject({ error: { code: 'rate-limited' } });
    // Small ones, and other addresses, are not held up.
    expect((await fetched('small')).status).toBe(200);
    for (let i = 0; i < 2; i++) await ask('a', '192.0.2.2');
    const full = await fetched('a', '192.0.2.3');
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await full.json()).toMatchObject({ error: { code: 'too-many-connections' } });
    for (const socket of first) socket.destroy();
    await expect.poll(async () => (await fetched('a', '192.0.2.3')).status).toBe(200);
  });

  it('hold so many models at once, each as often as it is wanted', async () => {
    // As large as they claim only when they are read.
    const claimed = MOST_HELD / 2;
    let loaded = 0;
    for (const name of ['a', 'b', 'c'])
      serve(name, new Uint8Array(8 * MIB), {
        size: claimed,
        load: () => {
          loaded++;
          return new Uint8Array(8 * MIB);
        },
      });
    for (const name of ['a', 'b', 'a']) await ask(name);
    expect(downloads.held).toBe(MOST_HELD);
    const refused = await fetched('c', '192.0.2.4');
    expect(await refused.json()).toMatchObject({ error: { code: 'too-many-connections' } });
    expect(loaded).toBe(3);
    expect((await fetch(`http://127.0.0.1:${address.port}/c`, { method: 'HEAD' })).status).toBe(200);
  });

  it('that cannot be loaded are answered with the reason', async () => {
    serve('a', new Uint8Array(2 * MIB), {
      load: () => {
        throw new CoppiceError('checkpoint-unknown', 'It is gone.');
      },
    });
    const answer = await fetched('a');
    expect([answer.status, answer.headers.get('etag'), answer.headers.get('cache-control')]).toEqual([
      404,
      expect.not.stringContaining('"a"'),
      null,
    ]);
    await expect.poll(() => downloads.held).toBe(0);
  });
});
