import { modelGroup } from '@coppice/federation';
import { type Layout, sectionsOf } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NormHistory, type NormPlan, nextNormBounds, recentNorms } from './norm-bounds.ts';

const layout: Layout = [
  { name: 'kernel', shape: [3], trainable: true },
  { name: 'moving_mean', shape: [2], trainable: false },
];
const sections = sectionsOf([
  ...modelGroup(layout, { bound: 1000 }),
  ...modelGroup(layout.slice(0, 1), { group: 'control', bound: 1000 }),
]);
const plan = { normFactor: 3, firstNorm: 30 };
const norm = fc.double({ min: 0, max: 1e6, noNaN: true });
const ten = Array.from({ length: 10 }, () => 100);
const boundsOf = (of: NormPlan, last: NormHistory | null, announced: readonly number[] = ten) =>
  nextNormBounds(of, sections, last)(announced);

describe('nextNormBounds', () => {
  it('begins with the plan’s bound on steps, and none on averages', () => {
    expect(boundsOf(plan, null)).toEqual({ model: 30, control: 30 });
    expect(boundsOf({ ...plan, firstNorm: null }, null)).toEqual({});
  });

  it('follows the median of the last medians, by group and by role', () => {
    const last: NormHistory = {
      normBounds: { model: 30, control: 30 },
      norms: { model: [5, 1, 2], 'model/averages': [100], control: [0.5, 0.25] },
    };
    expect(boundsOf(plan, last)).toEqual({ model: 6, 'model/averages': 300, control: 1.125 });
    expect(boundsOf({ ...plan, normFactor: null }, last)).toBeNull();
  });

  it('grows at most twofold a round, and grows again after rounds of zeros', () => {
    const after = (bound: number, norms: number[]) =>
      boundsOf(plan, { normBounds: { model: bound }, norms: { model: norms } })?.['model'];
    expect(after(4, [1000])).toBe(8);
    expect(after(4, [0, 0, 0])).toBe(0.03);
    expect(after(0.03, [0, 7, 7])).toBe(0.06);
    expect(after(4, [])).toBe(4);
  });

  it('stays where the others are, whatever less than half of a cohort sends', () => {
    fc.assert(
      fc.property(fc.array(norm, { minLength: 6, maxLength: 9 }), fc.array(norm), (honest, bad) => {
        const few = bad.slice(0, Math.floor((honest.length - 1) / 2));
        const norms = recentNorms(
          undefined,
          [...honest, ...few].map((model) => ({ model })),
          null,
        );
        const [found] = norms['model'] ?? [];
        expect(found).toBeGreaterThanOrEqual(Math.min(...honest));
        expect(found).toBeLessThanOrEqual(Math.max(...honest));
      }),
    );
  });
});

describe('recentNorms', () => {
  it('keeps the medians of five rounds, the newest last', () => {
    let norms: NormHistory['norms'];
    for (let round = 1; round <= 7; round++)
      norms = recentNorms(norms, [...Array(4).fill({ model: round }), { model: 1e9 }, { model: 1e9 }], null);
    expect(norms).toEqual({ model: [3, 4, 5, 6, 7] });
    expect(recentNorms(norms, [], null)).toEqual(norms);
  });
});

describe('the first bound on control variates', () => {
  const scaffold = { ...plan, controlVariate: 'steps', epochs: 2, batchSize: 10, learningRate: 0.5 } as const;

  it('is that of steps over their number and rate, and never above it', () => {
    // 100 examples: 20 steps of rate 0.5.
    expect(boundsOf(scaffold, null)).toEqual({ model: 30, control: 3 });
    expect(boundsOf(scaffold, null, [...ten, 1, 1e6, 1e6])).toEqual({ model: 30, control: 3 });
    expect(boundsOf({ ...scaffold, learningRate: 0.01 }, null)).toEqual({ model: 30, control: 30 });
  });

  it('is that of steps where variates do not follow from them', () => {
    expect(boundsOf({ ...scaffold, controlVariate: 'gradient' }, null)).toEqual({ model: 30, control: 30 });
  });
});

describe('a round of few answers', () => {
  const honest = { model: 3, 'model/averages': 1 };
  const tiny = { model: 3, 'model/averages': 1e-40 };

  /** The bounds of rounds, one after the other, from the norms of the updates that each accepted. */
  function played(rounds: readonly (readonly Record<string, number>[])[]) {
    let last: NormHistory | null = null;
    return rounds.map((accepted) => {
      const normBounds: NormHistory['normBounds'] = boundsOf(plan, last) ?? {};
      // As a restart finds it: from what was stored alone.
      last = JSON.parse(
        JSON.stringify({ normBounds, norms: recentNorms(last?.norms, accepted, normBounds) }),
      );
      return normBounds;
    });
  }

  it('leaves later bounds of use, whatever its updates were', () => {
    const ten = [tiny, ...Array.from({ length: 9 }, () => honest)];
    const bounds = played([[tiny, tiny], ...Array.from({ length: 9 }, () => ten)]);
    expect(bounds[1]?.['model/averages']).toBe(0.03);
    expect(bounds.at(-1)?.['model/averages']).toBe(3);
  });

  it('lowers a bound to no less than a sixteenth times the factor', () => {
    const six = Array.from({ length: 6 }, () => honest);
    const bounds = played([six, six, [{ model: 0, 'model/averages': 0 }], six]);
    expect(bounds[1]).toMatchObject({ model: 9, 'model/averages': 3 });
    const all = played([six, ...Array.from({ length: 5 }, () => [{ model: 0, 'model/averages': 0 }]), six]);
    for (const [at, bound] of all.slice(1).entries())
      expect(bound['model']).toBeGreaterThanOrEqual((3 / 16) * (all[at]?.['model'] ?? 0));
    expect(bounds[3]).toMatchObject({ model: 9 });
  });

  it('tells nobody another’s norm: medians of up to five are rounded up to a power of two', () => {
    const five = Array.from({ length: 5 }, () => ({ model: 2.7 }));
    expect(recentNorms(undefined, five, null)).toEqual({ model: [4] });
    expect(recentNorms(undefined, [...five, { model: 2.7 }], null)).toEqual({ model: [2.7] });
  });
});
