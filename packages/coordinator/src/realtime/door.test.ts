import { generateKeyPairSync, sign } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { CoppiceError, PROTOCOL_VERSION, proofBytes } from '@coppice/protocol';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../config.ts';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { AddressLimit } from '../security/address-limit.ts';
import type { Trust } from '../security/client-address.ts';
import { ConnectionCaps } from '../security/connection-caps.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { Door } from './door.ts';
import { BURST_SECONDS } from './event-limit.ts';

let coordinator: Coordinator;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect();
  await coordinator.close();
});

async function begin(config: Partial<Config>): Promise<void> {
  coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent', trustProxy: 'loopback', adminKey: 'a-key-for-tests', ...config },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
}

/** A socket that comes from `address`, as a proxy says: connected, or the code it was refused with. */
async function from(
  address: string,
  transport: 'websocket' | 'polling' = 'websocket',
): Promise<Socket | string> {
  const socket = io(`${coordinator.url}/participant`, {
    transports: [transport],
    reconnection: false,
    forceNew: true,
    auth: { protocol: PROTOCOL_VERSION, key: keysOf().key },
    extraHeaders: { 'x-forwarded-for': address },
  });
  sockets.push(socket);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', (error: Error & { data?: { code: string } }) =>
      resolve(error.data?.code ?? 'shut'),
    );
  });
}

const metric = async (line: string) => {
  const response = await fetch(`${coordinator.url}/metrics`, {
    headers: { authorization: 'Bearer a-key-for-tests' },
  });
  const found = (await response.text()).split('\n').find((row) => row.startsWith(`${line} `));
  return found === undefined ? 0 : Number(found.split(' ').at(-1));
};

describe('how many sockets may be open', () => {
  it.each(['websocket', 'polling'] as const)('is capped for each address, by %s', async (transport) => {
    await begin({ connectionsPerAddress: 2 });
    const first = await from('203.0.113.1', transport);
    expect(first).toBeTypeOf('object');
    expect(await from('203.0.113.1', transport)).toBeTypeOf('object');
    expect(await from('203.0.113.1', transport)).toBe('too-many-connections');
    // Somebody else is not concerned.
    expect(await from('203.0.113.2', transport)).toBeTypeOf('object');
    expect(await metric('coppice_connections_refused_total{reason="too-many-connections"}')).toBe(1);
    // One that closes makes room for another.
    (first as Socket).disconnect();
    await expect.poll(() => from('203.0.113.1', transport)).toBeTypeOf('object');
  });

  it('counts an IPv6 network as one', async () => {
    await begin({ connectionsPerAddress: 1 });
    expect(await from('2001:db8:1:2::1')).toBeTypeOf('object');
    expect(await from('2001:db8:1:2:ffff::9')).toBe('too-many-connections');
    expect(await from('2001:db8:1:3::1')).toBeTypeOf('object');
  });

  it('is capped in all', async () => {
    await begin({ connections: 2 });
    expect(await from('203.0.113.1')).toBeTypeOf('object');
    expect(await from('203.0.113.2')).toBeTypeOf('object');
    expect(await from('203.0.113.3')).toBe('too-many-connections');
  });

  it('does not let an address in at all that holds twice as many by not saying anything', async () => {
    await begin({ connectionsPerAddress: 1 });
    const silent = () =>
      new Promise<number>((resolve, reject) => {
        const asked = request(`${coordinator.url}/socket.io/?EIO=4&transport=polling`, {
          headers: { 'x-forwarded-for': '203.0.113.1' },
        });
        asked.once('response', (response) => {
          response.resume();
          resolve(response.statusCode as number);
        });
        asked.once('error', reject);
        asked.end();
      });
    expect([await silent(), await silent(), await silent(), await silent()]).toEqual([200, 200, 403, 403]);
  });

  it('is not limited where that is wished', async () => {
    await begin({ connectionsPerAddress: 0, connections: 0 });
    for (let i = 0; i < 5; i++) expect(await from('203.0.113.1')).toBeTypeOf('object');
  });
});

it('an address may not begin connections faster than it may ask', async () => {
  await begin({ requestsPerMinute: 3 });
  for (let i = 0; i < 3; i++) expect(await from('203.0.113.1')).toBeTypeOf('object');
  expect(await from('203.0.113.1')).toBe('shut');
  expect(await from('203.0.113.2')).toBeTypeOf('object');
  expect(await metric('coppice_connections_refused_total{reason="rate-limited"}')).toBe(1);
});

it('requests to the API are limited for each address, with the time to wait; health and pages are not', async () => {
  await begin({ requestsPerMinute: 3 });
  const get = (path: string, address = '203.0.113.1') =>
    fetch(`${coordinator.url}${path}`, { headers: { 'x-forwarded-for': address } });
  for (let i = 0; i < 3; i++) expect((await get('/api/info')).status).toBe(200);
  const refused = await get('/api/info');
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect(await refused.json()).toMatchObject({ error: { code: 'rate-limited' } });
  expect((await get('/models/0')).status).toBe(429);
  expect((await get('/readyz')).status).toBe(200);
  expect((await get('/api/info', '203.0.113.2')).status).toBe(200);
});

describe('messages on one connection', () => {
  it('are refused unread over the limit, also before a proof, and too many end it', async () => {
    const perSecond = 2;
    await begin({ eventsPerSecond: perSecond });
    const socket = (await from('203.0.113.1')) as Socket;
    const notices: { code: string; message: string }[] = [];
    socket.on('notice', (notice) => notices.push(notice));
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    const most = perSecond * BURST_SECONDS;
    // Nothing is heard before a proof, so those within the limit get no answer.
    for (let i = 0; i < most; i++) socket.emit('nonsense', i);
    const answer = await socket.timeout(60_000).emitWithAck('join', { run: 'x' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'rate-limited' } });
    for (let i = 0; i <= most; i++) socket.emit('nonsense', i);
    expect(await closed).toBe('io server disconnect');
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({
      code: 'rate-limited',
      message: expect.stringContaining('is closed'),
    });
    expect(await metric('coppice_messages_total{name="any",result="rate-limited"}')).toBeGreaterThanOrEqual(
      most,
    );
  });
});

