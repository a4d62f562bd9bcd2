import { io } from 'socket.io-client';
import { expect, it } from 'vitest';
import { startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Storage } from '../storage/storage.ts';
import { freePort } from './free-port.testing.ts';
import { REQUEST_ID } from './request-log.ts';

/** Storage whose runs come only when they are let. */
function heldStorage(): { storage: Storage; asked: Promise<void>; release: (failure?: Error) => void } {
  let wasAsked = () => {};
  const asked = new Promise<void>((resolve) => {
    wasAsked = resolve;
  });
  let release = (_failure?: Error) => {};
  const released = new Promise<void>((resolve, reject) => {
    release = (failure) => (failure === undefined ? resolve() : reject(failure));
  });
  const inner = memoryStorage();
  const runs = async () => {
    wasAsked();
    await released;
    return inner.runs();
  };
  return { storage: { ...inner, runs }, asked, release: (failure) => release(failure) };
}

const config = { adminKey: 'a-key-for-tests', logLevel: 'silent' };

it('says that it lives but is not ready while it recovers, and lets nobody in until it is', async () => {
  const port = await freePort();
  const held = heldStorage();
  const starting = startCoordinator({
    config: { ...config, port },
    storage: held.storage,
    spool: memorySpool(),
  });
  await held.asked;
  const at = `http://127.0.0.1:${port}`;
  expect((await fetch(`${at}/healthz`)).status).toBe(200);
  const unready = await fetch(`${at}/readyz`);
  expect(unready.status).toBe(503);
  expect(unready.headers.get(REQUEST_ID)).toMatch(/^[0-9a-f-]{36}$/);
  expect(await unready.json()).toEqual({ ready: false, troubles: [] });
  const runs = await fetch(`${at}/api/runs`);
  expect(runs.status).toBe(503);
  expect(await runs.json()).toMatchObject({ error: { code: 'coordinator-starting' } });

  const socket = io(at, { transports: ['websocket'], reconnectionDelay: 1, reconnectionDelayMax: 5 });
  try {
    // Refused at least once, and in by itself afterwards.
    await new Promise<void>((resolve) => socket.io.once('reconnect_attempt', () => resolve()));
    expect(socket.connected).toBe(false);
    const connected = new Promise<void>((resolve) => socket.once('connect', resolve));
    held.release();
    const coordinator = await starting;
    expect((await fetch(`${at}/readyz`)).status).toBe(200);
    expect((await fetch(`${at}/api/runs`)).status).toBe(200);
    await connected;
    socket.disconnect();
    await coordinator.close();
  } finally {
    socket.disconnect();
  }
});

it('leaves the address free where it cannot recover', async () => {
  const port = await freePort();
  const held = heldStorage();
  const starting = startCoordinator({
    config: { ...config, port },
    storage: held.storage,
    spool: memorySpool(),
  });
  await held.asked;
  held.release(new Error('unreadable'));
  await expect(starting).rejects.toThrow('unreadable');
  const next = await startCoordinator({
    config: { ...config, port },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  await next.close();
});
