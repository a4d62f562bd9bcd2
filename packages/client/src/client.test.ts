import { ManualClock, seededRandom } from '@coppice/ports';
import { CoppiceError, type Task, weightsHash } from '@coppice/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { ModelClient, type Status } from './client.ts';
import { connect } from './connect.ts';
import { FakeCoordinator, iris, irisOutputs, weightsOf } from './coordinator.testing.ts';
import { ownPredictor } from './predictor.ts';

const MINUTE = 60_000;
/** Longer than the longest pause between two looks without failures. */
const NEXT_LOOK = 1.1 * MINUTE;
const flower = { 'sepal length': 6.3, 'sepal width': 2.9, 'petal length': 5.6, 'petal width': 1.8 };
/** The same, scaled as the task says. */
const scaled = [
  (6.3 - 5.8433) / 0.8253,
  (2.9 - 3.0573) / 0.4344,
  (5.6 - 3.758) / 1.7594,
  (1.8 - 1.1993) / 0.7597,
];

/** A regression whose model is one layer with four inputs. */
const length: Task = {
  ...iris,
  data: {
    kind: 'table',
    features: [
      { name: 'width', mean: 1, scale: 1 },
      { name: 'height', mean: 0, scale: 2 },
      { name: 'depth', mean: 0, scale: 1 },
      { name: 'age', mean: 0, scale: 1 },
    ],
    target: { kind: 'number', name: 'length', unit: 'cm', mean: 7, scale: 2 },
  },
  model: {
    class_name: 'Sequential',
    config: {
      name: 'length',
      layers: [
        {
          class_name: 'Dense',
          config: {
            name: 'only',
            units: 1,
            activation: 'linear',
            use_bias: true,
            batch_input_shape: [null, 4],
          },
        },
      ],
    },
  },
  loss: 'meanSquaredError',
};

const clients: ModelClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** A client of a coordinator that has a version in production, or none. */
function start(named: number | null, prepare: (coordinator: FakeCoordinator) => void = () => {}) {
  const coordinator = new FakeCoordinator();
  coordinator.named = named;
  prepare(coordinator);
  const clock = new ManualClock();
  let show = () => {};
  let shown = Promise.resolve();
  const client = new ModelClient(
    { url: 'https://coppice.example', task: 'iris', channel: 'production', interval: MINUTE },
    {
      request: coordinator.request,
      clock,
      random: seededRandom('client'),
      visibility: { seen: () => shown },
      makePredictor: ownPredictor,
      hasDevice: false,
      openDevice: () => {
        throw new Error('nothing is monitored');
      },
    },
  );
  clients.push(client);
  const models: (string | null)[] = [];
  const statuses: Status['state'][] = [];
  client.on('model', (model) => models.push(model?.checkpoint ?? null));
  client.on('status', ({ state }) => statuses.push(state));
  return {
    client,
    coordinator,
    clock,
    models,
    statuses,
    /** Hides the page until the function is called that this returns. */
    hide() {
      shown = new Promise((resolve) => {
        show = resolve;
      });
      return () => show();
    },
    async state(state: Status['state']) {
      await expect.poll(() => client.status.state, often).toBe(state);
    },
    async model(checkpoint: string | null) {
      await expect.poll(() => client.model?.checkpoint ?? null, often).toBe(checkpoint);
    },
    /** Waits until the channel was asked for so often. */
    async looked(times: number) {
      await expect.poll(() => looks(coordinator), often).toBeGreaterThanOrEqual(times);
    },
  };
}

const often = { interval: 1 };

function looks({ asked }: FakeCoordinator): number {
  return asked.filter((one) => one === '/models/iris/production/model.json no-cache').length;
}

