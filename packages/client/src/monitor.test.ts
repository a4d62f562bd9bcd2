import type { MonitoredState, ObservedPrediction } from '@coppice/participant';
import { ManualClock, seededRandom } from '@coppice/ports';
import { CoppiceError, type ReleaseNews, weightsHash } from '@coppice/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, ModelClient } from './client.ts';
import { FakeCoordinator, irisOutputs, weightsOf } from './coordinator.testing.ts';
import type { Device, DeviceEvent, Sent } from './device.ts';
import { ownPredictor } from './predictor.ts';
import type { MonitorStatus, PartStatus } from './watching.ts';

/* A page whose predictions are watched. */

const flower = { 'sepal length': 6.3, 'sepal width': 2.9, 'petal length': 5.6, 'petal width': 1.8 };
const consent = { consent: 'c'.repeat(64) };

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function start(channel: 'production' | 'candidate' = 'production') {
  const coordinator = new FakeCoordinator();
  coordinator.named = 1;
  const calls: unknown[][] = [];
  let heard: (event: DeviceEvent) => void = () => {};
  const refusal = { monitor: null as CoppiceError | null };
  const device: Device = {
    async monitor(...args) {
      calls.push(['monitor', ...args]);
      if (refusal.monitor !== null) throw refusal.monitor;
    },
    async unmonitor(...args) {
      calls.push(['unmonitor', ...args]);
    },
    async observe(...args) {
      calls.push(['observe', ...args]);
    },
    async outcome(...args) {
      calls.push(['outcome', ...args]);
      return true;
    },
    add: async (...args) => void calls.push(['add', ...args]),
    takePart: async (...args) => void calls.push(['takePart', ...args]),
    leave: async (...args) => void calls.push(['leave', ...args]),
    active: () => {},
    subscribe(listener) {
      heard = listener;
      return () => {
        heard = () => {};
      };
    },
    save: async () => {},
    close: () => void calls.push(['close']),
  };
  let opened = 0;
  const client = new ModelClient(
    { url: 'https://coppice.example', task: 'iris', channel, interval: 60_000 },
    {
      request: coordinator.request,
      clock: new ManualClock(),
      random: seededRandom('monitor'),
      visibility: { seen: async () => {} },
      makePredictor: ownPredictor,
      hasDevice: false,
      openDevice() {
        opened++;
        return device;
      },
    },
  );
  clients.push(client);
  return {
    client,
    coordinator,
    calls,
    refusal,
    tell: (event: DeviceEvent) => heard(event),
    opened: () => opened,
  };
}

const arm = (name: string, version: number): ReleaseNews => ({
  task: 'iris',
  production: { sequence: 1, checkpoint: 'iris-1/1', hash: weightsHash(weightsOf(1)) },
  canary: { sequence: 2, checkpoint: `iris-1/${version}`, hash: weightsHash(weightsOf(version)), arm: name },
});

describe('a page that only predicts', () => {
  it('opens no device, and knows no outcome', async () => {
    const { client, opened } = start();
    const { id } = await client.predict(flower);
    expect(await client.outcome(id, 'setosa')).toBe(false);
    client.close();
    expect(opened()).toBe(0);
  });

  it('hears what would be reported, in plain facts', async () => {
    const { client, coordinator } = start();
    coordinator.watch = {
      task: 'iris',
      state: 'reports',
      consent: consent.consent,
      periodMilliseconds: 86_400_000,
      minimum: 10,
      privacy: null,
      release: null,
      reference: {
        identity: 'd'.repeat(64),
        binning: { columns: [{ name: 'sepal length' }, { name: 'petal' }] },
      },
    };
    const facts = {
      watched: true,
      consent: consent.consent,
      periodMilliseconds: 86_400_000,
      minimum: 10,
      columns: ['sepal length', 'petal'],
      groups: null,
      privacy: null,
    };
    expect(await client.watch()).toEqual(facts);
    const { reference } = coordinator.watch;
    const binning = { ...(reference?.binning as object), groups: 'petal' };
    coordinator.watch = { ...coordinator.watch, reference: { identity: 'e'.repeat(64), binning } };
    expect(await client.watch()).toEqual({ ...facts, groups: 'petal' });
  });
});

