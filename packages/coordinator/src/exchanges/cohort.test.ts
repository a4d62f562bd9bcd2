import { integerBelow, seededRandom } from '@coppice/ports';
import type { Outcome } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { reasonOf } from '../failure.ts';
import { Cohort, type CohortMember, tellsDivergence } from './cohort.ts';

const none = { outcome: 'asked', bytes: () => ({ up: 0, down: 0 }) } as const;

/** A cohort by one letter a member: a(ccepted), t(aking), w(aiting), g(one away), d(iverged), o(ut). */
function cohortOf(
  members: string,
  target: number,
  quorum: number,
  parts: { beyond?: readonly string[]; owed?: readonly string[] } = {},
): Cohort {
  const cohort = new Cohort(
    [...members].map((_, at) => `${at}`),
    { target, quorum, ...parts },
    none,
  );
  [...members].forEach((letter, at) => {
    const member = cohort.get(`${at}`) as CohortMember;
    member.outcome =
      ({ a: 'accepted', g: 'away', d: 'declined', o: 'left' } as Record<string, Outcome>)[letter] ?? 'asked';
    if (letter === 't') member.taking = Promise.resolve(member);
    member.diverged = letter === 'd';
  });
  return cohort;
}

describe('a cohort', () => {
  it.each([
    ['wwww', 4, 2, 'wait', 'lost'],
    ['aaww', 4, 2, 'wait', 'enough'],
    ['aaaw', 3, 2, 'enough', 'enough'],
    // Nobody is left, with and without the quorum.
    ['aaoo', 4, 2, 'enough', 'enough'],
    ['aooo', 4, 2, 'lost', 'lost'],
    // Even all who are expected would be too few.
    ['awoo', 4, 3, 'lost', 'lost'],
    // Away members may come back, but not after the deadline.
    ['aggo', 4, 3, 'wait', 'lost'],
    // An answer that is here whole came in time, and decides.
    ['atww', 4, 2, 'wait', 'wait'],
    ['atww', 4, 3, 'wait', 'lost'],
    ['aatw', 4, 2, 'wait', 'wait'],
    // The quorum is lost either way, but those at work decide whether it diverged.
    ['dddw', 3, 3, 'wait', 'lost'],
    ['ddww', 3, 3, 'wait', 'lost'],
    ['dooo', 3, 3, 'lost', 'lost'],
    ['ddwo', 4, 4, 'wait', 'lost'],
    ['dwoo', 4, 4, 'lost', 'lost'],
  ] as const)(
    '%s with target %i and quorum %i: %s, and %s after the deadline',
    (members, target, quorum, before, after) => {
      expect(cohortOf(members, target, quorum).verdict(false)).toBe(before);
      expect(cohortOf(members, target, quorum).verdict(true)).toBe(after);
    },
  );

  it('does not wait for the answer of a member that is out, though it is being looked at', () => {
    const cohort = cohortOf('ato', 3, 1);
    (cohort.get('1') as CohortMember).outcome = 'left';
    expect(cohort.verdict(true)).toBe('enough');
  });

  it('says why it is lost', () => {
    const code = (members: string, quorum: number) =>
      cohortOf(members, quorum, quorum).lostBecause(true).code;
    expect(code('dddo', 3)).toBe('training-diverged');
    // Half of it is not most of it; and two of four leave two, which meets a quorum of two.
    expect(code('ddoo', 3)).toBe('quorum-lost');
    expect(code('dddoo', 2)).toBe('quorum-lost');
    const late = cohortOf('aooo', 3, 3).lostBecause(true);
    expect(late.message).toContain('1 of 3');
    expect(reasonOf(late).facts).toEqual({ accepted: 1, quorum: 3, deadline: true });
    const diverged = cohortOf('dddo', 3, 3).lostBecause(false);
    expect(reasonOf(diverged).facts).toEqual({ on: 'devices', diverged: 3, asked: 4 });
  });

  it('is settled: those who owe an answer are late, the others are as they were', () => {
    const cohort = cohortOf('awtgdo', 6, 1);
    cohort.settle();
    expect([...cohort.entries()].map(([, { outcome }]) => outcome)).toEqual([
      'accepted',
      'late',
      'late',
      'late',
      'declined',
      'left',
    ]);
    expect(cohort.owing('1')).toBeNull();
  });

  const withParts = (members: string, part: { beyond?: string[]; owed?: string[] }, target = 2, quorum = 2) =>
    cohortOf(members, target, quorum, part);

  it('waits for members that are owed a seat, when the target is met, and not beyond the deadline', () => {
    for (const waits of ['aaw', 'aag', 'aat']) {
      expect(withParts(waits, {}).verdict(false)).toBe('enough');
      expect(withParts(waits, { owed: ['2'] }).verdict(false)).toBe('wait');
    }
    expect(withParts('aaww', { owed: ['2'] }).verdict(true)).toBe('enough');
    expect(withParts('aatw', { owed: ['2'] }).verdict(true)).toBe('wait');
    for (const came of ['aaaw', 'aadw', 'aaow'])
      expect(withParts(came, { owed: ['2'] }).verdict(false)).toBe('enough');
  });

  it('neither closes by members beyond its target nor waits for them, but for its quorum', () => {
    // The first two are beyond: their answers take no seat.
    expect(withParts('aaww', { beyond: ['0', '1'] }).verdict(false)).toBe('wait');
    expect(withParts('aaaw', { beyond: ['0', '1'] }).verdict(false)).toBe('wait');
    expect(withParts('wwaa', { beyond: ['0', '1'] }).verdict(false)).toBe('enough');
    // Of the others one is gone, and the quorum is met.
    expect(withParts('waaod', { beyond: ['0'] }, 4, 2).verdict(false)).toBe('enough');
    expect(withParts('waood', { beyond: ['0'] }, 4, 2).verdict(false)).toBe('wait');
    expect(withParts('aaood', { beyond: ['0'] }, 4, 2).verdict(false)).toBe('enough');
    expect(withParts('waood', { beyond: ['0'] }, 4, 2).verdict(true)).toBe('lost');
  });

  it.each([
    ['none', []],
    ['out', ['4', '5']],
    ['all', ['1', '2', '3', '4', '5']],
  ] as const)('is missed by %s of those without an answer', (misses, missed) => {
    const cohort = cohortOf('awtgdo', 6, 1);
    cohort.settle(misses);
    cohort.settle();
    expect([...cohort.entries()].filter(([, member]) => member.missed).map(([id]) => id)).toEqual(missed);
  });

  it('never gives a verdict that what comes can take back', () => {
    const random = seededRandom('verdicts');
    const one = (letters: string) => letters[integerBelow(random, letters.length)] as string;
    for (let n = 0; n < 2000; n++) {
      const size = 1 + integerBelow(random, 6);
      const target = 1 + integerBelow(random, size);
      const quorum = 1 + integerBelow(random, target);
      const members = Array.from({ length: size }, () => one('awwtgdo'));
      const some = () => members.map((_, at) => `${at}`).filter(() => integerBelow(random, 4) === 0);
      const parts = { beyond: some(), owed: some() };
      const verdict = cohortOf(members.join(''), target, quorum, parts).verdict(false);
      // Every end that those still at work can make of it.
      const ends = members.map((letter) => (/[wtg]/.test(letter) ? one('ado') : letter));
      const end = cohortOf(ends.join(''), target, quorum, parts).verdict(false);
      expect(end).not.toBe('wait');
      if (verdict === 'lost') expect(end).toBe('lost');
      if (verdict === 'enough') expect(end).toBe('enough');
    }
  });
});

it('knows the codes that a diverging device sends or is sent', () => {
  for (const code of ['training-diverged', 'update-not-finite', 'update-out-of-range', 'update-norm'])
    expect(tellsDivergence(code)).toBe(true);
  for (const code of ['paused', 'dropout', 'backend-lost', 'update-measure'])
    expect(tellsDivergence(code)).toBe(false);
});
