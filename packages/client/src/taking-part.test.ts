import type { Session, SessionState } from '@coppice/participant';
import { initialState } from '@coppice/participant/session-state';
import { ManualClock } from '@coppice/ports';
import { CoppiceError, type RunSummary } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { Readings } from './readings.ts';
import { type PartState, TakingPart } from './taking-part.ts';

/* A device that takes part in runs by itself, over a session of which the state is set by hand. */

const fine: Readings = { idle: true, charging: true, unmetered: true };
const how = { terms: 'agreed' };

function start(terms: Record<string, string | null> = { 'iris-1': 'agreed' }) {
  const clock = new ManualClock();
  let state: SessionState = { ...initialState, connection: 'online' };
  const calls: string[] = [];
  const listeners = new Set<(state: SessionState) => void>();
  const set = (change: Partial<SessionState>) => {
    state = { ...state, ...change };
    for (const listener of [...listeners]) listener(state);
  };
  const refusals = new Map<string, CoppiceError>();
  const session: Pick<Session, 'state' | 'subscribe' | 'watch' | 'join' | 'leave' | 'pause' | 'resume'> = {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    watch: async () => void calls.push('watch'),
    async join(run) {
      calls.push(`join ${run}`);
      const refusal = refusals.get(run);
      if (refusal !== undefined) throw refusal;
      set({ joined: { run } as SessionState['joined'], activity: { kind: 'waiting' } });
    },
    async leave() {
      calls.push('leave');
      set({ joined: null, activity: { kind: 'idle' }, paused: false });
    },
    async pause() {
      calls.push('pause');
      set({ paused: true });
    },
    async resume() {
      calls.push('resume');
      set({ paused: false });
    },
  };
  let now = fine;
  const changed = new Set<() => void>();
  const told: [string, PartState | null][] = [];
  const asked: string[] = [];
  const taking = new TakingPart({
    session,
    clock,
    async terms(_task, run) {
      asked.push(run);
      const version = terms[run];
      if (version == null) throw new CoppiceError('connection-lost', 'Away.');
      return version;
    },
    readings: {
      get now() {
        return now;
      },
      subscribe(heard) {
        changed.add(heard);
        return () => changed.delete(heard);
      },
      active: () => {},
      close: () => {},
    },
    told: (task, part) => told.push([task, part]),
  });
  return {
    taking,
    calls,
    asked,
    told,
    clock,
    terms,
    refusals,
    set,
    listeners,
    runs: (...runs: [string, RunSummary['status']][]) =>
      set({
        runs: runs.map(([id, status]) => ({ id, task: id.split('-')[0], status })) as unknown as RunSummary[],
      }),
    read(next: Partial<Readings>) {
      now = { ...fine, ...next };
      for (const heard of changed) heard();
    },
    last: () => told.at(-1)?.[1] ?? null,
  };
}

