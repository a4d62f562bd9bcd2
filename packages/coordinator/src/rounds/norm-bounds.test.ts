import { modelGroup } from '@coppice/federation';
import { type Layout, sectionsOf } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NormHistory, nextNormBounds, recentNorms } from './norm-bounds.ts';

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

describe('nextNormBounds', () => {
  it('begins with the plan’s bound on steps, and none on averages', () => {
    expect(nextNormBounds(plan, sections, null)).toEqual({ model: 30, control: 30 });
    expect(nextNormBounds({ ...plan, firstNorm: null }, sections, null)).toEqual({});
  });

  it('follows the median of the last medians, by group and by role', () => {
    const last: NormHistory = {
      normBounds: { model: 30, control: 30 },
      norms: { model: [5, 1, 2], 'model/averages': [100], control: [0.5, 0.25] },
    };
    expect(nextNormBounds(plan, sections, last)).toEqual({ model: 6, 'model/averages': 300, control: 1.125 });
    expect(nextNormBounds({ ...plan, normFactor: null }, sections, last)).toBeNull();
  });

  it('grows at most twofold a round, and grows again after rounds of zeros', () => {
    const after = (bound: number, norms: number[]) =>
      nextNormBounds(plan, sections, { normBounds: { model: bound }, norms: { model: norms } })?.['model'];
    expect(after(4, [1000])).toBe(8);
    expect(after(4, [0, 0, 0])).toBe(0.03);
    expect(after(0.03, [0, 7, 7])).toBe(0.06);
    expect(after(4, [])).toBe(4);
  });

  it('stays where the others are, whatever less than half of a cohort sends', () => {
    fc.assert(
      fc.property(fc.array(norm, { minLength: 3, maxLength: 9 }), fc.array(norm), (honest, bad) => {
        const few = bad.slice(0, Math.floor((honest.length - 1) / 2));
        const norms = recentNorms(
          undefined,
          [...honest, ...few].map((model) => ({ model })),
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
      norms = recentNorms(norms, [{ model: round }, { model: round }, { model: 1e9 }]);
    expect(norms).toEqual({ model: [3, 4, 5, 6, 7] });
    expect(recentNorms(norms, [])).toEqual(norms);
  });
});
