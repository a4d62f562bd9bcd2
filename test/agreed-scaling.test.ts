import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import type { RawExamples } from '@coppice/datasets';
import type { Session } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { normal, seededRandom, uniform } from '@coppice/ports';
import {
  type CreatedTask,
  type Run,
  recipeHash,
  type TableData,
  type Task,
  targetError,
} from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

/* Tasks of numbers as people have them: columns of very different size, and prices in dollars. */

const DEVICES = 4;
const ROWS = 120;
const host = trainerHost(createTrainer, ['planned']);

/** Columns with their plausible ranges, typical values and deviations: the shape of the Boston housing data. */
const columns = [
  ['crime', 0, 100, 3.6, 8.6],
  ['zoned', 0, 100, 11, 23],
  ['industry', 0, 30, 11, 6.9],
  ['nitric', 0, 1, 0.55, 0.12],
  ['rooms', 1, 12, 6.3, 0.7],
  ['age', 0, 200, 69, 28],
  ['distance', 0, 20, 3.8, 2.1],
  ['tax', 100, 800, 408, 169],
  ['pupils', 10, 30, 18, 2.2],
  ['poor', 0, 60, 13, 7.1],
] as const;

/** Prices in dollars, from rooms, the share of the poor, and noise. */
function houses(device: number): RawExamples {
  const random = seededRandom('houses', device);
  const rows = Array.from({ length: ROWS }, () =>
    columns.map(([, min, max, mean, deviation]) =>
      Math.min(max, Math.max(min, mean + deviation * normal(random) + 0.1 * deviation * uniform(random))),
    ),
  );
  const price = (row: readonly number[]) =>
    225_000 +
    60_000 * ((row[4] as number) - 6.3) -
    4_500 * ((row[9] as number) - 13) +
    12_000 * normal(random);
  return {
    count: ROWS,
    features: Float32Array.from(rows.flat()),
    labels: Float32Array.from(rows, (row) => Math.min(900_000, Math.max(1000, price(row)))),
  };
}

const dense = (name: string, units: number, activation: string, inputs?: number) => ({
  class_name: 'Dense',
  config: {
    name,
    units,
    activation,
    use_bias: true,
    dtype: 'float32',
    ...(inputs === undefined ? {} : { batch_input_shape: [null, inputs] }),
  },
});

const stated = (data: object) => ({
  id: 'houses',
  title: { en: 'Houses' },
  description: { en: 'Prices of houses.' },
  data: {
    kind: 'table',
    features: columns.map(([name, min, max]) => ({ name, min, max })),
    target: { kind: 'number', name: 'price', unit: '$', min: 0, max: 1_000_000 },
    ...data,
  },
  model: {
    class_name: 'Sequential',
    config: {
      name: 'houses',
      layers: [dense('hidden', 16, 'relu', columns.length), dense('price', 1, 'linear')],
    },
  },
});

let storage: ReturnType<typeof memoryStorage>;
let spool: ReturnType<typeof memorySpool>;
let coordinator: Coordinator;
let sessions: Session[];

async function start(): Promise<void> {
  coordinator = await startCoordinator({ config: { port: 0, logLevel: 'silent' }, storage, spool });
}

beforeEach(async () => {
  [storage, spool, sessions] = [memoryStorage(), memorySpool(), []];
  await start();
});
afterEach(async () => {
  for (const session of sessions) session.close();
  await coordinator.close();
});
afterAll(() => host.dispose());