/** Lets everything go on that waits for no timer. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a prediction', () => {
  it('is the model’s, stamped with its checkpoint and an id of its own', async () => {
    const { client } = start(1);
    const first = await client.predict(flower);
    const second = await client.predict(flower);
    expect(first).toMatchObject({ checkpoint: 'iris-1/1', hash: weightsHash(weightsOf(1)) });
    expect(first.id).toMatch(/^[0-9a-f]{32}$/);
    expect(second.id).not.toBe(first.id);
    if (!('classes' in first)) throw new Error('flowers have classes');
    const expected = irisOutputs(weightsOf(1), scaled);
    expect(first.classes.map(({ name }) => name)).toEqual(['setosa', 'versicolor', 'virginica']);
    for (const [index, { probability }] of first.classes.entries())
      expect(probability).toBeCloseTo(expected[index] as number, 5);
  });

  it('is the same for an example as devices store it, and refuses one of another form', async () => {
    const { client } = start(1);
    const example = Float64Array.of(6.3, 2.9, 5.6, 1.8);
    const asked = client.predict(example);
    example.fill(0);
    expect(await asked).toMatchObject({
      classes: ((await client.predict(flower)) as { classes: object }).classes,
    });
    for (const other of [Float32Array.of(1, 2, 3), new Uint8Array(4)])
      await expect(client.predict(other)).rejects.toMatchObject({
        code: 'data-invalid',
        message: expect.stringContaining('4 numbers'),
      });
  });

  it('is of the input as it was when it was asked for', async () => {
    const { client } = start(1);
    const input = { ...flower };
    const asked = client.predict(input);
    input['sepal length'] = 1000;
    const [before, after] = [await asked, await client.predict(flower)];
    expect('classes' in before && 'classes' in after && before.classes).toEqual(
      'classes' in after && after.classes,
    );
  });

  it.each([
    [{ 'sepal length': 1 }, /sepal width/],
    [null as never, /picture, or an object/],
  ])('of %o is refused by name, and the next one goes on', async (input, message) => {
    const { client } = start(1);
    const refused = await client.predict(input).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: 'data-invalid', message: expect.stringMatching(message) });
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/1');
  });

  it('of a number is its value in the unit of the target', async () => {
    const { client } = start(1, (coordinator) => {
      coordinator.task = length;
      coordinator.size = 5;
    });
    const predicted = await client.predict({ width: 3, height: 8, depth: '0.5', age: 1 });
    const [a = 0, b = 0, c = 0, d = 0, bias = 0] = weightsOf(1, 5);
    if (!('value' in predicted)) throw new Error('a number has a value');
    // Scaled inputs through one layer; the target is the output · 2 + 7 cm.
    expect(predicted.value).toBeCloseTo(2 * (a * (3 - 1) + b * 4 + c * 0.5 + d * 1 + bias) + 7, 5);
    expect(predicted.unit).toBe('cm');
  });
});

describe('a release', () => {
  it('is predicted with between two predictions, and so is what an undo brings back', async () => {
    const { client, coordinator, clock, models, statuses, model } = start(1);
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/1');
    coordinator.named = 2;
    await settled();
    clock.advance(NEXT_LOOK);
    await model('iris-1/2');
    const predicted = await client.predict(flower);
    expect(predicted).toMatchObject({ checkpoint: 'iris-1/2', hash: weightsHash(weightsOf(2)) });
    const expected = irisOutputs(weightsOf(2), scaled);
    expect('classes' in predicted && predicted.classes[0]?.probability).toBeCloseTo(expected[0] as number, 5);
    coordinator.named = 1;
    await settled();
    clock.advance(NEXT_LOOK);
    await model('iris-1/1');
    expect((await client.predict(flower)).hash).toBe(weightsHash(weightsOf(1)));
    expect(models).toEqual(['iris-1/1', 'iris-1/2', 'iris-1/1']);
    expect(statuses).toEqual(['ready']);
  });

  it('that did not move costs one question, and no event', async () => {
    const { client, coordinator, clock, models, looked } = start(1);
    await client.predict(flower);
    const before = coordinator.asked.length;
    await settled();
    clock.advance(NEXT_LOOK);
    await looked(2);
    await settled();
    expect(coordinator.asked.slice(before)).toEqual(['/models/iris/production/model.json no-cache']);
    expect(models).toEqual(['iris-1/1']);
  });

  it('may be the first one, while the page is open', async () => {
    const { client, coordinator, clock, models, statuses, model, looked } = start(null);
    await expect(client.predict(flower)).rejects.toMatchObject({ code: 'checkpoint-unknown' });
    expect(client.model).toBeNull();
    await settled();
    clock.advance(NEXT_LOOK);
    await looked(2);
    coordinator.named = 3;
    await settled();
    clock.advance(NEXT_LOOK);
    await model('iris-1/3');
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/3');
    await settled();
    expect(statuses).toEqual(['no-model', 'ready']);
    expect(models).toEqual(['iris-1/3']);
  });

  it('whose weights were changed on their way is refused, and the last one goes on until they come whole', async () => {
    const { client, coordinator, clock, models, state, model } = start(1);
    await client.predict(flower);
    await settled();
    coordinator.named = 2;
    coordinator.damage = (weights) => weights.with(130, 0.25);
    clock.advance(NEXT_LOOK);
    await state('refused');
    expect(client.status.problem).toMatchObject({ code: 'frame-invalid' });
    // The copy that the browser may have kept was not taken for the only one.
    const hash = weightsHash(weightsOf(2));
    expect(coordinator.asked.slice(-2)).toEqual([
      `/models/iris/${hash}/weights.bin default`,
      `/models/iris/${hash}/weights.bin reload`,
    ]);
    expect((await client.predict(flower)).hash).toBe(weightsHash(weightsOf(1)));
    coordinator.damage = (weights) => weights.slice(1);
    await settled();
    clock.advance(1_000);
    await settled();
    expect(client.model?.checkpoint).toBe('iris-1/1');
    coordinator.damage = (weights) => weights;
    clock.advance(2_000);
    await model('iris-1/2');
    await state('ready');
    expect(models).toEqual(['iris-1/1', 'iris-1/2']);
  });

  it('for another recipe is refused before its weights are fetched, and the last one goes on', async () => {
    const { client, coordinator, clock, state } = start(1);
    await client.predict(flower);
    await settled();
    coordinator.named = 2;
    coordinator.recipe = '0'.repeat(64);
    clock.advance(NEXT_LOOK);
    await state('refused');
    expect(client.status.problem).toMatchObject({ code: 'checkpoint-mismatch' });
    expect(client.status.problem?.message).toContain('iris-1/2');
    expect(coordinator.asked.at(-1)).toBe('/api/tasks/iris no-cache');
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/1');
  });

  it('of other layers than its description is refused', async () => {
    const { client, state } = start(1, (coordinator) => {
      coordinator.size = 130;
    });
    await state('refused');
    await expect(client.predict(flower)).rejects.toMatchObject({ code: 'checkpoint-mismatch' });
  });

  it('is not loaded from what is no description of a model', async () => {
    const { client, state } = start(1, (coordinator) => {
      coordinator.instead = () => new Response('<!doctype html>');
    });
    await state('refused');
    await expect(client.predict(flower)).rejects.toMatchObject({ code: 'message-invalid' });
  });
});

describe('a coordinator that is away', () => {
  it('stops no prediction, is asked again after the time that it asks for, and is taken up again', async () => {
    const { client, coordinator, clock, statuses, state, model } = start(1);
    await client.predict(flower);
    await settled();
    coordinator.named = 2;
    coordinator.instead = () =>
      Response.json(
        { error: { code: 'coordinator-starting', message: 'Starting.' } },
        { status: 503, headers: { 'Retry-After': '40' } },
      );
    clock.advance(NEXT_LOOK);
    await state('offline');
    expect(client.status.problem).toMatchObject({ code: 'coordinator-starting', retryAfter: 40_000 });
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/1');
    const before = looks(coordinator);
    await settled();
    clock.advance(39_999);
    await settled();
    expect(looks(coordinator)).toBe(before);
    coordinator.instead = null;
    clock.advance(20_001);
    await model('iris-1/2');
    await state('ready');
    expect(statuses).toEqual(['ready', 'offline', 'ready']);
    // The next failure is a first one again, and is tried again after a second.
    coordinator.instead = () => Promise.reject(new TypeError('Failed to fetch'));
    await settled();
    clock.advance(NEXT_LOOK);
    await state('offline');
    coordinator.instead = null;
    await settled();
    clock.advance(1_000);
    await state('ready');
  });

  it('is asked ever more rarely', async () => {
    const { coordinator, clock, state } = start(null, (one) => {
      one.instead = () => Promise.reject(new TypeError('Failed to fetch'));
    });
    await state('offline');
    for (let minute = 0; minute < 30; minute++) {
      for (let second = 0; second < 60; second++) {
        await settled();
        clock.advance(1_000);
      }
    }
    // 1 + 2 + … + 256 s are at most 8.5 minutes, then five minutes each; half as long at the least.
    expect(looks(coordinator)).toBeGreaterThanOrEqual(10 + 4);
    expect(looks(coordinator)).toBeLessThanOrEqual(10 + 11);
    expect(coordinator.asked.length).toBe(looks(coordinator) + 1);
  });

  it('leaves a page that is opened then the model that its browser keeps', async () => {
    const first = start(1);
    await first.client.predict(flower);
    first.client.close();
    const { coordinator } = first;
    const clock = new ManualClock();
    // Weights are immutable: the browser's cache answers for them without being told to.
    const weights = new Response(weightsOf(1).slice());
    const client = new ModelClient(
      { url: 'https://coppice.example', task: 'iris', channel: 'production', interval: MINUTE },
      {
        request: (address, init) =>
          String(address).endsWith('.bin')
            ? Promise.resolve(weights.clone())
            : coordinator.request(address as string, init),
        clock,
        random: seededRandom('again'),
        visibility: { seen: () => Promise.resolve() },
        makePredictor: ownPredictor,
        hasDevice: false,
        openDevice: () => {
          throw new Error('nothing is monitored');
        },
      },
    );
    clients.push(client);
    coordinator.instead = () => Promise.reject(new TypeError('Failed to fetch'));
    const states: Status['state'][] = [];
    client.on('status', ({ state }) => states.push(state));
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/1');
    expect(client.status.problem).toMatchObject({ code: 'connection-lost' });
    expect(states).toEqual(['offline']);
  });

  it('is given up where an answer stops coming for 45 s, and asked again', async () => {
    const { client, coordinator, clock, state, model } = start(2, (one) => {
      // The first bytes come, and nothing after them.
      one.instead = (signal) =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode('{'));
              signal?.addEventListener('abort', () => controller.error(signal.reason));
            },
          }),
        );
    });
    await settled();
    clock.advance(44_999);
    await settled();
    expect(client.status.state).toBe('loading');
    clock.advance(1);
    await settled();
    // What the browser keeps was asked for next, and it keeps nothing.
    clock.advance(45_000);
    await state('offline');
    expect(client.status.problem).toMatchObject({ code: 'connection-lost' });
    coordinator.instead = null;
    await settled();
    clock.advance(1_000);
    await model('iris-1/2');
  });

  it('may take its time over an answer, as long as some of it comes', async () => {
    let more: (bytes: number) => void = () => {};
    const { client, coordinator, clock, model } = start(2, (one) => {
      const body = new TextEncoder().encode(JSON.stringify(one.description(2)));
      let sent = 0;
      one.instead = (signal) =>
        new Response(
          new ReadableStream<Uint8Array>({
            start(controller) {
              signal?.addEventListener('abort', () => controller.error(signal.reason));
              more = (bytes) => {
                controller.enqueue(body.slice(sent, sent + bytes));
                sent += bytes;
                if (sent >= body.length) controller.close();
              };
            },
          }),
        );
    });
    await settled();
    for (let part = 0; part < 4; part++) {
      more(100);
      await settled();
      clock.advance(40_000);
      await settled();
    }
    coordinator.instead = null;
    more(1_000_000);
    await model('iris-1/2');
    expect(client.status.problem).toBeNull();
  });
});

describe('a page', () => {
  it('asks nothing while it is hidden, and at once when it is seen again', async () => {
    const { client, coordinator, clock, hide, model } = start(1);
    await client.predict(flower);
    await settled();
    const show = hide();
    coordinator.named = 2;
    const before = coordinator.asked.length;
    clock.advance(NEXT_LOOK);
    await settled();
    clock.advance(100 * MINUTE);
    await settled();
    expect(coordinator.asked.length).toBe(before);
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/1');
    show();
    await model('iris-1/2');
  });

  it('that closes its client asks nothing more and hears nothing more', async () => {
    const { client, coordinator, clock, models } = start(1);
    await client.predict(flower);
    await settled();
    const waiting = client.predict(flower);
    client.close();
    client.close();
    await expect(waiting).rejects.toThrow('closed');
    const before = coordinator.asked.length;
    clock.advance(10 * MINUTE);
    await settled();
    expect(coordinator.asked.length).toBe(before);
    expect(models).toEqual(['iris-1/1']);
    await expect(client.predict(flower)).rejects.toThrow('closed');
  });

  it('can end what it hears', async () => {
    const { client, coordinator, clock, model } = start(1);
    const heard: (string | undefined)[] = [];
    const off = client.on('model', (one) => heard.push(one?.checkpoint));
    await client.predict(flower);
    off();
    coordinator.named = 2;
    await settled();
    clock.advance(NEXT_LOOK);
    await model('iris-1/2');
    await settled();
    expect(heard).toEqual(['iris-1/1']);
  });
});

it.each([
  ['url', { url: 'coppice.example', task: 'iris' }],
  ['url', { url: 'file:///models', task: 'iris' }],
  ['task', { url: 'https://coppice.example', task: '../iris' }],
  ['channel', { url: 'https://coppice.example', task: 'iris', channel: 'newest' }],
  ['interval', { url: 'https://coppice.example', task: 'iris', interval: 10 }],
  ['interval', { url: 'https://coppice.example', task: 'iris', interval: Number.NaN }],
])('connect refuses a wrong %s by name: %o', (option, options) => {
  let thrown: unknown;
  try {
    connect(options).close();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CoppiceError);
  expect(thrown).toMatchObject({ code: 'config-invalid', message: expect.stringContaining(`"${option}"`) });
});
