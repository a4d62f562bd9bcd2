import { seededRandom, uniform } from '@coppice/ports';
import fc from 'fast-check';
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

/**
 * Plays a canary, 34 participants in each group a period, to its end: three looks at most.
 *
 * @param reporting the share of the canary's participants that report.
 */
function play(canaryError: number, controlError: number, seed: string, reporting = 1) {
  const source = seededRandom(seed);
  const random = () => uniform(source);
  let [canary, control] = [none, none];
  const looks: number[] = [];
  for (let periods = 1; ; periods++) {
    canary = grown(canary, Math.round(34 * reporting), canaryError, random);
    control = grown(control, 34, controlError, random);
    const guards = [{ name: 'error', canary, control }];
    const decision = decide(rule, { guards, looks, periods, dataQuality: false, noise: 0 });
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
const evidence: CanaryEvidence = { guards: [guard], looks: [], periods: 1, dataQuality: false, noise: 0 };

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

/** Participants with one example each, two of ten with an error: equal models. */
function alike(clusters: number): ClusterSums {
  const sum = 0.2 * clusters;
  return { clusters, examples: clusters, sum, sumSquares: sum, products: sum, sizeSquares: clusters };
}

/** At its last look, of groups that differ in numbers alone. */
function ofNumbers(canary: number, control: number, silence: number, noise = 0) {
  const guards = [{ name: 'error', canary: alike(canary), control: alike(control) }];
  return decide({ ...rule, silence, margin: 0.99 }, { ...evidence, guards, periods: rule.periods, noise });
}

const isHindered = ({ why }: ReturnType<typeof ofNumbers>) =>
  why.some((one) => 'hindrance' in one && one.hindrance === 'fewer-participants');

/** The probabilities of 0 to n heads of n fair coins, by Pascal's triangle. */
function heads(n: number): number[] {
  let row = [1];
  for (let i = 0; i < n; i++)
    row = Array.from({ length: row.length + 1 }, (_, k) => ((row[k - 1] ?? 0) + (row[k] ?? 0)) / 2);
  return row;
}

describe('a canary whose devices fall silent', () => {
  it('is hindered at most at the level where groups of equal share are equal but for chance, and at the level but for one participant', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 300 }),
        fc.double({ min: 0.001, max: 0.49, noNaN: true }),
        (n, alpha) => {
          let [at, most] = [0, -1];
          for (const [k, probability] of heads(n).entries()) {
            if (!isHindered(ofNumbers(k, n - k, alpha))) break;
            [at, most] = [at + probability, k];
          }
          expect(at).toBeLessThanOrEqual(alpha * (1 + 1e-9));
          expect(at + (heads(n)[most + 1] as number)).toBeGreaterThanOrEqual(alpha * (1 - 1e-9));
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each([
    [12, 1],
    [40, 3],
    [30, 8],
  ])('is hindered at most at the level with noise: %i participants, deviation %d', (n, deviation) => {
    const reach = Math.ceil(5 * deviation);
    const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
      Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
    );
    const total = weights.reduce((sum, one) => sum + one);
    const noise = (value: number) => (weights[value + reach] ?? 0) / total;
    let hindered = 0;
    for (let canary = -reach; canary <= n + reach; canary++)
      for (let control = -reach; control <= n + reach; control++) {
        const seen = heads(n).reduce(
          (sum, one, k) => sum + one * noise(canary - k) * noise(control - n + k),
          0,
        );
        // Numbers below none are told as none.
        if (seen > 1e-9 && canary < control)
          if (isHindered(ofNumbers(Math.max(0, canary), Math.max(0, control), 0.05, deviation ** 2)))
            hindered += seen;
      }
    expect(hindered).toBeLessThanOrEqual(0.05);
    expect(hindered).toBeGreaterThan(0.01);
  });

  it('is held before its end, rolled back at its end, and not promoted for being better', () => {
    const p = heads(6 * 34)
      .slice(0, 4 * 17 + 1)
      .reduce((sum, one) => sum + one);
    for (const error of [0.2, 0.1]) {
      const half = play(error, 0.2, `half ${error}`, 0.5);
      expect([half.act, half.looks.at(-1), half.looks.length]).toEqual(['roll-back', 1, 4]);
      expect(half.why).toContainEqual({
        hindrance: 'fewer-participants',
        canary: 4 * 17,
        control: 4 * 34,
        p: expect.closeTo(p, 12),
        bound: 0.005,
      });
    }
    expect(play(0.1, 0.2, 'all').act).toBe('promote');
  });

  it('is not promoted at 200 participants where half of its devices are silent', () => {
    const source = seededRandom('silent');
    for (let i = 0; i < 100; i++) {
      let [canary, control] = [0, 0];
      while (canary + control < 200) {
        const draw = uniform(source);
        if (draw < 0.5) control++;
        else if (draw < 0.75) canary++;
      }
      const { act, why } = ofNumbers(canary, control, 0.05);
      expect([act, why[0]]).toMatchObject(['roll-back', { outcome: 'no-worse' }]);
    }
    expect(ofNumbers(100, 100, 0.05).act).toBe('promote');
    expect(ofNumbers(133, 67, 0.05).act).toBe('promote');
  });

  it('is rolled back at its end where none of them reports, and says so', () => {
    const { act, why } = ofNumbers(0, 30, 0.05);
    expect([act, why]).toMatchObject(['roll-back', [{ outcome: 'undecided' }, { canary: 0, control: 30 }]]);
    expect(ofNumbers(0, 0, 0.05)).toMatchObject({ act: 'roll-back', why: [{ outcome: 'undecided' }] });
  });

  it('shares its level among guard metrics', () => {
    // 8 of 23 or fewer: 0.105, 7 or fewer: 0.047.
    const guard = { name: 'error', canary: alike(7), control: alike(16) };
    const even = { name: 'confidence', canary: alike(11), control: alike(12) };
    const last = { ...evidence, periods: rule.periods };
    const own = { ...rule, silence: 0.05 };
    expect(isHindered(decide(own, { ...last, guards: [guard] }))).toBe(true);
    expect(isHindered(decide(own, { ...last, guards: [guard, even] }))).toBe(false);
    expect(isHindered(decide({ ...own, silence: 0.1 }, { ...last, guards: [even, guard] }))).toBe(true);
  });
});

describe('a canary rule', () => {
  it('is taken as it is', () => {
    expect(parseCanary(JSON.parse(JSON.stringify(rule)))).toEqual({ rule, refusal: null });
  });

  it.each([
    [{ alpha: 0 }, 'rule-never'],
    [{ silence: 0 }, 'rule-never'],
    [{ silence: 0.5 }, 'rule-always'],
    [{ alpha: 0.7 }, 'rule-always'],
    [{ margin: 1 }, 'rule-always'],
    [{ margin: 0 }, 'rule-never'],
    [{ participants: 1 }, 'rule-invalid'],
    [{ periods: 0 }, 'rule-invalid'],
  ])('%o is refused as %s', (more, name) => {
    expect(parseCanary({ ...rule, ...more }).refusal?.name).toBe(name);
  });
});
