import { ManualClock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { Schedules } from './schedules.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Schedules that are due at given times, one after another. */
function world(due: Record<string, number[]>) {
  const clock = new ManualClock(1000);
  const fired: [string, number][] = [];
  const read: string[] = [];
  const failures: string[] = [];
  /** Refusals of the next calls. */
  const refusals: CoppiceError[] = [];
  const schedules = new Schedules({
    tasks: { all: () => Object.keys(due).map((id) => ({ id })) } as never,
    clock,
    nextDue: async (task) => {
      read.push(task);
      return due[task]?.[0] ?? null;
    },
    due: async (task) => {
      fired.push([task, clock.now()]);
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      due[task]?.shift();
    },
    failed: ({ code }) => void failures.push(code),
  });
  const until = async (time: number) => {
    while (clock.now() < time) {
      clock.advance(500);
      await settled();
    }
  };
  return { due, fired, read, failures, refusals, schedules, until };
}

it('calls for each task at its due times, those that are past at once', async () => {
  const { schedules, fired, until } = world({ a: [3000, 5000], b: [500, 4000], c: [] });
  await schedules.recover();
  await until(9000);
  expect(fired).toEqual([
    ['b', 1500],
    ['a', 3000],
    ['b', 4000],
    ['a', 5000],
  ]);
});

it('reads no schedule but the one that changed: saving many policies costs each its own', async () => {
  const many = Array.from({ length: 1000 }, (_, n): [string, number[]] => [`task-${n}`, [1e6 + n]]);
  const { schedules, read, due, fired, until } = world(Object.fromEntries(many));
  await schedules.recover();
  expect(read).toHaveLength(1000);
  due['task-7'] = [2000];
  schedules.changed('task-7');
  await settled();
  expect(read.slice(1000)).toEqual(['task-7']);
  due['task-7'] = [];
  schedules.changed('task-7');
  await until(10_000);
  expect(fired).toEqual([]);
});

it('leaves out a due time that a look for another reason passed, and calls again where storage failed', async () => {
  const { schedules, due, fired, failures, refusals, until } = world({ a: [2000, 3000], b: [2500] });
  await schedules.recover();
  due['a'] = [3000];
  await until(2000);
  refusals.push(new CoppiceError('storage-failed', 'No disk.'));
  await until(40_000);
  expect(fired).toEqual([
    ['b', 2500],
    ['a', 3000],
    ['b', 32_500],
  ]);
  expect(failures).toEqual(['storage-failed']);
});

it('calls for nothing once it is stopped', async () => {
  const { schedules, fired, until } = world({ a: [3000] });
  await schedules.recover();
  schedules.stop();
  await until(9000);
  expect(fired).toEqual([]);
});
