import { expect, it } from 'vitest';
import { budgetLines, coolDownUntil, currentPeriod } from './budget.ts';
import { firingFixture } from './fixtures.ts';

const rule = {
  coolDown: 3,
  budget: { periods: 10, rounds: 100, bytes: null, deviceSeconds: 600, epsilon: null },
};
const spent = (rounds: number) => ({ rounds, bytes: 5, deviceSeconds: null, epsilon: null });

it('waits after a launch, twice as long for each one in a row without a release, up to sixteen times', () => {
  expect(coolDownUntil(rule, [], 5)).toBeNull();
  const released = firingFixture({ period: 10, outcome: 'released' });
  expect(coolDownUntil(rule, [released], 12)).toBe(13);
  expect(coolDownUntil(rule, [released], 13)).toBeNull();
  const refused = firingFixture({ period: 20, outcome: 'refused' });
  expect(coolDownUntil(rule, [refused, released], 21)).toBe(26);
  expect(coolDownUntil(rule, [refused, refused, released], 21)).toBe(32);
  const overtaken = firingFixture({ period: 20, outcome: 'overtaken' });
  expect(coolDownUntil(rule, [overtaken, released], 21)).toBe(23);
  expect(coolDownUntil(rule, [firingFixture({ period: null, outcome: 'released' })], null)).toBe(2);
  expect(coolDownUntil(rule, new Array(9).fill(refused), 21)).toBe(20 + 3 * 16);
});

it('lets a cool-down end by the clock where no periods do', () => {
  const refused = firingFixture({ period: 20, at: 5000, outcome: 'refused' });
  const until = (now: number) =>
    coolDownUntil(rule, [refused], currentPeriod([refused], 20, { now, length: 1000 }));
  expect(until(5000 + 5999)).toBe(26);
  expect(until(5000 + 6000)).toBeNull();
  // A clock that is behind moves nothing back.
  expect(currentPeriod([refused], 22, { now: 0, length: 1000 })).toBe(22);
  expect(currentPeriod([], null, { now: 9000, length: 1000 })).toBeNull();
});

it('adds up the cost of launches in the periods of the budget, for each limit that there is', () => {
  const firings = [
    firingFixture({ period: 19, spent: spent(30) }),
    firingFixture({ period: 11, spent: spent(20) }),
    firingFixture({ period: 10, spent: spent(40) }),
  ];
  expect(budgetLines(rule, firings, 20)).toEqual([
    { name: 'rounds', spent: 50, limit: 100 },
    { name: 'deviceSeconds', spent: 0, limit: 600 },
  ]);
});
