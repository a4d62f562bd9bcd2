import { CoppiceError, type ReleaseNews } from '@coppice/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { Device, DeviceEvent } from './device.ts';
import { browserTabs, SharedDevice, type Tabs } from './tabs.ts';

/* Several tabs of one origin, over the platform's own Web Locks and channels: one of them has the connection. */

const shared: SharedDevice[] = [];
afterEach(() => {
  for (const device of shared.splice(0)) device.close();
});

let origins = 0;
const news: ReleaseNews = { task: 'iris', production: null, canary: null };
const how = { consent: 'c'.repeat(64) };

/** An origin: its tabs, and the devices that were opened in them, by tab. */
function origin(tabs?: () => Tabs) {
  const name = `coppice test ${++origins}`;
  const calls: string[] = [];
  let ids = 0;
  let heard = new Set<(event: DeviceEvent) => void>();
  const refused = { monitor: null as CoppiceError | null };
  const open = (tab: string) => async (): Promise<Device> => {
    calls.push(`${tab} opens`);
    heard = new Set();
    const own = heard;
    return {
      async monitor(task) {
        calls.push(`${tab} monitors ${task}`);
        if (refused.monitor !== null) throw refused.monitor;
      },
      async unmonitor(task) {
        calls.push(`${tab} unmonitors ${task}`);
      },
      async observe(task, { id, example }) {
        calls.push(`${tab} counts ${task} ${id} ${example[0]}`);
      },
      async outcome(_task, id) {
        return id === 'known';
      },
      subscribe(listener) {
        own.add(listener);
        return () => own.delete(listener);
      },
      async add(task, { label }) {
        calls.push(`${tab} adds ${task} ${label}`);
      },
      async takePart(task) {
        calls.push(`${tab} takes part in ${task}`);
      },
      async leave(task) {
        calls.push(`${tab} leaves ${task}`);
      },
      active() {
        calls.push(`${tab} is active`);
      },
      async save() {
        calls.push(`${tab} saves`);
      },
      close() {
        calls.push(`${tab} closes`);
      },
    };
  };
  const tab = (as: string) => {
    const device = new SharedDevice({
      open: open(as),
      tabs: tabs?.() ?? browserTabs(name),
      newId: () => `${as} ${++ids}`,
    });
    shared.push(device);
    return device;
  };
  const tell = (event: DeviceEvent) => {
    for (const one of heard) one(event);
  };
  return { tab, calls, refused, tell };
}

const predicted = (id: string) => ({ hash: 'a', example: Float32Array.of(7), output: [1], id });

