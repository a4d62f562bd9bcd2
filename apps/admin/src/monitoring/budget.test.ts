import { expect, it } from 'vitest';
import { budgetLines, coolDownUntil } from './budget.ts';
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
