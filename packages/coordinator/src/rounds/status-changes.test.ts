import { CoppiceError, type Reason } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { runParts } from './run-parts.testing.ts';
import { StatusChanges } from './status-changes.ts';

/** A run with one member, and the calls to its rounds. */
function run() {
  const parts = runParts();
  parts.join('a');
  const rounds: string[] = [];
  const status = new StatusChanges(
    parts.state,
    parts.log,
    {
      halt: async () => void rounds.push('halt'),
      resumed: () => void rounds.push('resumed'),
      consider: () => void rounds.push(`consider ${parts.state.record.status}`),
    },
    parts.options,
  );
  const { storage } = parts.options;
  const stored: string[] = [];
  storage.putRun = async (record) => void stored.push(record.status);
  return { ...parts, status, told: rounds, stored, storage };
}

const reason: Reason = { code: 'training-diverged', message: 'It diverged.' };

it('stores each status, logs it, and lets rounds follow', async () => {
  const { status, stored, told, kinds } = run();
  for (const act of ['start', 'pause', 'resume'] as const) await status.change(act);
  expect(stored).toEqual(['running', 'paused', 'running']);
  expect(kinds()).toEqual(['run-running', 'run-paused', 'run-running']);
  expect(told).toEqual(['consider running', 'consider paused', 'resumed', 'consider running']);
});

it('halts the rounds and tells everyone that nothing more is asked when it stops', async () => {
  const { status, state, told, messages, clock } = run();
  await status.change('start');
  clock.advance(5);
  await status.change('stop');
  expect(state.record).toMatchObject({ status: 'stopped', endedAt: 1_000_005 });
  expect(told.slice(-2)).toEqual(['halt', 'consider stopped']);
  expect(messages('run-end')).toMatchObject([{ to: ['a'], message: { status: 'stopped', reason: null } }]);
});

it('tells nobody of a status before it is durable', async () => {
  const { status, storage, state, kinds } = run();
  const { promise, resolve } = Promise.withResolvers<void>();
  storage.putRun = () => promise;
  const changing = status.change('start');
  await Promise.resolve();
  await Promise.resolve();
  expect(state.record.status).toBe('created');
  expect(kinds()).toEqual([]);
  resolve();
  await changing;
  expect(state.record.status).toBe('running');
});

it('leaves the status as it was where it cannot be stored or is not possible, and lets rounds go on', async () => {
  const { status, storage, state, kinds, told } = run();
  await expect(status.change('resume')).rejects.toMatchObject({ code: 'run-state' });
  storage.putRun = () => Promise.reject(new CoppiceError('storage-full', 'A full disk.'));
  await expect(status.change('start')).rejects.toMatchObject({ code: 'storage-full' });
  expect(state.record.status).toBe('created');
  expect(kinds()).toEqual([]);
  expect(told).toEqual(['consider created', 'consider created']);
});

it('pauses for a reason of the coordinator, which the record keeps until the run goes on', async () => {
  const { status, state, events } = run();
  await status.change('start');
  await status.giveUp(reason);
  expect(state.record).toMatchObject({ status: 'paused', reason });
  expect(events.at(-1)).toMatchObject({ level: 'error', kind: 'run-paused', data: { code: reason.code } });
  await status.change('resume');
  expect(state.record).toMatchObject({ status: 'running', reason: null });
});

it('stops for a reason of the coordinator, which the record keeps', async () => {
  const { status, state, events } = run();
  await status.change('start');
  const givenUp = { code: 'run-given-up' as const, message: 'No round came.', retry: 'never' as const };
  await status.change('stop', givenUp);
  expect(state.record).toMatchObject({ status: 'stopped', reason: givenUp });
  expect(events.at(-1)).toMatchObject({
    level: 'error',
    kind: 'run-stopped',
    data: { code: 'run-given-up' },
  });
});

it('gives up nothing of a run that was stopped meanwhile, and says where a pause cannot be stored', async () => {
  const { status, state, storage } = run();
  await status.change('start');
  const { putRun } = storage;
  storage.putRun = () => Promise.reject(new CoppiceError('storage-full', 'A full disk.'));
  await expect(status.giveUp(reason)).rejects.toMatchObject({ code: 'storage-full' });
  storage.putRun = putRun;
  const stopping = status.change('stop');
  await status.giveUp(reason);
  await stopping;
  expect(state.record).toMatchObject({ status: 'stopped', reason: null });
});
