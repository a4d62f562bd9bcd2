import { memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { partition } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { createSession, memoryData, memoryState, type Session, socketTransport } from '@coppice/participant';
import { headlessIdentity, headlessSecret, trainerHost } from '@coppice/participant/node';
import { systemClock } from '@coppice/ports/system';
import { type Json, type WatchedPeriod, WatchedPeriodSchema } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { expect, it } from 'vitest';

/* A trigger, and participants that train: from the verdict to the release, with nobody at the controls. */

const DEVICES = 3;
const host = trainerHost(createTrainer, ['cpu']);
const by = { by: 'admin', name: 'a test' } as const;

/** Participants that may join runs. */
async function participants(url: string): Promise<Session[]> {
  const { train } = await loadTaskData('iris');
  const width = train.features.length / train.count;
  return partition(train.labels, DEVICES, { kind: 'iid' }, 7).map((rows, i) => {
    const session = createSession({
      transport: socketTransport(url, headlessIdentity(`fired-${i}`)),
      host,
      openData: async (_task, schema) =>
        memoryData(schema, {
          count: rows.length,
          features: Float32Array.from(
            [...rows].flatMap((row) => [...train.features.subarray(row * width, (row + 1) * width)]),
          ),
          labels: Float32Array.from(rows, (row) => train.labels[row] as number),
        }),
      splitSecret: headlessSecret(`fired-${i}`),
      clock: systemClock,
      device: 'headless',
      backend: 'cpu',
      keepModels: false,
      localState: memoryState(),
    });
    session.connect();
    return session;
  });
}

const policy: Json = {
  version: 1,
  periodMilliseconds: 24 * 3600 * 1000,
  watch: { kind: 'watch', threshold: 0.1, every: 100, fewest: 5, minimum: 10 },
  privacy: null,
  trigger: {
    kind: 'trigger',
    drift: { raise: 1, clear: 1 },
    schedule: null,
    newExamples: null,
    floor: null,
    coolDown: 1,
    budget: { periods: 10, rounds: 10, bytes: null, deviceSeconds: null, epsilon: null },
  },
  plan: { rounds: 2, minParticipants: DEVICES, cohortFraction: 1, overSelection: 1, quorum: 1, seed: 7 },
  gate: null,
  canary: null,
};

/** A period in which the inputs drifted, as a watch stores it. */
function drifted(period: number): WatchedPeriod {
  const none = { tested: 1, suppressed: 0, results: [] };
  return WatchedPeriodSchema.parse({
    task: 'iris',
    period,
    reference: 'ab'.repeat(32),
    release: 1,
    noise: 0,
    startedAt: 1,
    endedAt: Date.now() + period,
    reports: 40,
    sums: { reports: [40] },
    verdict: {
      participants: 40,
      observations: 400,
      drift: { alarm: true, ...none },
      quality: { alarm: false, ...none },
      errors: null,
    },
  });
}

it('a drift launches a run from production, participants train it, and it is released', async () => {
  const coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  const sessions = await participants(coordinator.url);
  const { runs, releases, storage, firings } = coordinator;
  const train = async (run: string) => {
    await expect.poll(() => sessions.every(({ state }) => state.connection === 'online')).toBe(true);
    await Promise.all(sessions.map((session) => session.join(run)));
    await expect.poll(() => runs.get(run).status, { timeout: 30_000 }).toBe('finished');
    await Promise.all(sessions.map((session) => session.leave()));
  };
  try {
    const plan = { rounds: 1, minParticipants: DEVICES, cohortFraction: 1, quorum: 1, seed: 7 };
    const first = await runs.create('iris', plan, true);
    await train(first.id);
    const move = { expected: null, reason: 'The first.', by };
    await releases.move('iris', 'production', { ...move, checkpoint: `${first.id}/1` });
    await fetch(`${coordinator.url}/api/tasks/iris/policy`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${coordinator.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ expected: null, policy }),
    });
    const period = drifted(0);
    await storage.addPeriod(period);
    await firings.judged(period);
    const [begun] = await firings.page('iris', {});
    expect(begun).toMatchObject({ state: 'training', run: 'iris-2', production: 'iris-1/1' });
    await train('iris-2');
    await expect
      .poll(() => firings.page('iris', {}))
      .toMatchObject([{ state: 'ended', outcome: 'released' }]);
    const [ended] = await firings.page('iris', {});
    expect(ended?.spent.rounds).toBe(2);
    expect(ended?.spent.bytes).toBeGreaterThan(0);
    expect((await releases.at('iris', 'production'))?.checkpoint).toBe('iris-2/2');
    expect(runs.get('iris-2').from).toBe('iris-1/1');
  } finally {
    for (const session of sessions) await session.close();
    await coordinator.close();
  }
});
