import { ManualClock } from '@coppice/ports';
import { CHECK_TIMEOUT, MODEL_JOB_TIMEOUT, type Task } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { Lane } from './lane.ts';
import type { ModelWorker } from './model-worker.ts';
import { threadedModels } from './threaded-models.ts';

/* Threads that really loop without an end, and a clock that is moved by hand: nothing here depends on how fast anything is. */

const script = new URL('./stubborn-worker.ts', import.meta.url);
const task = (id: string): Task => ({
  id,
  title: { en: id },
  description: { en: id },
  data: { kind: 'table', features: [], target: { kind: 'number', name: 'y' } },
  model: { class_name: 'Sequential', config: id },
  loss: 'meanSquaredError',
  samples: false,
  heldOut: 0.1,
  planDefaults: {},
});
const { data, loss } = task('any');
const weights = new Float32Array(1);
const MINUTE = 60_000;

let clock: ManualClock;
let models: ModelWorker;
beforeEach(() => {
  clock = new ManualClock();
  models = threadedModels({ clock, script });
});
afterEach(() => models.close());

/** Settles when it can, without being an unhandled rejection meanwhile. */
function watched<T>(promise: Promise<T>) {
  let state: 'waits' | 'done' | 'refused' = 'waits';
  promise.then(
    () => {
      state = 'done';
    },
    () => {
      state = 'refused';
    },
  );
  return { promise, state: () => state };
}
const thread = async (id: string) => (await models.layout(task(id)))[0]?.name;

describe('a job that never ends', () => {
  it('as a check holds up nothing else, is refused at its limit, and the next check has a new thread', async () => {
    const hung = watched(models.check('never', data, loss));
    const also = watched(models.check('never either', data, loss));
    const waiting = models.check('good', data, loss);
    for (const round of [1, 2, 3]) {
      expect((await models.evaluate(task('iris'), weights))?.examples).toBe(1);
      await models.describe(task(`described ${round}`), 1);
      await models.samples('iris', 0, 1);
    }
    clock.advance(CHECK_TIMEOUT - 1);
    await models.evaluate(task('iris'), weights);
    expect([hung.state(), also.state()]).toEqual(['waits', 'waits']);
    clock.advance(1);
    for (const { promise } of [hung, also]) {
      await expect(promise).rejects.toMatchObject({
        code: 'model-invalid',
        message: expect.stringContaining('took more than 60 s'),
      });
    }
    expect(await waiting).toMatchObject({ topology: { class_name: 'Sequential' } });
  });

  it('as an evaluation holds up no other task, and is refused at its limit', async () => {
    const before = (await models.evaluate(task('iris'), weights))?.loss;
    const hung = watched(models.evaluate(task('never'), weights));
    for (let round = 0; round < 3; round++) await models.evaluate(task('iris'), weights);
    clock.advance(MODEL_JOB_TIMEOUT - 1);
    await models.evaluate(task('iris'), weights);
    expect(hung.state()).toBe('waits');
    clock.advance(1);
    await expect(hung.promise).rejects.toMatchObject({
      code: 'evaluation-failed',
      message: expect.stringMatching(/task "never" took more than 120 s/),
    });
    const after = (await models.evaluate(task('iris'), weights))?.loss;
    expect(after).not.toBe(before);
  });

  it('as a description holds up its own task only', async () => {
    const first = watched(models.describe(task('never'), 1));
    const second = watched(models.describe(task('never'), 2));
    for (const id of ['a', 'b', 'c']) await models.describe(task(id), 1);
    clock.advance(MODEL_JOB_TIMEOUT);
    await expect(first.promise).rejects.toMatchObject({ code: 'evaluation-failed' });
    await models.layout(task('d'));
    expect(second.state()).toBe('waits');
    clock.advance(MODEL_JOB_TIMEOUT);
    await expect(second.promise).rejects.toMatchObject({ code: 'evaluation-failed' });
  });

  it('ends with the worker, refused as what it is, and so does what waits', async () => {
    const jobs = ['never', 'never either', 'later'].map((name) => watched(models.check(name, data, loss)));
    const hung = watched(models.evaluate(task('never'), weights));
    await models.close();
    for (const { promise } of [...jobs, hung]) {
      await expect(promise).rejects.toMatchObject({ code: 'coordinator-stopping' });
    }
    await expect(models.layout(task('a'))).rejects.toMatchObject({ code: 'coordinator-stopping' });
  });

  it('lets the coordinator close, and its request be answered', async () => {
    const asked = Promise.withResolvers<void>();
    const check: ModelWorker['check'] = (_, ...rest) => {
      asked.resolve();
      return models.check('never', ...rest);
    };
    const coordinator = await startCoordinator({
      config: { port: 0, adminKey: 'key-for-tests', logLevel: 'silent' },
      storage: memoryStorage(),
      spool: memorySpool(),
      models: { ...models, check },
    });
    const features = [{ name: 'x', mean: 0, scale: 1 }];
    const title = { en: 'Slow' };
    const model = { class_name: 'Sequential', config: {} };
    const answer = fetch(`${coordinator.url}/api/tasks`, {
      method: 'POST',
      headers: { authorization: 'Bearer key-for-tests', 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'slow', title, description: title, data: { ...data, features }, model }),
    });
    await Promise.race([
      asked.promise,
      answer.then(async (one) => expect.unreachable(await one.clone().text())),
    ]);
    await coordinator.close();
    expect((await answer).status).toBe(503);
    expect(await (await answer).json()).toMatchObject({ error: { code: 'coordinator-stopping' } });
  });
});