it('a plain-HTTP request under a name that may be somebody else’s is refused, and says what to do', async () => {
  await begin({ trustProxy: null });
  const ask = (host: string, path: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const asked = request(`${coordinator.url}${path}`, { headers: { host } });
      asked.once('response', (response) => {
        let body = '';
        response.on('data', (part) => {
          body += part;
        });
        response.once('end', () => resolve({ status: response.statusCode as number, body }));
      });
      asked.once('error', reject);
      asked.end();
    });
  const refused = await ask('evil.example', '/api/info');
  expect(refused.status).toBe(421);
  expect(JSON.parse(refused.body)).toMatchObject({
    error: { code: 'host-unknown', message: expect.stringContaining('--public-url') },
  });
  expect((await ask('evil.example', '/')).status).toBe(421);
  expect((await ask('evil.example', '/socket.io/?EIO=4&transport=polling')).status).toBe(403);
  // Probes of a supervisor have names of their own.
  expect((await ask('evil.example', '/readyz')).status).toBe(200);
  expect((await ask('localhost', '/api/info')).status).toBe(200);
  expect((await ask('localhost', '/socket.io/?EIO=4&transport=polling')).status).toBe(200);
});

it('a proxy that nobody named is noticed once, one that was named is not', () => {
  const door = (trust: Trust, unnamedProxy: () => void) =>
    new Door({
      trust,
      origins: [],
      publicUrl: null,
      caps: new ConnectionCaps({ total: 0, perAddress: 0 }),
      begun: new AddressLimit(0, 60),
      refused: () => {},
      unnamedProxy,
    });
  const proxied = {
    headers: { 'x-forwarded-for': '203.0.113.1' },
    socket: { remoteAddress: '127.0.0.1' },
  } as unknown as IncomingMessage;
  const noticed = vi.fn();
  const unnamed = door(() => false, noticed);
  for (let i = 0; i < 3; i++) unnamed.allowRequest(proxied, () => {});
  expect(noticed).toHaveBeenCalledTimes(1);
  door(() => true, noticed).allowRequest(proxied, () => {});
  expect(noticed).toHaveBeenCalledTimes(1);
});

describe('participants never seen before', () => {
  /** Comes with these keys and proves them: `welcome`, or the code it was refused with. */
  async function come(keys: ReturnType<typeof keysOf>, address: string): Promise<string> {
    const socket = io(`${coordinator.url}/participant`, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { protocol: PROTOCOL_VERSION, key: keys.key },
      extraHeaders: { 'x-forwarded-for': address },
    });
    sockets.push(socket);
    return new Promise((resolve) => {
      socket.once('welcome', () => resolve('welcome'));
      socket.once('challenge', async ({ nonce }: { nonce: string }) => {
        const signature = keys.prove(new URL(coordinator.url).host, nonce);
        const answer = await socket.emitWithAck('prove', { signature });
        if (!answer.ok) resolve(answer.error.code);
      });
    });
  }

  it('are limited for each address; who was here before is not', async () => {
    await begin({ identitiesPerHour: 2 });
    const [ada, ben, cleo] = [keysOf(), keysOf(), keysOf()];
    expect(await come(ada, '203.0.113.1')).toBe('welcome');
    expect(await come(ben, '203.0.113.1')).toBe('welcome');
    expect(await come(cleo, '203.0.113.1')).toBe('too-many-identities');
    for (let i = 0; i < 5; i++) expect(await come(ada, '203.0.113.1')).toBe('welcome');
    expect(await come(cleo, '203.0.113.2')).toBe('welcome');
    // Known by now, wherever it comes from.
    expect(await come(cleo, '203.0.113.1')).toBe('welcome');
  });

  it('are known after a restart', async () => {
    const storage = memoryStorage();
    const limited = { port: 0, logLevel: 'silent', trustProxy: 'loopback', identitiesPerHour: 1 };
    const start = () => startCoordinator({ config: limited, storage, spool: memorySpool() });
    const ada = keysOf();
    coordinator = await start();
    expect(await come(ada, '203.0.113.1')).toBe('welcome');
    await coordinator.close();
    coordinator = await start();
    expect(await come(keysOf(), '203.0.113.1')).toBe('welcome');
    expect(await come(ada, '203.0.113.1')).toBe('welcome');
    expect(await come(keysOf(), '203.0.113.1')).toBe('too-many-identities');
  });

  it('are let in when the disk cannot say who is new', async () => {
    coordinator = await startCoordinator({
      config: { port: 0, logLevel: 'silent', identitiesPerHour: 1 },
      storage: {
        ...memoryStorage(),
        participantSeen: () => Promise.reject(new CoppiceError('storage-failed', 'The disk is gone.')),
      },
      spool: memorySpool(),
    });
    for (let i = 0; i < 3; i++) expect(await come(keysOf(), '127.0.0.1')).toBe('welcome');
  });
});

/** A key pair, and the signatures that prove it. */
function keysOf() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const part = (text: unknown) => Buffer.from(text as string, 'base64url');
  return {
    key: Buffer.concat([Buffer.of(4), part(x), part(y)]).toString('base64url'),
    prove: (host: string, nonce: string) =>
      sign('sha256', proofBytes(host, nonce), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString(
        'base64url',
      ),
  };
}
