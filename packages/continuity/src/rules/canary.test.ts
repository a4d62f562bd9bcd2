import { seededRandom, uniform } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import type { ClusterSums } from '../statistics/clustered-mean.ts';
import { type CanaryEvidence, type CanaryRule, parseCanary } from './canary.ts';
import { decide } from './decide.ts';

const rule: CanaryRule = { kind: 'canary', alpha: 0.05, participants: 200, margin: 0.05, periods: 20 };

/** Adds a period of a group: participants with outcomes for the first time, each with an error rate of its own. */
function grown(before: ClusterSums, participants: number, error: number, random: () => number): ClusterSums {
  const sums = { ...before };
  for (let i = 0; i < participants; i++) {
    const own = error * (0.5 + random());
    const n = 20;
    let s = 0;
    for (let j = 0; j < n; j++) if (random() < own) s++;
    sums.clusters++;
    sums.examples += n;
    sums.sum += s;
    sums.sumSquares += s * s;
    sums.products += s * n;
    sums.sizeSquares += n * n;
  }
  return sums;
}

const none: ClusterSums = { clusters: 0, examples: 0, sum: 0, sumSquares: 0, products: 0, sizeSquares: 0 };

/** Plays a canary, 34 participants in each group a period, to its end: three looks at most. */
function play(canaryError: number, controlError: number, seed: string, ruled: Partial<CanaryRule> = {}) {
  const source = seededRandom(seed);
  const random = () => uniform(source);
  let [canary, control] = [none, none];
  const looks: number[] = [];
  for (let periods = 1; ; periods++) {
    canary = grown(canary, 34, canaryError, random);
    control = grown(control, 34, controlError, random);
    const guards = [{ name: 'error', canary, control }];
    const decision = decide({ ...rule, ...ruled }, { guards, looks, periods, dataQuality: false });
    if (decision.look !== null) looks.push(decision.look);
    if (decision.act !== 'hold') return { ...decision, periods, looks };
    expect(periods).toBeLessThan(30);
  }
}

const guard = {
  name: 'error',
  canary: grown(none, 30, 0.2, () => 0.3),
  control: grown(none, 30, 0.2, () => 0.3),
};
const evidence: CanaryEvidence = { guards: [guard], looks: [], periods: 1, dataQuality: false };

describe('a canary', () => {
  it('that is worse is rolled back before its end', () => {
    const { act, periods, why } = play(0.4, 0.2, 'worse');
    expect([act, why[0]]).toMatchObject(['roll-back', { guard: 'error', outcome: 'worse' }]);
    expect(periods).toBeLessThan(3);
  });

  it('that is better is promoted before its end, and one that is equal at its end', () => {
    const better = play(0.2, 0.4, 'better');
    expect([better.act, better.periods < 3]).toEqual(['promote', true]);
    const equal = play(0.2, 0.2, 'equal');
    expect([equal.act, equal.looks.at(-1)]).toEqual(['promote', 1]);
    expect(equal.why).toMatchObject([{ outcome: 'no-worse' }]);
  });

  it('spends no more than its error over all looks together', () => {
    let apart = 0;
    for (let i = 0; i < 200; i++) {
      const { why } = play(0.2, 0.2, `equal ${i}`);
      if (why.some((one) => 'outcome' in one && (one.outcome === 'worse' || one.outcome === 'better')))
        apart++;
    }
    // 0.05 of 200 is 10; the interval that holds it with 99.8 % goes from 2 to 20. Looking three times at 1.96 would give 21.
    expect(apart).toBeGreaterThanOrEqual(2);
    expect(apart).toBeLessThanOrEqual(20);
  });

  it.each([2, 3, 4])('is not ended by %i participants of a group that all say the same', (participants) => {
    const all = participants;
    const alike = {
      clusters: all,
      examples: all,
      sum: all,
      sumSquares: all,
      products: all,
      sizeSquares: all,
    };
    const none = { ...alike, sum: 0, sumSquares: 0, products: 0 };
    for (const [canary, control] of [
      [alike, guard.control],
      [guard.canary, alike],
      [alike, none],
      [none, alike],
    ] as const)
      expect(decide(rule, { ...evidence, guards: [{ name: 'error', canary, control }] }).act).toBe('hold');
  });

  it('of which too little is known at its end is rolled back', () => {
    // Ten participants with 2 errors and ten with 6, of 20 each.
    const mixed = {
      clusters: 20,
      examples: 400,
      sum: 80,
      sumSquares: 400,
      products: 1600,
      sizeSquares: 8000,
    };
    const same = { name: 'error', canary: mixed, control: mixed };
    expect(decide({ ...rule, periods: 1 }, { ...evidence, guards: [same] })).toMatchObject({
      act: 'roll-back',
      why: [{ outcome: 'undecided', difference: 0 }],
      look: 1,
    });
    expect(decide({ ...rule, periods: 1, margin: 0.2 }, { ...evidence, guards: [same] }).act).toBe('promote');
    const empty = { ...guard, canary: none };
    expect(decide({ ...rule, periods: 1 }, { ...evidence, guards: [empty] }).act).toBe('roll-back');
  });

  it('holds while data are broken, and where there is nothing new to look at', () => {
    expect(decide(rule, { ...evidence, dataQuality: true })).toEqual({
      act: 'hold',
      why: [{ hindrance: 'data-quality' }],
      look: null,
    });
    const first = decide(rule, evidence);
    expect([first.act, first.look]).toEqual(['hold', 0.3]);
    expect(decide(rule, { ...evidence, looks: [0.3] })).toMatchObject({
      act: 'hold',
      why: [{ hindrance: 'nothing-new' }],
      look: null,
    });
  });

  it('with several guards is rolled back for any of them, and promoted for all', () => {
    const random = () => 0.3;
    const bad = { ...guard, name: 'confidence', canary: grown(none, 30, 0.9, random) };
    expect(decide(rule, { ...evidence, guards: [guard, bad] })).toMatchObject({ act: 'roll-back' });
    const good = { ...guard, control: grown(none, 30, 0.9, random) };
    expect(decide(rule, { ...evidence, guards: [good, good] }).act).toBe('promote');
    expect(decide(rule, { ...evidence, guards: [guard, good] }).act).toBe('hold');
  });
});

describe('a canary rule', () => {
  it('is taken as it is', () => {
    expect(parseCanary(JSON.parse(JSON.stringify(rule)))).toEqual({ rule, refusal: null });
  });

  it.each([
    [{ alpha: 0 }, 'rule-never'],
    [{ alpha: 0.7 }, 'rule-always'],
    [{ margin: 1 }, 'rule-always'],
    [{ margin: 0 }, 'rule-never'],
    [{ participants: 1 }, 'rule-invalid'],
    [{ periods: 0 }, 'rule-invalid'],
  ])('%o is refused as %s', (more, name) => {
    expect(parseCanary({ ...rule, ...more }).refusal?.name).toBe(name);
  });
});