describe('a thread', () => {
  it('that ends by itself fails its job alone, and is made anew', async () => {
    await expect(models.describe(task('dies'), 1)).rejects.toMatchObject({
      code: 'evaluation-failed',
      message: expect.stringContaining('as it was told'),
    });
    await expect(models.describe(task('refused'), 1)).rejects.toMatchObject({ code: 'model-invalid' });
    expect((await models.describe(task('good'), 1)).weights).toEqual(weights);
  });

  it('ends when it has had nothing to do, unless it evaluates', async () => {
    const evaluates = async () => (await models.evaluate(task('iris'), weights))?.loss;
    const [describer, evaluator] = [await thread('a'), await evaluates()];
    clock.advance(999);
    expect(await thread('b')).toBe(describer);
    clock.advance(MINUTE);
    expect(await thread('c')).not.toBe(describer);
    expect(await evaluates()).toBe(evaluator);
  });

  it('is not started for a model that nests too deep, which cannot be copied to one', async () => {
    const deep: unknown = JSON.parse('['.repeat(10_000) + ']'.repeat(10_000));
    await expect(models.check(deep, data, loss)).rejects.toMatchObject({ code: 'model-invalid' });
  });
});

it('asks again for what failed, and keeps what did not', async () => {
  const first = await thread('a');
  await expect(models.layout(task('dies'))).rejects.toMatchObject({ code: 'evaluation-failed' });
  clock.advance(MINUTE);
  expect(await thread('a')).toBe(first);
  await expect(models.layout(task('dies'))).rejects.toMatchObject({ code: 'evaluation-failed' });
});

it('gives tasks turns: one that asks for much waits behind each that asks for little', async () => {
  const lane = new Lane({ script, clock, threads: 1, kept: 0, perTask: 1 });
  const order: string[] = [];
  const limit = { milliseconds: MINUTE, exceeded: () => new Error('too long') as never };
  const ask = (id: string, name: string) =>
    lane.do(id, { kind: 'samples', task: id, share: 0, of: 1 }, limit).then(() => order.push(name));
  await Promise.all([
    ask('a', 'a1'),
    ask('a', 'a2'),
    ask('a', 'a3'),
    ask('b', 'b1'),
    ask('c', 'c1'),
    ask('b', 'b2'),
  ]);
  await lane.close(new Error('done') as never);
  expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
});

it('has no more threads than share an evaluation, whatever the job, where all models are trusted', async () => {
  const trusted = threadedModels({ clock, script, threads: 2, trusted: true });
  const asked = ['a', 'b', 'c', 'd'].map(async (id) => {
    const [[layout], { layout: described }, samples] = await Promise.all([
      trusted.layout(task(id)),
      trusted.describe(task(id), 1),
      trusted.samples(id, 0, 1),
      // Takes both threads: its loss, the mean of their numbers, names neither.
      trusted.evaluate(task(id), weights),
    ]);
    return [layout?.name, described[0]?.name, String(samples[0])];
  });
  const names = new Set((await Promise.all(asked)).flat());
  await trusted.close();
  expect(names.size).toBeLessThanOrEqual(2);
});