describe('tabs of one origin', () => {
  it('have one connection, which counts for all', async () => {
    const { tab, calls } = origin();
    const one = tab('one');
    await one.monitor('iris', how);
    const two = tab('two');
    await two.monitor('iris', how);
    await two.observe('iris', predicted('p1'));
    await one.observe('iris', predicted('p2'));
    expect(calls).toEqual([
      'one opens',
      'one monitors iris',
      'one monitors iris',
      'one counts iris p1 7',
      'one counts iris p2 7',
    ]);
    expect([one.leads, two.leads]).toEqual([true, false]);
    expect(await two.outcome('iris', 'known', 1)).toBe(true);
    expect(await two.outcome('iris', 'unknown', 1)).toBe(false);
  });

  it('hear the same, and what was told before they came', async () => {
    const { tab, tell } = origin();
    const one = tab('one');
    await one.monitor('iris', how);
    tell({ kind: 'release', task: 'iris', news });
    const two = tab('two');
    const events: DeviceEvent[] = [];
    two.subscribe((event) => events.push(event));
    await two.monitor('iris', how);
    await expect.poll(() => events).toEqual([{ kind: 'release', task: 'iris', news }]);
    const sent = { kind: 'report', bytes: 9, tells: 'Shares.' };
    tell({ kind: 'sent', task: 'iris', sent });
    await expect.poll(() => events.at(-1)).toEqual({ kind: 'sent', task: 'iris', sent });
    // Messages are told as they leave, and not again.
    const late: DeviceEvent[] = [];
    two.subscribe((event) => late.push(event));
    expect(late).toEqual([{ kind: 'release', task: 'iris', news }]);
  });

  it('go on in another one where the one that counts is closed', async () => {
    const { tab, calls } = origin();
    const one = tab('one');
    await one.monitor('iris', how);
    const two = tab('two');
    await two.monitor('digits', how);
    const three = tab('three');
    await three.monitor('iris', how);
    calls.length = 0;
    one.close();
    await three.observe('iris', predicted('p1'));
    await expect
      .poll(() => calls)
      .toEqual(expect.arrayContaining(['two monitors digits', 'two monitors iris']));
    expect(calls.slice(0, 2)).toEqual(['one closes', 'two opens']);
    expect(calls.filter((call) => call.includes('counts'))).toEqual(['two counts iris p1 7']);
    expect(two.leads).toBe(true);
  });

  it('take part through the one that leads, also through the next one, and tell it when they are used', async () => {
    const { tab, calls } = origin();
    const one = tab('one');
    await one.unmonitor('iris');
    const two = tab('two');
    await two.takePart('iris', { terms: 't' });
    two.active();
    await two.add('iris', { data: {} as never, features: Float32Array.of(1), label: 2, source: 'csv' });
    expect(calls.slice(2)).toEqual(['one takes part in iris', 'one is active', 'one adds iris 2']);
    one.close();
    await expect.poll(() => calls.at(-1)).toBe('two takes part in iris');
    await two.leave('iris');
    expect(calls.slice(5)).toEqual(['one closes', 'two opens', 'two takes part in iris', 'two leaves iris']);
  });

  it('do not go on with what the person ended in another one', async () => {
    const { tab, calls, tell } = origin();
    const one = tab('one');
    await one.monitor('iris', how);
    const two = tab('two');
    await two.monitor('iris', how);
    await two.takePart('iris', { terms: 't' });
    const heard: unknown[] = [];
    two.subscribe((event) => heard.push(event));
    tell({ kind: 'part', task: 'iris', state: null });
    tell({ kind: 'monitored', task: 'iris', state: null });
    await expect.poll(() => heard).toHaveLength(2);
    one.close();
    await two.outcome('iris', 'any', 1);
    expect(calls.slice(-2)).toEqual(['one closes', 'two opens']);
  });

  it('are told why the coordinator refuses', async () => {
    const { tab, refused } = origin();
    const one = tab('one');
    await one.monitor('iris', how);
    refused.monitor = new CoppiceError('consent-outdated', 'Ask again.');
    await expect(tab('two').monitor('iris', how)).rejects.toMatchObject({
      code: 'consent-outdated',
      message: 'Ask again.',
    });
  });

  it('do not count for a client that was closed', async () => {
    const { tab, calls } = origin();
    const one = tab('one');
    await one.monitor('iris', how);
    one.close();
    await expect(one.observe('iris', predicted('p1'))).rejects.toThrow('closed');
    expect(calls.at(-1)).toBe('one closes');
  });
});

it('is one tab of its own where the browser has no locks', async () => {
  const { tab, calls } = origin(() => ({
    channel: { postMessage: () => {}, onmessage: null, close: () => {} },
    elect: (lead) => lead(),
  }));
  await tab('one').monitor('iris', how);
  await tab('two').monitor('iris', how);
  expect(calls).toEqual(['one opens', 'one monitors iris', 'two opens', 'two monitors iris']);
});

it('refuses what waits where the device cannot be opened', async () => {
  const device = new SharedDevice({
    open: async () => {
      throw new CoppiceError('storage-failed', 'A private window.');
    },
    tabs: browserTabs(`coppice test ${++origins}`),
    newId: () => 'one',
  });
  shared.push(device);
  await expect(device.monitor('iris', how)).rejects.toMatchObject({ code: 'storage-failed' });
});
