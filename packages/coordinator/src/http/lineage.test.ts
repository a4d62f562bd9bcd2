import { builtInTask } from '@coppice/datasets';
import { type Checkpoint, type Run, recipeHash, type Task, weightsHash } from '@coppice/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { RunRecord, StoredModel } from '../storage/storage.ts';

const KEY = 'a-key-for-tests';
let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(() => coordinator.close());

interface Failure {
  readonly error: { readonly code: string; readonly message: string };
}

async function call<T = Failure>(path: string, body?: object, admin = true) {
  const response = await fetch(coordinator.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(admin ? { authorization: `Bearer ${KEY}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    cache: response.headers.get('cache-control'),
    body: (await response.json()) as T,
  };
}

const launch = async (task: string, more: object = {}) =>
  (await call<Run>('/api/runs', { task, start: false, plan: { seed: 3 }, ...more })).body;

/** Stores a round of a run, as though participants had trained it. */
async function train(id: string): Promise<Checkpoint> {
  const run = (await coordinator.storage.runs()).find((one) => one.id === id) as RunRecord;
  const last = (await coordinator.storage.latest(id)) as StoredModel;
  const weights = last.weights.map((weight) => weight + 0.5);
  const { id: parent, ...before } = last.checkpoint;
  const checkpoint = { ...before, parent, round: before.round + 1, hash: weightsHash(weights) };
  const state = { values: { steps: checkpoint.round }, tensors: {} };
  await coordinator.storage.commit({ run, round: null, model: { weights, state, checkpoint } });
  return (await coordinator.storage.latestOfRun(id)) as Checkpoint;
}

const checkpoints = async (run: string) => (await call<Checkpoint[]>(`/api/runs/${run}/checkpoints`)).body;

describe('a run that begins from a checkpoint', () => {
  it('has its weights, names it as parent, and remembers nothing else', async () => {
    const origin = await launch('iris');
    const made = await train(origin.id);
    await train(origin.id);
    const run = await launch('iris', { from: made.id, plan: { seed: 9 } });
    expect(run).toMatchObject({
      from: `${origin.id}/1`,
      cause: { by: 'admin', name: 'admin key' },
      round: 0,
    });
    expect(await checkpoints(run.id)).toMatchObject([
      { id: `${run.id}/0`, round: 0, hash: made.hash, parent: made.id },
    ]);
    expect((await call<Run>(`/api/runs/${run.id}`)).body.from).toBe(made.id);
    expect(origin.from).toBeNull();
    const { state } = (await coordinator.storage.latest(run.id)) as StoredModel;
    expect(state).toEqual((await coordinator.storage.latest((await launch('iris')).id))?.state);
    // The first round that follows has the run's own round 0 as its parent.
    expect(await train(run.id)).toMatchObject({ id: `${run.id}/1`, parent: `${run.id}/0` });
    const audit = await call<{ target: string; detail: string }[]>('/api/audit?action=run-launched');
    expect(audit.body.find(({ target }) => target === run.id)?.detail).toBe(`from ${made.id}`);
  });

  it('is refused by name where it cannot', async () => {
    const origin = await launch('iris');
    const runs = (await call<Run[]>('/api/runs')).body.length;
    for (const [task, from, status, code] of [
      ['iris', `${origin.id}/1`, 404, 'checkpoint-unknown'],
      ['iris', 'nowhere-1/0', 404, 'checkpoint-unknown'],
      ['regression', `${origin.id}/0`, 409, 'checkpoint-mismatch'],
      ['iris', origin.id, 422, 'plan-invalid'],
      ['iris', `${origin.id}/-1`, 422, 'plan-invalid'],
    ] as const) {
      const refused = await call('/api/runs', { task, from });
      expect([refused.status, refused.body.error.code], from).toEqual([status, code]);
      expect(refused.body.error.message.length).toBeGreaterThan(20);
    }
    expect((await call<Run[]>('/api/runs')).body).toHaveLength(runs);
  });
});

describe('the models of a run', () => {
  interface Described {
    readonly weightsManifest: readonly { readonly paths: readonly [string] }[];
    readonly userDefinedMetadata: { readonly coppice: object };
  }
  const path = (run: string, round: number | string) => `/models/iris/runs/${run}/${round}/model.json`;

  it('are found by round, though all runs with one seed begin with the same weights', async () => {
    const [one, other] = [await launch('iris'), await launch('iris')];
    expect(one.checkpoint).toBe(other.checkpoint);
    for (const run of [one, other]) {
      const first = await call<Described>(path(run.id, 0), undefined, false);
      expect(first).toMatchObject({ status: 200, cache: 'public, max-age=31536000, immutable' });
      expect(first.body.userDefinedMetadata.coppice).toMatchObject({ run: run.id, round: 0 });
      // First weights are never the latest model.
      expect((await call(path(run.id, 'latest'))).body.error.code).toBe('checkpoint-unknown');
    }
    await train(one.id);
    const made = await train(one.id);
    await train(other.id);
    const latest = await call<Described>(path(one.id, 'latest'), undefined, false);
    expect(latest).toMatchObject({ status: 200, cache: 'no-cache' });
    expect(latest.body.userDefinedMetadata.coppice).toMatchObject({
      checkpoint: made.hash,
      run: one.id,
      round: 2,
      central: made.central,
      recipe: recipeHash((builtInTask('iris') as Task).data),
      target: null,
      lineage: { parent: `${one.id}/1`, from: null },
    });
    const at = new URL(
      latest.body.weightsManifest[0]?.paths[0] as string,
      coordinator.url + path(one.id, 'latest'),
    );
    expect(at.pathname).toBe(`/models/iris/runs/${one.id}/2/weights.bin`);
    const served = new Float32Array(await (await fetch(at)).arrayBuffer());
    expect(weightsHash(served)).toBe(made.hash);
    for (const [run, round] of [
      [one.id, 3],
      [one.id, '02'],
      ['nowhere-1', 0],
      ['a%00', 'latest'],
      ['a%00', 0],
      [`${one.id}%2F0`, 0],
      [one.id, '0%2F0'],
    ] as const)
      expect((await call(path(run, round))).status, `${run}/${round}`).toBe(404);
    const elsewhere = await call(`/models/regression/runs/${one.id}/0/model.json`);
    expect(elsewhere.body.error.code).toBe('checkpoint-unknown');
  });

  it('that is not open are for admins', async () => {
    const closed = await launch('iris', { admission: 'listed' });
    await train(closed.id);
    for (const round of [0, 1, 'latest']) {
      expect((await call(path(closed.id, round), undefined, false)).body.error.code).toBe('run-not-admitted');
      expect(await call(path(closed.id, round))).toMatchObject({ status: 200, cache: 'private, no-store' });
    }
  });
});
