import { type Session, type SessionState, trainerHost } from '@coppice/participant';
import { initialState } from '@coppice/participant/session-state';
import { type ReleaseNews, weightsHash } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterEach, expect, it, vi } from 'vitest';
import type { Client } from './client.ts';
import { FakeCoordinator, weightsOf } from './coordinator.testing.ts';
import { sessionClient } from './session-client.ts';

/* A client on a session that the page holds. */

const flower = { 'sepal length': 6.3, 'sepal width': 2.9, 'petal length': 5.6, 'petal width': 1.8 };
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.unstubAllGlobals();
});

function start(coordinator = new FakeCoordinator()) {
  coordinator.named ??= 1;
  vi.stubGlobal('fetch', coordinator.request);
  let state: SessionState = initialState;
  const listeners = new Set<(state: SessionState) => void>();
  const calls: unknown[][] = [];
  const session = {
    get state() {
      return state;
    },
    subscribe(listener: (state: SessionState) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    monitor: async (...args: unknown[]) => void calls.push(['monitor', ...args]),
    observe: (...args: unknown[]) => void calls.push(['observe', ...args]),
    close: () => void calls.push(['close']),
  } as unknown as Session;
  const host = trainerHost(createTrainer, ['planned']);
  const client: Client = sessionClient({
    url: 'https://coppice.example',
    task: 'iris',
    session,
    openData: async () => {
      throw new Error('nothing is added');
    },
    predictions: host,
    interval: 60_000,
    visibility: { seen: async () => {} },
  });
  ends.push(() => {
    client.close();
    host.dispose();
  });
  return {
    client,
    coordinator,
    calls,
    host,
    listeners,
    tell(news: ReleaseNews) {
      state = { ...state, releases: { iris: news } };
      for (const listener of listeners) listener(state);
    },
  };
}

it('predicts on the host as a trainer of its own does, also after other work there', async () => {
  const { client, host, coordinator } = start();
  const first = await client.predict(flower);
  const { data, loss, model: topology } = coordinator.task;
  await host.use({ topology, data, loss }, async (trainer) => trainer.setWeights(weightsOf(5)));
  const second = await client.predict(flower);
  expect({ ...second, id: first.id }).toEqual(first);
});

it('hears of a release and of an arm from the session before anything is monitored', async () => {
  const { client, tell } = start();
  await client.predict(flower);
  const hash = weightsHash(weightsOf(2));
  const canary = { sequence: 2, checkpoint: 'iris-1/2', hash, arm: 'canary' } as const;
  tell({ task: 'iris', production: null, canary });
  await expect.poll(() => client.model?.hash).toBe(hash);
});

it('refuses weights of other layers', async () => {
  const coordinator = new FakeCoordinator();
  coordinator.size = 130;
  const { client } = start(coordinator);
  await expect(client.predict(flower)).rejects.toMatchObject({ code: 'checkpoint-mismatch' });
});

it('counts in the session, and leaves it open when it is closed', async () => {
  const { client, calls, listeners } = start();
  await client.monitor({ consent: 'c' });
  const { id } = await client.predict(flower);
  expect(calls).toEqual([
    ['monitor', 'iris', { consent: 'c' }],
    ['observe', 'iris', expect.objectContaining({ id })],
  ]);
  client.close();
  await expect.poll(() => listeners.size).toBe(0);
  expect(calls).toHaveLength(2);
});
