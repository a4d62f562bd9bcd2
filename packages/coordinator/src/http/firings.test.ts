import { ManualClock } from '@coppice/ports';
import {
  type AuditEntry,
  CoppiceError,
  type Firing,
  FiringSchema,
  FiringsSchema,
  type NewApiToken,
  type Release,
  type Run,
  type RunAdmission,
  weightsHash,
} from '@coppice/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import { threadedModels } from '../model-worker/threaded-models.ts';
import { testPolicy } from '../storage/firing.testing.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { RunRecord, Storage, StoredModel } from '../storage/storage.ts';

const KEY = 'a-key-for-tests';
const clock = new ManualClock(1_760_000_000_000);
let storage: Storage;
let coordinator: Coordinator;

const started = (models?: ModelWorker) =>
  startCoordinator({
    ...(models === undefined ? {} : { models }),
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage: { ...storage, close: async () => {} },
    spool: memorySpool(),
    clock,
  });

beforeEach(async () => {
  storage = memoryStorage();
  coordinator = await started();
});
afterEach(() => coordinator.close());

async function call<T = { error: { code: string; message: string } }>(
  method: string,
  path: string,
  body?: unknown,
  as = KEY,
) {
  const response = await fetch(`${coordinator.url}/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

/** A round of a run, as though participants had trained it. */
async function train(id: string): Promise<string> {
  const run = (await storage.runs()).find((one) => one.id === id) as RunRecord;
  const { weights: before, checkpoint: parent } = (await storage.latest(id)) as StoredModel;
  const weights = before.map((weight) => weight + 0.5);
  const { id: _id, ...rest } = parent;
  const checkpoint = { ...rest, parent: parent.id, round: parent.round + 1, hash: weightsHash(weights) };
  await storage.commit({
    run,
    round: null,
    model: { weights, state: { values: {}, tensors: {} }, checkpoint },
  });
  return `${id}/${checkpoint.round}`;
}

/** A task with a model in production, and a policy. */
async function released(): Promise<string> {
  const { body } = await call<Run>('POST', 'runs', { task: 'iris', start: false, plan: { seed: 3 } });
  const checkpoint = await train(body.id);
  const move = { channel: 'production', checkpoint, expected: null, reason: 'The first.' };
  expect((await call<Release>('POST', 'tasks/iris/releases', move)).status).toBe(201);
  return checkpoint;
}
const save = () => call('PUT', 'tasks/iris/policy', { expected: null, policy: testPolicy });
const fire = <T = Firing>(as = KEY) => call<T>('POST', 'tasks/iris/firings', {}, as);
const firings = async () => FiringsSchema.parse((await call<unknown>('GET', 'tasks/iris/firings')).body);

it('refuses to fire without a production model, and without a policy', async () => {
  expect((await fire<{ error: object }>()).body.error).toMatchObject({
    code: 'firing-refused',
    message: expect.stringContaining('no policy'),
  });
  await save();
  const refused = await fire<{ error: object }>();
  expect([refused.status, refused.body.error]).toEqual([
    409,
    expect.objectContaining({ code: 'firing-refused', message: expect.stringContaining('production') }),
  ]);
  expect((await call('POST', 'tasks/nothing/firings', {})).body.error.code).toBe('task-unknown');
  expect(await firings()).toEqual([]);
});

it('launches a run from production, once at a time, and tells its end', async () => {
  const production = await released();
  await save();
  const fired = await fire();
  expect(fired.status).toBe(201);
  const firing = FiringSchema.parse(fired.body);
  expect(firing).toMatchObject({
    sequence: 1,
    state: 'training',
    causes: [{ cause: 'by-hand' }],
    policy: 1,
    production,
    run: 'iris-2',
  });
  expect(JSON.stringify(fired.body)).not.toMatch(/secret/);
  const run = (await call<Run>('GET', 'runs/iris-2')).body;
  expect(run).toMatchObject({
    status: 'running',
    from: production,
    cause: { by: 'trigger', name: 'by-hand', firing: 1 },
    plan: { rounds: 2 },
  });
  expect((await fire<{ error: object }>()).body.error).toMatchObject({ code: 'firing-refused' });
  const { body: audit } = await call<AuditEntry[]>('GET', 'audit?action=trigger-fired');
  expect(audit).toMatchObject([{ target: 'iris', detail: '1 iris-2' }]);

  // A pause by an admin is none of the coordinator's; a stop is the end.
  await call('POST', 'runs/iris-2/pause');
  await call('POST', 'runs/iris-2/stop');
  await expect.poll(firings).toMatchObject([{ state: 'ended', outcome: 'run-ended', release: null }]);
  expect((await fire()).body).toMatchObject({ sequence: 2, run: 'iris-3' });
  expect((await firings()).map(({ sequence }) => sequence)).toEqual([2, 1]);
  expect((await call<Firing[]>('GET', 'tasks/iris/firings?before=2')).body).toMatchObject([{ sequence: 1 }]);
});

it('goes on after a restart, and gives way to an admin that moves production', async () => {
  await released();
  await save();
  await fire();
  await coordinator.close();
  coordinator = await started();
  expect(await firings()).toMatchObject([{ state: 'training', run: 'iris-2' }]);
  const checkpoint = await train('iris-1');
  await call('POST', 'tasks/iris/releases', {
    channel: 'production',
    checkpoint,
    expected: 1,
    reason: 'By hand.',
  });
  await expect.poll(firings).toMatchObject([{ state: 'ended', outcome: 'overtaken' }]);
  expect((await call<Run>('GET', 'runs/iris-2')).body.status).toBe('stopped');
});

it('ends where nobody joins its run, also through a restart, and stops the run', async () => {
  await released();
  await save();
  await fire();
  clock.advance(2 * 3_600_000);
  await coordinator.close();
  coordinator = await started();
  clock.advance(3_600_000 - 1);
  expect(await firings()).toMatchObject([{ state: 'training', run: 'iris-2' }]);
  clock.advance(1);
  await expect.poll(firings).toMatchObject([{ state: 'ended', outcome: 'run-stalled', release: null }]);
  const { body } = await call<Run>('GET', 'runs/iris-2');
  expect(body).toMatchObject({ status: 'stopped', reason: { code: 'run-given-up' } });
  const { body: events } = await call<{ kind: string; data: object }[]>('GET', 'events?run=iris-2');
  expect(events.find(({ kind }) => kind === 'run-stopped')?.data).toMatchObject({ code: 'run-given-up' });
});

it('closes while a launch waits for a thread, which the next process does anew', async () => {
  const real = threadedModels();
  let wait: ((why: CoppiceError) => void) | null = null;
  const { promise: waits, resolve } = Promise.withResolvers<void>();
  const models: ModelWorker = {
    ...real,
    evaluate: () =>
      new Promise((_, reject) => {
        wait = reject;
        resolve();
      }),
    close: async () => {
      wait?.(new CoppiceError('coordinator-stopping', 'The coordinator is going down.'));
      await real.close();
    },
  };
  await released();
  await save();
  await coordinator.close();
  coordinator = await started(models);
  const fired = fire();
  await waits;
  await coordinator.close();
  await fired;
  coordinator = await started();
  await expect.poll(firings).toMatchObject([{ state: 'training', run: 'iris-2' }]);
});

it('lets those read that read runs, and those fire that release', async () => {
  await released();
  await save();
  const token = async (scopes: string[]) =>
    (await call<NewApiToken>('POST', 'tokens', { name: scopes.join(), scopes, days: 1 })).body.token;
  const reader = await token(['runs:read']);
  expect((await call('GET', 'tasks/iris/firings', undefined, reader)).status).toBe(200);
  expect((await fire(reader)).status).toBe(403);
  expect((await fire(await token(['releases:write']))).status).toBe(201);
});

it('admits to its run those that the run in production admits, and nobody else', async () => {
  await released();
  await save();
  const [ada, grace] = ['ad'.repeat(16), '9c'.repeat(16)];
  await call('PUT', 'runs/iris-1/admission', { admission: 'listed' });
  await call('POST', 'runs/iris-1/allow-list', { participants: [ada], note: '' });
  await call('POST', 'bans', { participant: grace, run: 'iris-1', reason: 'Spam.' });
  await fire();
  const { body } = await call<RunAdmission>('GET', 'runs/iris-2/admission');
  expect(body).toMatchObject({
    admission: 'listed',
    listed: [{ participant: ada }],
    bans: [{ participant: grace, run: 'iris-2' }],
  });
});
