import { defaultPlan } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { openingOf } from './opening.ts';

const plan = { ...defaultPlan, cohortSize: 5, overSelection: 1, maxExamples: 50, deadlineSeconds: 60 };
const available = new Map(Array.from({ length: 40 }, (_, n) => [`participant ${n}`, n]));
const opened = (change: Partial<Parameters<typeof openingOf>[0]> = {}) =>
  openingOf({
    run: 'toy-1',
    round: 3,
    attempt: 2,
    plan,
    secret: 'a secret',
    parent: 'f'.repeat(64),
    available,
    joined: 44,
    standing: () => 'seat',
    normBounds: () => null,
    now: 1000,
    ...change,
  });

it('draws the same cohort from the same secret, round, attempt and participants, in whatever order they are', () => {
  expect(opened().cohort).toHaveLength(5);
  expect(opened({ available: new Map([...available].reverse()) }).cohort).toEqual(opened().cohort);
  for (const other of [{ secret: 'another secret' }, { round: 4 }, { attempt: 3 }])
    expect(opened(other).cohort).not.toEqual(opened().cohort);
  // All that a participant is told of a run decides nothing.
  for (const told of [
    { parent: 'e'.repeat(64) },
    { run: 'toy-2' },
    { now: 5 },
    { plan: { ...plan, seed: 9 } },
  ])
    expect(opened(told).cohort).toEqual(opened().cohort);
});

it('caps what a member counts at what it said to have, and at the plan’s most', () => {
  const some = new Map([
    ['none', 0],
    ['some', 7],
    ['too many', 51],
  ]);
  const { cohort, weightCaps } = opened({ available: some, plan: { ...plan, weightFactor: null } });
  expect(Object.fromEntries(cohort.map((id, at) => [id, weightCaps[at]]))).toEqual({
    none: 1,
    some: 7,
    'too many': 50,
  });
});

it('asks the unreliable beyond the target, which the others make up', () => {
  const plan4 = { ...plan, cohortSize: null, cohortFraction: 1, minParticipants: 30 };
  const standing = (id: string) =>
    /^participant [0-7]$/.test(id) ? 'beyond' : id === 'participant 9' ? 'owed' : 'seat';
  const { sizes, cohort, beyond, owed } = opened({ plan: plan4, standing });
  expect(sizes).toEqual({ target: 32, asked: 32 + beyond.length, quorum: 16 });
  expect(cohort).toHaveLength(sizes.asked);
  expect(beyond.length).toBeGreaterThan(0);
  expect(beyond.every((id) => standing(id) === 'beyond')).toBe(true);
  expect(owed).toEqual(['participant 9']);
  // Too few are reliable for a round of their own.
  const few = opened({ plan: { ...plan4, minParticipants: 33 }, standing });
  expect(few).toMatchObject({ sizes: { target: 40, asked: 40 }, beyond: [] });
});

it('caps it at some medians of what all have, which a few that announce too much cannot move', () => {
  const announced = (most: number) =>
    new Map([...Array.from({ length: 9 }, (_, n) => [`honest ${n}`, 10 + n] as const), ['loud', most]]);
  const caps = (most: number, weightFactor: number | null) => {
    const change = { ...plan, weightFactor, maxExamples: 1000, cohortSize: 10 };
    const { cohort, weightCaps } = opened({ available: announced(most), plan: change });
    return Object.fromEntries(cohort.map((id, at) => [id, weightCaps[at]]));
  };
  // The median of 10 … 18 and more is 14.5.
  expect(caps(1e9, 3)).toMatchObject({ loud: 44, 'honest 0': 10, 'honest 8': 18 });
  expect(caps(30, 3)).toMatchObject({ loud: 30 });
  expect(caps(1e9, 1)).toMatchObject({ loud: 15, 'honest 8': 15 });
  expect(caps(1e9, null)).toMatchObject({ loud: 1000 });
});

it('holds what another process needs to go on with the round', () => {
  expect(opened()).toMatchObject({
    run: 'toy-1',
    round: 3,
    attempt: 2,
    parent: 'f'.repeat(64),
    sizes: { target: 5, asked: 5, quorum: expect.any(Number) },
    startedAt: 1000,
    deadlineAt: 61_000,
    joined: 44,
    normBounds: null,
    beyond: [],
    owed: [],
  });
  expect(JSON.parse(JSON.stringify(opened()))).toEqual(opened());
  expect(JSON.stringify(opened())).not.toContain('a secret');
});

it('tells nobody what another announced: with up to five, the largest weight is rounded up to a power of two', () => {
  const announced = (others: number) =>
    new Map([['asking', 900], ...Array.from({ length: others }, (_, n) => [`other ${n}`, 100] as const)]);
  const capOf = (others: number, own: Partial<typeof plan> = {}) => {
    const change = { ...plan, maxExamples: 1000, cohortSize: 10, ...own };
    const { cohort, weightCaps } = opened({ available: announced(others), plan: change });
    return weightCaps[cohort.indexOf('asking')];
  };
  // Three times the median of 100 is 300, and of 100 and 900 is 1500.
  expect([1, 2, 4, 5, 8].map((others) => capOf(others))).toEqual([900, 512, 512, 300, 300]);
  expect(capOf(4, { maxExamples: 400 })).toBe(400);
});

it('gives the bounds all that was announced', () => {
  const seen: (readonly number[])[] = [];
  const { normBounds } = opened({
    available: new Map([
      ['a', 7],
      ['b', 9],
    ]),
    normBounds: (announced) => {
      seen.push(announced);
      return { model: 2 };
    },
  });
  expect(seen).toEqual([[7, 9]]);
  expect(normBounds).toEqual({ model: 2 });
});