describe('a page that monitors', () => {
  it('counts each prediction as it was made, with its raw input', async () => {
    const { client, calls } = start();
    await client.monitor(consent);
    const made = await client.predict(flower);
    expect(calls[0]).toEqual(['monitor', 'iris', consent]);
    const [name, task, prediction] = calls[1] as ['observe', string, ObservedPrediction];
    expect([name, task]).toEqual(['observe', 'iris']);
    expect(prediction).toMatchObject({ id: made.id, hash: weightsHash(weightsOf(1)) });
    expect([...prediction.example]).toEqual([6.3, 2.9, 5.6, 1.8]);
    if (!('classes' in made)) throw new Error('flowers have classes');
    expect(Array.from(prediction.output)).toEqual(made.classes.map(({ probability }) => probability));
  });

  it('tells outcomes by the name of a class, its index or a number', async () => {
    const { client, calls } = start();
    await client.monitor(consent);
    const { id } = await client.predict(flower);
    expect(await client.outcome(id, 'virginica')).toBe(true);
    expect(await client.outcome(id, 1)).toBe(true);
    await expect(client.outcome(id, 'tulip')).rejects.toMatchObject({
      code: 'data-invalid',
      message: expect.stringContaining('setosa, versicolor, virginica'),
    });
    expect(calls.slice(2)).toEqual([
      ['outcome', 'iris', id, 2],
      ['outcome', 'iris', id, 1],
    ]);
  });

  it('counts a prediction that was put aside once it is used, and only once', async () => {
    const { client, calls } = start();
    const early = await client.predict(flower, { count: false });
    expect(await client.use(early.id)).toBe(false);
    await client.monitor(consent);
    const { id, hash } = await client.predict(flower, { count: false });
    expect(calls.filter(([name]) => name === 'observe')).toEqual([]);
    expect([await client.use(id), await client.use(id)]).toEqual([true, false]);
    expect(await client.use(early.id)).toBe(true);
    expect(calls.slice(1)).toEqual([
      ['observe', 'iris', expect.objectContaining({ id, hash })],
      ['observe', 'iris', expect.objectContaining({ id: early.id })],
    ]);
  });

  it('counts a prediction that was put aside with its outcome', async () => {
    const { client, calls } = start();
    await client.monitor(consent);
    const { id } = await client.predict(flower, { count: false });
    expect(await client.outcome(id, 'setosa')).toBe(true);
    expect(calls.slice(1)).toEqual([
      ['observe', 'iris', expect.objectContaining({ id })],
      ['outcome', 'iris', id, 0],
    ]);
    expect(await client.use(id)).toBe(false);
  });

  it('knows the last 16 predictions that were put aside', async () => {
    const { client } = start();
    await client.monitor(consent);
    const ids: string[] = [];
    for (let made = 0; made < 17; made++) ids.push((await client.predict(flower, { count: false })).id);
    expect([await client.use(ids[0] as string), await client.use(ids[1] as string)]).toEqual([false, true]);
  });

  it('has the model of a run that is not open from its offer on', async () => {
    const { client, coordinator, tell } = start();
    coordinator.ticket = 'offer-b';
    const refused = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    client.on('status', ({ state }) => {
      if (state === 'refused') refused.resolve();
      if (state === 'ready') ready.resolve();
    });
    await refused.promise;
    await expect(client.predict(flower)).rejects.toMatchObject({ code: 'run-not-admitted' });
    await client.monitor(consent);
    const state: MonitoredState = {
      offered: true,
      watched: true,
      pass: { participant: 'ab'.repeat(16), ticket: 'offer-b' },
      info: null,
      observations: 0,
      labelled: 0,
      reported: null,
      answered: 0,
      withheld: 0,
      error: null,
    };
    tell({ kind: 'monitored', task: 'iris', state });
    await ready.promise;
    expect((await client.predict(flower)).hash).toBe(weightsHash(weightsOf(1)));
    // As after a reconnection, for a canary.
    coordinator.ticket = 'offer-c';
    tell({
      kind: 'monitored',
      task: 'iris',
      state: { ...state, pass: { participant: 'ab'.repeat(16), ticket: 'offer-c' } },
    });
    const moved = new Promise<void>((resolve) => client.on('model', () => resolve()));
    tell({ kind: 'release', task: 'iris', news: arm('canary', 2) });
    await moved;
    expect(client.model?.hash).toBe(weightsHash(weightsOf(2)));
  });

  it('hears of its state and of what leaves the browser, for its task alone', async () => {
    const { client, tell } = start();
    const states: (MonitorStatus | null)[] = [];
    const sent: Sent[] = [];
    client.on('monitor', (state) => states.push(state));
    client.on('sent', (message) => sent.push(message));
    await client.monitor(consent);
    const state: MonitoredState = {
      offered: false,
      watched: true,
      pass: null,
      info: null,
      observations: 3,
      labelled: 0,
      reported: null,
      answered: 0,
      withheld: 0,
      error: { code: 'consent-outdated', message: 'Ask again.' },
    };
    tell({ kind: 'monitored', task: 'digits', state });
    tell({ kind: 'monitored', task: 'iris', state });
    tell({ kind: 'monitored', task: 'iris', state: null });
    const message = { kind: 'report', bytes: 600, tells: 'Shares.' };
    tell({ kind: 'sent', task: 'iris', sent: message });
    tell({ kind: 'sent', task: 'digits', sent: message });
    expect(states).toEqual([
      { offered: false, watched: true, observations: 3, problem: expect.any(CoppiceError) },
      null,
    ]);
    expect(states[0]?.problem?.code).toBe('consent-outdated');
    expect(sent).toEqual([message]);
  });

  it('hears why the coordinator refuses', async () => {
    const { client, refusal } = start();
    refusal.monitor = new CoppiceError('consent-outdated', 'Ask again.');
    await expect(client.monitor(consent)).rejects.toMatchObject({ code: 'consent-outdated' });
  });

  it('stops on request, and with the client', async () => {
    const { client, calls } = start();
    await client.monitor(consent);
    await client.unmonitor();
    await client.predict(flower);
    client.close();
    await expect.poll(() => calls).toEqual([['monitor', 'iris', consent], ['unmonitor', 'iris'], ['close']]);
  });
});