async function create(data: object, heldOut = 0.1): Promise<CreatedTask> {
  const response = await fetch(`${coordinator.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${coordinator.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...stated(data), heldOut }),
  });
  const answer = (await response.json()) as CreatedTask;
  expect([response.status, answer]).toEqual([201, answer]);
  return answer;
}

async function taskNow(): Promise<Task> {
  return (await (await fetch(`${coordinator.url}/api/tasks/houses`)).json()) as Task;
}

function devices(run: string, some: readonly number[]): void {
  for (const device of some) {
    const session = createHeadlessParticipant({
      url: coordinator.url,
      identity: `houses/${device}`,
      examples: houses(device),
      host,
      backend: 'planned',
    });
    sessions.push(session);
    session.connect();
    void session.join(run);
  }
}

const all = Array.from({ length: DEVICES }, (_, device) => device);
const ended = (run: string) =>
  expect.poll(() => coordinator.runs.get(run).status, { timeout: 30_000 }).toBe('finished');

/** The error of the run's last model on what devices hold out, in dollars. */
async function errorOf({ id }: Pick<Run, 'id'>): Promise<number> {
  const measured = async () => (await storage.checkpoints(id))[0]?.federated ?? null;
  await expect.poll(measured, { timeout: 10_000 }).not.toBeNull();
  return targetError(await measured(), await taskNow()) ?? Number.NaN;
}

/** Mean and population deviation of all values, in two passes over float64. */
function plain(values: readonly number[]) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

const deviationOfPrices = plain(all.flatMap((device) => [...houses(device).labels])).deviation;

describe('a scaling that participants agree on', () => {
  it('is mean and deviation of all their examples, the same on every device, and stays', async () => {
    const created = await create({ scaling: 'agreed' }, 0);
    expect(created.warnings).toEqual([]);
    const { id } = await coordinator.runs.create('houses', { rounds: 2, evaluationShare: 0 }, true);
    const other = await coordinator.runs.create('houses', { rounds: 1, evaluationShare: 0 }, false);
    devices(id, all.slice(0, 2));
    await expect.poll(() => coordinator.runs.get(id).participants, { timeout: 10_000 }).toBe(2);
    // One device could read the other's numbers out of the result.
    expect(coordinator.runs.get(id)).toMatchObject({ phase: 'waiting', needed: 3, round: 0 });
    devices(id, all.slice(2, 3));
    await ended(id);

    const { data } = (await taskNow()) as Task & { data: TableData };
    const three = all.slice(0, 3).map(houses);
    expect(data.agreed).toEqual({ participants: 3, examples: 3 * ROWS });
    for (const [at, column] of data.features.entries()) {
      const values = three.flatMap(({ features }) =>
        Array.from({ length: ROWS }, (_, row) => features[row * columns.length + at] as number),
      );
      const { mean, deviation } = plain(values);
      expect(column).toMatchObject({ mean: expect.closeTo(mean, 6), scale: expect.closeTo(deviation, 6) });
    }
    const prices = plain(three.flatMap(({ labels }) => [...labels]));
    expect(data.target).toMatchObject({
      mean: expect.closeTo(prices.mean, 3),
      scale: expect.closeTo(prices.deviation, 3),
    });
    for (const session of sessions) expect(session.state.joined?.task.data).toEqual(data);
    expect(coordinator.runs.engine(other.id).record.task.data).toEqual(data);

    // Another process knows it, for the run that never had it in its record too.
    for (const session of sessions.splice(0)) session.close();
    await coordinator.close();
    const [, stored] = await storage.runs();
    expect(recipeHash(stored?.task.data as TableData)).not.toBe(recipeHash(data));
    await start();
    expect((await taskNow()).data).toEqual(data);
    await coordinator.runs.act(other.id, 'start');
    // Its rounds begin with two devices, and nobody is asked for sums again.
    devices(other.id, [2, 3]);
    await ended(other.id);
    expect((await taskNow()).data).toEqual(data);
    expect(sessions[0]?.state.outbound.some(({ question }) => question === 'statistics')).toBe(false);
  });

  it('does not follow from an exchange that a kill ended: the next process asks again', async () => {
    await create({ scaling: 'agreed' }, 0);
    const { id } = await coordinator.runs.create('houses', { rounds: 1, evaluationShare: 0 }, true);
    const change = storage.changeTask.bind(storage);
    // The process dies before it is stored: nobody was told.
    let killed = false;
    storage.changeTask = () => {
      killed = true;
      return new Promise(() => {});
    };
    devices(id, all.slice(0, 3));
    await expect.poll(() => killed, { timeout: 10_000 }).toBe(true);
    for (const { state } of sessions) expect(state.joined?.task.data).not.toHaveProperty('agreed');
    for (const session of sessions.splice(0)) session.close();
    await coordinator.close();
    storage.changeTask = change;
    const [kept] = await storage.tasks();
    expect(kept?.data).toMatchObject({ scaling: 'agreed' });
    expect(kept?.data).not.toHaveProperty('agreed');
    await start();
    devices(id, all.slice(0, 3));
    await ended(id);
    expect(((await taskNow()).data as TableData).agreed).toEqual({ participants: 3, examples: 3 * ROWS });
  });
});

describe('prices in dollars train with default settings, and errors are in dollars', () => {
  /** The error that remains for a model that knows nothing but the mean price is the deviation of the prices. */
  const good = 0.5 * deviationOfPrices;

  it('with an agreed scaling', async () => {
    await create({ scaling: 'agreed' });
    const run = await coordinator.runs.create('houses', { rounds: 8 }, true);
    devices(run.id, all);
    await ended(run.id);
    expect(await errorOf(run)).toBeLessThan(good);
  });

  it('with a given scaling', async () => {
    const target = stated({}).data.target;
    const { warnings } = await create({
      features: columns.map(([name, min, max, mean, scale]) => ({ name, min, max, mean, scale })),
      target: { ...target, mean: 2e5, scale: 6e4 },
    });
    expect(warnings).toEqual([]);
    const run = await coordinator.runs.create('houses', { rounds: 8 }, true);
    devices(run.id, all);
    await ended(run.id);
    expect(await errorOf(run)).toBeLessThan(good);
  });

  it('without any, the answer to the new task warns', async () => {
    expect((await create({})).warnings).toEqual([
      { kind: 'large-numbers', column: 'price', magnitude: 1_000_000 },
    ]);
  });
});
