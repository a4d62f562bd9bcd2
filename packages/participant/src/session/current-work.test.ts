import { expect, it } from 'vitest';
import { asking } from '../session-world.ts';
import { CurrentWork } from './current-work.ts';

it('is one question at most: a new one stops the one before', () => {
  const work = new CurrentWork();
  const first = work.begin(asking(1));
  const second = work.begin(asking(2));
  expect([first.aborted, second.aborted, work.ask?.round]).toEqual([true, false, 2]);
  // The end of work that was replaced says nothing of the one after.
  work.end(first);
  expect(work.ask?.round).toBe(2);
  work.end(second);
  expect([second.aborted, work.ask]).toEqual([false, null]);
});

it('stops what is under way', () => {
  const work = new CurrentWork();
  const signal = work.begin(asking(1));
  work.stop();
  expect([signal.aborted, work.ask]).toEqual([true, null]);
});