describe('a page that takes part', () => {
  it('passes its consent on, and hears how far its part is', async () => {
    const { client, calls, tell } = start();
    const states: (PartStatus | null)[] = [];
    client.on('part', (state) => states.push(state));
    await client.leave();
    await client.takePart({ terms: 't', charging: false });
    const state = { state: 'held', run: null, held: ['idle'], unknown: [] } as const;
    const error = { code: 'run-not-admitted', message: 'Not you.' } as const;
    tell({ kind: 'part', task: 'digits', state: { ...state, error: null } });
    tell({ kind: 'part', task: 'iris', state: { ...state, error } });
    tell({ kind: 'part', task: 'iris', state: null });
    await client.leave();
    expect(calls).toEqual([
      ['takePart', 'iris', { terms: 't', charging: false }],
      ['leave', 'iris'],
    ]);
    expect(states).toEqual([{ ...state, problem: expect.any(CoppiceError) }, null]);
    expect(states[0]?.problem?.code).toBe('run-not-admitted');
  });

  it('adds examples in stored form, with their labels', async () => {
    const { client, calls, coordinator } = start();
    await client.add(flower, 'virginica');
    await expect(client.add(flower, 'tulip')).rejects.toMatchObject({ code: 'data-invalid' });
    await expect(client.add({ petal: 1 }, 1)).rejects.toMatchObject({ code: 'data-invalid' });
    const features = Float64Array.of(6.3, 2.9, 5.6, 1.8);
    expect(calls).toEqual([
      ['add', 'iris', { data: coordinator.task.data, features, label: 2, source: 'csv' }],
    ]);
  });
});

describe('a canary', () => {
  it('predicts in its arm from the moment that it is told, and no longer than it lasts', async () => {
    const { client, tell } = start();
    await client.monitor(consent);
    expect((await client.predict(flower)).checkpoint).toBe('iris-1/1');
    tell({ kind: 'release', task: 'iris', news: arm('canary', 2) });
    await expect.poll(() => client.model?.checkpoint).toBe('iris-1/2');
    const predicted = await client.predict(flower);
    const scaled = [
      (6.3 - 5.8433) / 0.8253,
      (2.9 - 3.0573) / 0.4344,
      (5.6 - 3.758) / 1.7594,
      (1.8 - 1.1993) / 0.7597,
    ];
    expect('classes' in predicted && predicted.classes[0]?.probability).toBeCloseTo(
      irisOutputs(weightsOf(2), scaled)[0] as number,
      5,
    );
    tell({ kind: 'release', task: 'iris', news: { ...arm('canary', 2), canary: null } });
    await expect.poll(() => client.model?.checkpoint).toBe('iris-1/1');
  });

  it.each(['control', 'none'])(
    'predicts with production in the arm %s, and hears of its moves at once',
    async (name) => {
      const { client, coordinator, tell } = start();
      await client.monitor(consent);
      await client.predict(flower);
      coordinator.named = 3;
      tell({ kind: 'release', task: 'iris', news: arm(name, 2) });
      await expect.poll(() => client.model?.checkpoint).toBe('iris-1/3');
    },
  );

  it('is not missed while the page looks for what production names', async () => {
    const { client, coordinator, tell } = start();
    await client.monitor(consent);
    await client.predict(flower);
    // A first piece of news makes it look; the second comes while it waits for the answer.
    const { promise: looked, resolve: look } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    coordinator.instead = async () => {
      coordinator.instead = null;
      look();
      await answered;
      return Response.json(coordinator.description(1), { headers: { ETag: '"1"' } });
    };
    tell({ kind: 'release', task: 'iris', news: arm('none', 2) });
    await looked;
    tell({ kind: 'release', task: 'iris', news: arm('canary', 2) });
    answer();
    await expect.poll(() => client.model?.checkpoint).toBe('iris-1/2');
  });

  it('is no matter of a page that tests another channel', async () => {
    const { client, coordinator, tell } = start('candidate');
    await client.monitor(consent);
    await client.predict(flower);
    coordinator.named = 3;
    tell({ kind: 'release', task: 'iris', news: arm('canary', 2) });
    await expect.poll(() => client.model?.checkpoint).toBe('iris-1/3');
  });

  it('that cannot be had any more leaves production', async () => {
    const { client, coordinator, tell } = start();
    await client.monitor(consent);
    await client.predict(flower);
    coordinator.named = 3;
    const gone = arm('canary', 2);
    tell({
      kind: 'release',
      task: 'iris',
      news: { ...gone, canary: gone.canary === null ? null : { ...gone.canary, hash: 'e'.repeat(64) } },
    });
    await expect.poll(() => client.model?.checkpoint).toBe('iris-1/3');
  });
});
