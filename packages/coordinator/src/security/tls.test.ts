import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.pem`, import.meta.url));
const ca = [readFileSync(fixture('first.cert')), readFileSync(fixture('second.cert'))];
let folder: string;
let coordinator: Coordinator | null = null;
const place = (name: string) => join(folder, name);
const use = (name: string) => {
  copyFileSync(fixture(`${name}.cert`), place('cert'));
  copyFileSync(fixture(`${name}.key`), place('key'));
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-tls-'));
  use('first');
});
afterEach(async () => {
  await coordinator?.close();
  coordinator = null;
  rmSync(folder, { recursive: true, force: true });
});

async function start(config: { tlsCert: string | null; tlsKey: string | null }): Promise<Coordinator> {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: 'a-key-for-tests', logLevel: 'silent', ...config },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  return coordinator;
}

/** An answer over a new connection, with the certificate that was shown. */
function ask(url: string) {
  return new Promise<{ status: number; hsts: string | undefined; subject: string }>((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      const shown: PeerCertificate = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      resolve({
        status: response.statusCode as number,
        hsts: response.headers['strict-transport-security'],
        subject: String(shown.subject.CN),
      });
    }).once('error', reject);
  });
}

it('speaks https and wss with the certificate it was given, and says that it always will', async () => {
  const { url } = await start({ tlsCert: place('cert'), tlsKey: place('key') });
  expect(url).toMatch(/^https:/);
  expect(await ask(`${url}/healthz`)).toEqual({
    status: 200,
    hsts: expect.stringMatching(/max-age=\d{7,}/),
    subject: 'first',
  });
  const socket = io(`${url}/admin`, {
    transports: ['websocket'],
    ca: ca.map(String),
    auth: { key: 'a-key-for-tests' },
    reconnection: false,
  } as Parameters<typeof io>[1]);
  try {
    const snapshot = await new Promise((resolve, reject) => {
      socket.once('snapshot', resolve);
      socket.once('connect_error', reject);
    });
    expect(snapshot).toMatchObject({ client: `${url}/` });
  } finally {
    socket.disconnect();
  }
  // Whoever speaks plain HTTP to it gets nothing.
  await expect(fetch(`${url.replace('https', 'http')}/healthz`)).rejects.toThrow();
});

it('takes a renewed certificate without a restart, and keeps the old one where the new is broken', async () => {
  const running = await start({ tlsCert: place('cert'), tlsKey: place('key') });
  use('second');
  running.renewCertificate();
  expect((await ask(`${running.url}/healthz`)).subject).toBe('second');
  copyFileSync(fixture('first.key'), place('key'));
  expect(() => running.renewCertificate()).toThrow(/cannot be used together/);
  expect((await ask(`${running.url}/healthz`)).subject).toBe('second');
});

it.each([
  ['only a certificate', () => ({ tlsCert: place('cert'), tlsKey: null }), /needs both/],
  ['only a key', () => ({ tlsCert: null, tlsKey: place('key') }), /needs both/],
  [
    'a file that is not there',
    () => ({ tlsCert: place('cert'), tlsKey: place('no') }),
    /--tls-key .*no cannot be read/,
  ],
  [
    "another certificate's key",
    () => ({ tlsCert: place('cert'), tlsKey: fixture('second.key') }),
    /used together/,
  ],
  [
    'what is no certificate',
    () => {
      writeFileSync(place('cert'), 'hello');
      return { tlsCert: place('cert'), tlsKey: place('key') };
    },
    /used together/,
  ],
])('refuses %s by name', async (_, config, message) => {
  await expect(start(config())).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringMatching(message),
  });
});
