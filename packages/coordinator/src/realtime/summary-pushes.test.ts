import { ManualClock } from '@coppice/ports';
import type { Down, DownName, Run } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { LONGEST_PUSH_INTERVAL, PUSH_INTERVAL, PUSH_INTERVAL_EACH, SummaryPushes } from './summary-pushes.ts';
import { Watches } from './watches.ts';

/** Pushes of one run with two members. */
function pushes({ connected = 0 } = {}) {
  const clock = new ManualClock(1000);
  const watches = new Watches();
  const sent: { to: readonly string[]; name: DownName; message: Down<DownName> }[] = [];
  const central = { loss: 1, accuracy: 0.5, examples: 1 };
  let run = { id: 'r', status: 'running', admission: 'open', central } as Run;
  let heads = { here: ['a', 'b'], working: 1, done: 0 };
  let forgotten = 0;
  const banned = new Set<string>();
  const it = new SummaryPushes({
    runs: { get: () => run, find: () => ({ heads: () => heads }) as never },
    admitted: { admits: (participant) => !banned.has(participant) },
    presences: {
      connected,
      send: (to, name, message) => {
        if (to.length > 0) sent.push({ to, name, message });
      },
      forgetAll: () => void forgotten++,
    },
    watches,
    clock,
  });
  return {
    it,
    clock,
    watches,
    banned,
    becomes: (changes: Partial<Run>) => {
      run = { ...run, ...changes };
      it.request('r');
    },
    leaves: (...here: string[]) => {
      heads = { ...heads, here };
    },
    get forgotten() {
      return forgotten;
    },
    /** The messages since the last look, by name. */
    told: (name: DownName) => sent.splice(0).filter((one) => one.name === name),
  };
}

it('makes one push of a burst of changes, at the end of the interval', () => {
  const { it, clock, told } = pushes();
  for (let n = 0; n < 100; n++) it.request('r');
  clock.advance(PUSH_INTERVAL - 1);
  expect(told('run')).toEqual([]);
  it.request('r');
  clock.advance(1);
  expect(told('run')).toMatchObject([{ to: ['a', 'b'], message: { run: { id: 'r' }, now: 1250 } }]);
  clock.advance(10 * PUSH_INTERVAL);
  expect(told('run')).toEqual([]);
});

it.each([
  [0, PUSH_INTERVAL],
  [100, PUSH_INTERVAL + 100 * PUSH_INTERVAL_EACH],
  [1_000_000, LONGEST_PUSH_INTERVAL],
])('lets %i connections hear every %i ms', (connected, interval) => {
  const { it, clock, told } = pushes({ connected });
  it.request('r');
  clock.advance(interval - 1);
  expect(told('run')).toEqual([]);
  clock.advance(1);
  expect(told('run')).toHaveLength(1);
});

it('gives head counts to members alone, and to none once the run is over', () => {
  const { becomes, clock, watches, told } = pushes();
  watches.set('watcher', { runs: ['r'], arrivals: false });
  becomes({});
  clock.advance(PUSH_INTERVAL);
  expect(told('peers')).toMatchObject([
    { to: ['a', 'b'], message: { run: 'r', joined: 2, working: 1, done: 0 } },
  ]);
  becomes({ status: 'finished' });
  clock.advance(PUSH_INTERVAL);
  expect(told('peers')).toEqual([]);
});

it('has strangers forgotten when a run is over, not before', () => {
  const world = pushes();
  world.becomes({});
  world.clock.advance(PUSH_INTERVAL);
  expect(world.forgotten).toBe(0);
  world.becomes({ status: 'stopped' });
  world.clock.advance(PUSH_INTERVAL);
  expect(world.forgotten).toBe(1);
});

it('tells participants that wait for arrivals of a change of status or admission, and of no other', () => {
  const { becomes, clock, watches, told } = pushes();
  watches.set('waiting', { runs: [], arrivals: true });
  const hears = (changes: Partial<Run>) => {
    becomes(changes);
    clock.advance(PUSH_INTERVAL);
    return told('run').some(({ to }) => to.includes('waiting'));
  };
  expect(hears({})).toBe(true);
  expect(hears({ round: 3 })).toBe(false);
  expect(hears({ admission: 'invited' })).toBe(true);
  expect(hears({ status: 'paused' })).toBe(true);
  expect(hears({})).toBe(false);
});

it('tells participants that a run does not admit less of it', () => {
  const { becomes, banned, clock, watches, told } = pushes();
  watches.set('outsider', { runs: ['r'], arrivals: false });
  banned.add('outsider');
  becomes({ admission: 'invited' });
  clock.advance(PUSH_INTERVAL);
  expect(told('run')).toMatchObject([
    { to: ['a', 'b'], message: { run: { central: { loss: 1 } } } },
    { to: ['outsider'], message: { run: { central: null } } },
  ]);
});

it('pushes nothing once it is closed', () => {
  const { it, clock, told } = pushes();
  it.request('r');
  it.close();
  clock.advance(LONGEST_PUSH_INTERVAL);
  expect(told('run')).toEqual([]);
});
