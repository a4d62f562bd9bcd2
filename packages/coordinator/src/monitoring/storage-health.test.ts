import { ManualClock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Storage } from '../storage/storage.ts';
import { StorageHealth } from './storage-health.ts';

/** Storage on a disk that is full, or not. */
function disk() {
  const inner = memoryStorage();
  const state: { refuses: CoppiceError | null } = { refuses: null };
  const unlessFull =
    <A extends unknown[], R>(write: (...given: A) => Promise<R>) =>
    (...given: A): Promise<R> =>
      state.refuses === null ? write(...given) : Promise.reject(state.refuses);
  const storage: Storage = {
    ...inner,
    appendEvents: unlessFull(inner.appendEvents.bind(inner)),
    addAdminSession: unlessFull(inner.addAdminSession.bind(inner)),
  };
  return { storage, state };
}

const full = new CoppiceError('storage-full', 'No space is left.');
const event = { at: 1, run: null, round: null, level: 'info', kind: 'k', message: 'm' } as const;

describe('the health of storage', () => {
  it('is good until a write is refused, and again once one of its own is taken, which it keeps', async () => {
    const { storage, state } = disk();
    const clock = new ManualClock(5_000);
    const health = new StorageHealth(storage, clock);
    expect(await health.check()).toBeNull();
    state.refuses = full;
    // Nothing was refused yet.
    expect(await health.check()).toBeNull();
    await expect(health.storage.appendEvents([event])).rejects.toBe(full);
    expect(await health.check()).toBe('storage-full');
    state.refuses = null;
    // Tried just now.
    expect(await health.check()).toBe('storage-full');
    clock.advance(1000);
    expect(await health.check()).toBeNull();
    const kept = await storage.events({});
    expect(kept.map(({ kind, message }) => [kind, message])).toEqual([
      ['storage-refused', expect.stringContaining('1970-01-01T00:00:05.000Z (storage-full)')],
    ]);
  });

  it('is no worse for what a caller did wrong', async () => {
    const { storage, state } = disk();
    const health = new StorageHealth(storage, new ManualClock());
    state.refuses = new CoppiceError('admin-name-taken', 'Somebody has that name.');
    await expect(health.storage.appendEvents([event])).rejects.toBe(state.refuses);
    expect(await health.check()).toBeNull();
  });
});

it('a coordinator whose storage refuses a sign-in is not ready until it takes writes again', async () => {
  const { storage, state } = disk();
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const adminKey = 'the-key-of-this-test';
  const coordinator = await startCoordinator({
    config: { port: 0, adminKey, logLevel: 'silent' },
    storage,
    spool: memorySpool(),
    clock,
  });
  const ready = async () => {
    const response = await fetch(`${coordinator.url}/readyz`);
    return { status: response.status, body: await response.json() };
  };
  const signIn = () =>
    fetch(`${coordinator.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: coordinator.url },
      body: JSON.stringify({ key: adminKey }),
    });
  try {
    state.refuses = full;
    expect(await (await signIn()).json()).toMatchObject({ error: { code: 'storage-full' } });
    expect(await ready()).toEqual({
      status: 503,
      body: { ready: false, troubles: [{ part: 'storage', code: 'storage-full' }] },
    });
    state.refuses = null;
    clock.advance(1000);
    expect(await ready()).toEqual({ status: 200, body: { ready: true, troubles: [] } });
  } finally {
    await coordinator.close();
  }
});
