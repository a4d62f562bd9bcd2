import { defaultWatch } from '@coppice/continuity';
import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { freePort } from '@coppice/coordinator/free-port';
import { selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import type { Session, SessionState } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { ManualClock } from '@coppice/ports';
import type { WatchedPeriod, WatchInfo } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterAll, beforeAll, expect, it } from 'vitest';

/*
 * Devices that watch their predictions, over real sockets: statistics make the release's reference, then each period is
 * reported on, also where the coordinator is started anew in between.
 */

const KEY = 'a-key-for-tests';
const DAY = 24 * 3600 * 1000;
const PART = 600_000;
const DEVICES = 6;
const EACH = 20;

const clock = new ManualClock(1_760_000_000_000);
const storage = memoryStorage();
const spool = memorySpool();
const host = trainerHost(createTrainer, ['planned']);
const devices: { session: Session; flowers: Float32Array[] }[] = [];
let coordinator: Coordinator;
let port: number;

beforeAll(async () => {
  port = await freePort();
  await start();
  const { train } = await loadTaskData('iris');
  for (let i = 0; i < DEVICES; i++) {
    const rows = Array.from({ length: EACH }, (_, row) => row * DEVICES + i);
    const examples = selectExamples(train, rows);
    const session = createHeadlessParticipant({
      url: coordinator.url,
      identity: `device-${i}`,
      examples,
      host,
      backend: 'planned',
      clock,
    });
    session.connect();
    devices.push({
      session,
      flowers: rows.map((_, row) => (examples.features as Float32Array).slice(4 * row, 4 * row + 4)),
    });
  }
  await all(({ connection }) => connection === 'online');
});
afterAll(async () => {
  for (const { session } of devices) session.close();
  host.dispose();
  await coordinator.close();
});

async function start(): Promise<void> {
  coordinator = await startCoordinator({
    config: { port, adminKey: KEY, logLevel: 'silent' },
    storage,
    spool,
    clock,
  });
}

/** Resolves once all devices have come to a state. */
const all = (reached: (state: SessionState) => boolean) =>
  Promise.all(
    devices.map(
      ({ session }) =>
        new Promise<void>((resolve) => {
          if (reached(session.state)) return resolve();
          const stop = session.subscribe((state) => {
            if (!reached(state)) return;
            stop();
            resolve();
          });
        }),
    ),
  );

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${coordinator.url}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T;
  expect(response.ok, JSON.stringify(answer)).toBe(true);
  return answer;
}
const watch = () => call<WatchInfo>('GET', '/tasks/iris/watch');
const periods = () => call<WatchedPeriod[]>('GET', '/tasks/iris/drift');

/** Predicts the flowers of all devices; each class as often as any other. */
function predict(hash: string): void {
  for (const { session, flowers } of devices)
    for (const [i, example] of flowers.entries()) {
      const output = [0.1, 0.1, 0.1];
      output[i % 3] = 0.8;
      session.observe('iris', { hash, example, output, id: `${i}` });
    }
}

it('are asked for a reference, then for a report of each period, through a restart of the coordinator', async () => {
  const { id } = await coordinator.runs.create('iris', { rounds: 1, minParticipants: DEVICES }, true);
  await Promise.all(devices.map(({ session }) => session.join(id)));
  await all(({ activity }) => activity.kind === 'ended');
  await call('POST', '/tasks/iris/releases', {
    channel: 'production',
    checkpoint: `${id}/1`,
    expected: null,
    reason: 'The first.',
  });
  await call('PUT', '/tasks/iris/policy', {
    expected: null,
    policy: {
      version: 1,
      periodMilliseconds: DAY,
      watch: { ...defaultWatch, fewest: DEVICES },
      privacy: null,
      trigger: null,
      plan: {},
      gate: null,
      canary: null,
    },
  });
  await expect.poll(async () => (await watch()).state).toBe('reference');
  const { consent } = await watch();

  // Both parts of the reference are made of the devices' own flowers.
  await Promise.all(devices.map(({ session }) => session.monitor('iris', { consent: consent as string })));
  await all((state) => state.monitored.iris?.answered === 1);
  clock.advance(PART);
  await all((state) => state.monitored.iris?.answered === 2);
  clock.advance(PART);
  await all(({ monitored }) => monitored.iris?.info?.state === 'reports');
  const { reference, release } = await watch();
  const known = reference?.binning as { participants: number; examples: number };
  expect(known).toMatchObject({ participants: DEVICES, examples: DEVICES * EACH });

  // What is counted in one period is reported in the next.
  const hash = release?.hash as string;
  predict(hash);
  clock.advance(DAY);
  await all(({ monitored }) => typeof monitored.iris?.reported === 'number');
  const reported = devices[0]?.session.state.monitored.iris?.reported as number;
  predict(hash);
  for (const { session } of devices)
    for (let i = 0; i < 12; i++) expect(await session.outcome('iris', `${i}`, (i + 1) % 3)).toBe(true);

  await coordinator.close();
  await all(({ connection }) => connection === 'offline');
  await start();
  await all(({ monitored }) => monitored.iris?.offered === true);
  clock.advance(DAY);
  await all(({ monitored }) => monitored.iris?.reported === reported + 1);
  clock.advance(DAY);
  await expect.poll(async () => (await periods()).length).toBeGreaterThanOrEqual(3);
  const found = (await periods()).filter(({ period }) => period === reported || period === reported + 1);
  expect(found.map(({ reports, verdict }) => ({ reports, observations: verdict?.observations }))).toEqual([
    { reports: DEVICES, observations: DEVICES * EACH },
    { reports: DEVICES, observations: DEVICES * EACH },
  ]);
  // Every outcome was another class than the predicted one.
  expect(found[0]?.verdict?.errors).toMatchObject({ rate: 1, participants: DEVICES });
  expect(found[1]?.verdict?.errors).toBeNull();
  expect((found[0]?.verdict?.drift.results ?? []).filter(({ role }) => role === 'input')).toHaveLength(4);
});