/** Lets everything go on that waits for no timer. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

it('joins a run of the terms as soon as one runs, and the next one when it is over', async () => {
  const { taking, calls, runs, last, terms } = start();
  taking.takePart('iris', how);
  await settled();
  expect(last()).toMatchObject({ state: 'waiting', run: null });
  runs(['iris-1', 'running'], ['digits-1', 'running']);
  await settled();
  expect(last()).toMatchObject({ state: 'joined', run: 'iris-1' });
  terms['iris-2'] = 'agreed';
  runs(['iris-2', 'running'], ['iris-1', 'finished']);
  await settled();
  expect(calls).toEqual(['watch', 'join iris-1', 'leave', 'join iris-2']);
  runs(['iris-2', 'paused']);
  await settled();
  expect(calls).toHaveLength(4);
});

it('joins no run of other terms, and says that there is one', async () => {
  const { taking, calls, runs, last } = start({ 'iris-1': 'others' });
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  expect([calls, last()?.state]).toEqual([['watch'], 'other-terms']);
  taking.takePart('iris', { terms: 'others' });
  await settled();
  expect(last()).toMatchObject({ state: 'joined', run: 'iris-1' });
  // The consent to these is taken back.
  taking.takePart('iris', how);
  await settled();
  expect([calls.at(-1), last()?.state]).toEqual(['leave', 'other-terms']);
});

it('joins nothing while a condition is not met, and stops training where one no longer is', async () => {
  const { taking, calls, runs, read, set, last } = start();
  read({ charging: false, unmetered: null });
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  expect(calls).toEqual(['watch']);
  expect(last()).toMatchObject({
    state: 'held',
    run: null,
    held: ['charging', 'unmetered'],
    unknown: ['unmetered'],
  });
  read({});
  await settled();
  set({ activity: { kind: 'preparing', round: 1 } });
  await settled();
  expect(last()).toMatchObject({ state: 'training', held: [] });
  read({ idle: false });
  await settled();
  expect(last()).toMatchObject({ state: 'held', run: 'iris-1', held: ['idle'] });
  read({});
  await settled();
  expect(calls).toEqual(['watch', 'join iris-1', 'pause', 'resume']);
});

it('takes part in use, on battery and on a metered line where the page asks for that', async () => {
  const { taking, calls, runs, read } = start();
  read({ idle: false, charging: null, unmetered: false });
  taking.takePart('iris', { ...how, idle: false, charging: false, unmetered: false });
  runs(['iris-1', 'running']);
  await settled();
  expect(calls).toEqual(['watch', 'join iris-1']);
});

it('says where there are no examples', async () => {
  const { taking, runs, set, last } = start();
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  set({ activity: { kind: 'needs-data' } });
  await settled();
  expect(last()?.state).toBe('needs-data');
});

it('leaves a run that refuses it alone until it is asked anew', async () => {
  const { taking, calls, runs, refusals, last } = start();
  refusals.set('iris-1', new CoppiceError('run-not-admitted', 'Not you.'));
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  runs(['iris-1', 'running'], ['iris-0', 'finished']);
  await settled();
  expect(calls).toEqual(['watch', 'join iris-1']);
  expect(last()).toMatchObject({ state: 'waiting', run: null, error: { code: 'run-not-admitted' } });
  refusals.clear();
  taking.takePart('iris', how);
  await settled();
  expect(last()).toMatchObject({ state: 'joined', error: null });
});

it('stays out of a run that put it out', async () => {
  const { taking, calls, runs, set, last } = start();
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  const error = { code: 'participant-banned', message: 'Out.' } as const;
  set({ joined: null, activity: { kind: 'idle' }, error });
  await settled();
  expect(calls.filter((call) => call.startsWith('join'))).toHaveLength(1);
  expect(last()).toMatchObject({ state: 'waiting', error });
});

it('waits for the connection with a run that it joins', async () => {
  const { taking, calls, runs, refusals, last } = start();
  refusals.set('iris-1', new CoppiceError('connection-lost', 'Away.'));
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  expect([calls, last()]).toEqual([
    ['watch', 'join iris-1'],
    expect.objectContaining({ run: 'iris-1', error: null }),
  ]);
});

it('asks again a minute after terms could not be read', async () => {
  const { taking, calls, runs, asked, terms, clock } = start({ 'iris-1': null });
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  runs(['iris-1', 'running']);
  await settled();
  expect(asked).toEqual(['iris-1']);
  terms['iris-1'] = 'agreed';
  clock.advance(60_000);
  await settled();
  expect([asked, calls]).toEqual([
    ['iris-1', 'iris-1'],
    ['watch', 'join iris-1'],
  ]);
});

it('leaves the run, and does nothing more, when the person stops', async () => {
  const { taking, calls, runs, last, told, listeners } = start();
  taking.takePart('iris', how);
  runs(['iris-1', 'running']);
  await settled();
  await taking.leave('iris');
  expect([calls.at(-1), last(), listeners.size]).toEqual(['leave', null, 0]);
  runs(['iris-1', 'running']);
  await settled();
  expect([calls.at(-1), told.at(-1)]).toEqual(['leave', ['iris', null]]);
  taking.takePart('iris', how);
  await settled();
  expect(calls.at(-1)).toBe('join iris-1');
});
