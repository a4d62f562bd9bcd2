import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { freePort } from '../http/free-port.testing.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

let coordinator: Coordinator;
let port: number;

beforeAll(async () => {
  // The public address hides the real one, so the port is chosen here.
  port = await freePort();
  coordinator = await startCoordinator({
    config: {
      port,
      adminKey: 'a-key-for-tests',
      logLevel: 'silent',
      publicUrl: 'https://learn.example.org/',
      allowOrigin: 'https://partner.example,http://lab.example:8000',
    },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(() => coordinator.close());

/** What a browser's page of this origin gets when it opens a socket. */
function open(transport: 'polling' | 'websocket', origin: string | null) {
  return new Promise<{ status: number; cors: string | undefined }>((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      path: `/socket.io/?EIO=4&transport=${transport}`,
      headers: {
        ...(origin === null ? {} : { origin }),
        ...(transport === 'polling'
          ? {}
          : {
              connection: 'Upgrade',
              upgrade: 'websocket',
              'sec-websocket-version': '13',
              'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
            }),
      },
    });
    asked.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode as number, cors: undefined });
    });
    asked.once('response', (response) => {
      response.resume();
      resolve({
        status: response.statusCode as number,
        cors: response.headers['access-control-allow-origin'],
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}

describe.each(['polling', 'websocket'] as const)('a socket by %s', (transport) => {
  const yes = transport === 'polling' ? 200 : 101;
  it.each([
    ['a program that is no browser', () => null, true],
    ['a page of the coordinator', () => `http://127.0.0.1:${port}`, true],
    ['a page of its public address', () => 'https://learn.example.org', true],
    ['a page that was allowed', () => 'https://partner.example', true],
    ['another that was', () => 'http://lab.example:8000', true],
    ['a page of somebody else', () => 'https://evil.example', false],
    ['one that looks like it', () => 'https://learn.example.org.evil.example', false],
    ['the same host by another port', () => 'http://127.0.0.1:1', false],
    ['the same host without TLS', () => 'http://partner.example', false],
    ['a page without an origin', () => 'null', false],
    ['nonsense', () => '%%%', false],
  ])('for %s: %s', async (_, origin, allowed) => {
    const given = origin();
    const answer = await open(transport, given);
    expect(answer.status === yes).toBe(allowed);
    // Engine.IO has two words for it.
    if (!allowed) expect(answer.status).toBe(transport === 'polling' ? 403 : 400);
  });
});

it('tells browsers so for pages that were allowed, which polling needs, and for no others', async () => {
  expect((await open('polling', 'https://partner.example')).cors).toBe('https://partner.example');
  expect((await open('polling', 'https://evil.example')).cors).not.toBe('https://evil.example');
});
