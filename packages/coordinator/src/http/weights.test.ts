import type { GivenTensor } from '@coppice/model-files';
import { writeSafetensors } from '@coppice/model-files/safetensors';
import { ManualClock } from '@coppice/ports';
import { type Checkpoint, type GivenWeights, type Run, type TaskInfo, weightsHash } from '@coppice/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { UPLOAD_KEPT } from '../registry/weights-desk.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

const KEY = 'a-key-for-tests';
const clock = new ManualClock();
let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
    clock,
  });
});
afterAll(() => coordinator.close());

async function call<T = { error: { code: string; message: string } }>(
  path: string,
  body?: object | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { authorization: `Bearer ${KEY}` },
) {
  const binary = body instanceof Uint8Array;
  const response = await fetch(coordinator.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...headers,
      ...(body === undefined
        ? {}
        : { 'content-type': binary ? 'application/octet-stream' : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: binary ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

const layer = (class_name: string, name: string, config: object) => ({
  class_name,
  config: { name, ...config },
});
/** Two columns, a base of three units, which may be frozen, and a head of two. */
const model = ({ base = {}, norm = null }: { base?: object; norm?: object | null } = {}) => ({
  class_name: 'Sequential',
  config: {
    name: 'm',
    layers: [
      layer('Dense', 'base', { units: 3, batch_input_shape: [null, 2], ...base }),
      ...(norm === null ? [] : [layer('BatchNormalization', 'norm', norm)]),
      layer('Dense', 'head', { units: 2, activation: 'softmax' }),
    ],
  },
});
let made = 0;
const task = (more: object = {}) => ({
  id: `given-${++made}`,
  title: { en: 'Given' },
  description: { en: 'A task with given weights.' },
  data: {
    kind: 'table',
    features: [{ name: 'a' }, { name: 'b' }],
    target: { kind: 'class', name: 'c', classes: ['x', 'y'] },
  },
  model: model({ base: { trainable: false } }),
  ...more,
});

const numbers = (count: number, from: number) => Float32Array.from({ length: count }, (_, i) => from + i / 8);
const tensors = [
  // Not in the order of the layout.
  { name: 'head/bias', shape: [2], values: numbers(2, 3) },
  { name: 'head/kernel', shape: [3, 2], values: numbers(6, 2) },
  { name: 'base/kernel', shape: [2, 3], values: numbers(6, 0) },
  { name: 'base/bias', shape: [3], values: numbers(3, 1) },
];
/** As tfjs orders them: what is trained comes first. */
const flat = Float32Array.from([1, 0, 2, 3].flatMap((i) => [...(tensors[i]?.values ?? [])]));
const send = async (given: readonly GivenTensor[] = tensors) =>
  (await call<GivenWeights>('/api/weights', writeSafetensors(given))).body.hash;
const weightsOf = async (checkpoint: Checkpoint) => coordinator.storage.weights(checkpoint.hash);
const firstOf = async (run: Run) =>
  (await call<Checkpoint[]>(`/api/runs/${run.id}/checkpoints`)).body[0] as Checkpoint;
const launch = (task: string, more: object = {}) =>
  call<Run>('/api/runs', { task, start: false, plan: { seed: 3 }, ...more });

describe('weights that are sent', () => {
  it('are read, and named by their hash', async () => {
    expect(await call('/api/weights', writeSafetensors(tensors))).toEqual({
      status: 201,
      body: { hash: expect.stringMatching(/^[0-9a-f]{64}$/), tensors: 4, parameters: 17 },
    });
    const audit = await call<{ action: string; detail: string }[]>('/api/audit?action=weights-sent');
    expect(audit.body[0]?.detail).toBe('17 parameters');
  });

  it('are refused where they are no safetensors file, or come from nobody that may add tasks', async () => {
    const damaged = writeSafetensors(tensors).slice(0, -1);
    expect(await call('/api/weights', damaged)).toMatchObject({
      status: 422,
      body: { error: { code: 'weights-invalid', message: expect.stringContaining('cut short') } },
    });
    expect((await call('/api/weights', damaged, {})).status).toBe(401);
    expect(
      await call('/api/weights', damaged, { authorization: `Bearer ${KEY}`, 'content-encoding': 'gzip' }),
    ).toMatchObject({ status: 400, body: { error: { code: 'body-invalid' } } });
  });

  it('wait a day for their task', async () => {
    const hash = await send();
    clock.advance(UPLOAD_KEPT);
    expect((await call('/api/tasks', task({ weights: hash }))).status).toBe(201);
    clock.advance(1);
    expect(await call('/api/tasks', task({ weights: hash }))).toMatchObject({
      status: 422,
      body: { error: { code: 'weights-invalid', message: expect.stringContaining('a day after') } },
    });
  });
});

describe('a task with given weights', () => {
  it('says so, and its runs begin with them', async () => {
    const given = await call<TaskInfo>('/api/tasks', task({ weights: await send() }));
    expect(given).toMatchObject({
      status: 201,
      body: { weights: 'given', parameters: 17, trainable: 8, frozen: 9 },
    });
    const run = (await launch(given.body.id)).body;
    expect(run).toMatchObject({ from: null, firstWeights: 'given' });
    const first = await firstOf(run);
    expect(first).toMatchObject({ hash: weightsHash(flat), parent: null });
    expect(await weightsOf(first)).toEqual(flat);
    expect((await coordinator.storage.tasks()).find(({ id }) => id === given.body.id)?.weights).toBe(
      weightsHash(flat),
    );
    const events = await coordinator.storage.events({ run: run.id });
    expect(events.map(({ kind, data }) => [kind, data])).toEqual([
      ['run-created', { firstWeights: 'given' }],
    ]);
  });

  it('keeps the frozen ones where a run draws its weights from the seed', async () => {
    const { id } = (await call<TaskInfo>('/api/tasks', task({ weights: await send() }))).body;
    const draw = async (seed: number) => {
      const run = (await launch(id, { from: 'seed', plan: { seed } })).body;
      expect(run).toMatchObject({ from: null, firstWeights: 'seed' });
      return weightsOf(await firstOf(run));
    };
    const [once, again, other] = [await draw(3), await draw(3), await draw(4)];
    expect(once).toEqual(again);
    // The base has the last nine numbers.
    for (const drawn of [once, other]) expect(drawn.subarray(8)).toEqual(flat.subarray(8));
    expect(once.subarray(0, 8)).not.toEqual(flat.subarray(0, 8));
    expect(once.subarray(0, 8)).not.toEqual(other.subarray(0, 8));
  });

  it('may have them of a checkpoint of another task with the same layers', async () => {
    const origin = (await call<TaskInfo>('/api/tasks', task({ weights: await send(), model: model() }))).body;
    const run = (await launch(origin.id)).body;
    const copy = task({ weights: { checkpoint: `${run.id}/0` } });
    expect((await call<TaskInfo>('/api/tasks', copy)).body).toMatchObject({ weights: 'given', frozen: 9 });
    expect(await firstOf((await launch(copy.id)).body)).toMatchObject({ hash: weightsHash(flat) });
    const wider = task({
      weights: { checkpoint: `${run.id}/0` },
      model: model({ base: { units: 4, trainable: false } }),
    });
    expect(await call('/api/tasks', wider)).toMatchObject({
      status: 422,
      body: { error: { code: 'weights-invalid', message: expect.stringContaining('[3, 2]') } },
    });
    expect((await call('/api/tasks', task({ weights: { checkpoint: 'none-1/0' } }))).body).toMatchObject({
      error: { code: 'checkpoint-unknown' },
    });
  });

  it('is refused where they do not fit, by the names of weights', async () => {
    for (const [given, why] of [
      [tensors.slice(1), 'the model has "head/bias"'],
      [[...tensors, { name: 'top/bias', shape: [1], values: numbers(1, 0) }], '"top/bias" are no weights'],
    ] as const) {
      const refused = await call('/api/tasks', task({ weights: await send(given) }));
      expect(refused).toMatchObject({
        status: 422,
        body: { error: { code: 'weights-invalid', message: expect.stringContaining(why) } },
      });
    }
    expect((await call('/api/tasks', task({ weights: '0'.repeat(64) }))).body.error.code).toBe(
      'weights-invalid',
    );
  });
});

describe('a task without given weights', () => {
  it('says so, and its runs begin with drawn ones, whether they are asked to or not', async () => {
    const plain = (await call<TaskInfo>('/api/tasks', task({ model: model() }))).body;
    expect(plain).toMatchObject({ weights: 'none', frozen: 0 });
    const runs = [(await launch(plain.id)).body, (await launch(plain.id, { from: 'seed' })).body];
    for (const run of runs) expect(run).not.toHaveProperty('firstWeights');
    const [first, second] = [await firstOf(runs[0] as Run), await firstOf(runs[1] as Run)];
    expect(first.hash).toBe(second.hash);
  });

  it.each([
    ['a layer', model({ base: { trainable: false } }), 'its layer "base" is frozen'],
    [
      'the statistics of a normalization',
      model({ norm: { trainable: false } }),
      'its layer "norm" is frozen',
    ],
    [
      'both',
      model({ base: { trainable: false }, norm: { trainable: false } }),
      'its layers "base", "norm" are frozen',
    ],
  ])('is refused where it has frozen ones: %s', async (_, frozen, why) => {
    expect(await call('/api/tasks', task({ model: frozen }))).toMatchObject({
      status: 422,
      body: { error: { code: 'model-invalid', message: expect.stringContaining(why) } },
    });
  });
});
