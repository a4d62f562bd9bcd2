import { defaultPlan } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { planDiff } from './plan-diff.ts';

describe('planDiff', () => {
  it('holds the fields that differ between any two, and no other', () => {
    const plans = [defaultPlan, { ...defaultPlan, seed: 2 }, { ...defaultPlan, clipNorm: 3 }];
    expect(planDiff(plans)).toEqual([
      { field: 'seed', values: [1, 2, 1] },
      { field: 'clipNorm', values: [null, null, 3] },
    ]);
    expect(planDiff([defaultPlan, { ...defaultPlan }])).toEqual([]);
    expect(planDiff([])).toEqual([]);
  });
});
