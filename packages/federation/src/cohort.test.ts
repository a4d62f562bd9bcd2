import { seededRandom, shuffle } from '@coppice/ports';
import { defaultPlan, MAX_COHORT } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cohortSizes, selectCohort } from './cohort.ts';

describe('cohortSizes', () => {
  it('takes the share of FedAvg: max(1, C·K)', () => {
    const plan = { ...defaultPlan, cohortFraction: 0.1, overSelection: 1 };
    expect(cohortSizes(plan, 100)).toEqual({ target: 10, asked: 10, quorum: 5 });
    expect(cohortSizes(plan, 3)).toEqual({ target: 1, asked: 1, quorum: 1 });
  });

  it('asks 130 % and aims for 100 %', () => {
    expect(cohortSizes({ ...defaultPlan, cohortSize: 100, overSelection: 1.3 }, 1000)).toEqual({
      target: 100,
      asked: 130,
      quorum: 50,
    });
    expect(cohortSizes({ ...defaultPlan, cohortSize: 100, overSelection: 1.3 }, 110)).toEqual({
      target: 100,
      asked: 110,
      quorum: 50,
    });
  });

  it('asks no more than one sum takes', () => {
    const many = { ...defaultPlan, overSelection: 1.3, quorum: 0 };
    expect(cohortSizes(many, 10 * MAX_COHORT)).toEqual({ target: MAX_COHORT, asked: MAX_COHORT, quorum: 1 });
    expect(cohortSizes({ ...many, cohortSize: 60_000 }, 10 * MAX_COHORT).asked).toBe(MAX_COHORT);
  });

  it('never asks for fewer than the target, more than there are, or a quorum out of reach', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0.0001, max: 1, noNaN: true }),
        fc.double({ min: 1, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (available, cohortFraction, overSelection, quorum) => {
          const sizes = cohortSizes({ ...defaultPlan, cohortFraction, overSelection, quorum }, available);
          expect(sizes.target).toBeGreaterThanOrEqual(1);
          expect(sizes.asked).toBeGreaterThanOrEqual(sizes.target);
          expect(sizes.asked).toBeLessThanOrEqual(available);
          expect(sizes.quorum).toBeGreaterThanOrEqual(1);
          expect(sizes.quorum).toBeLessThanOrEqual(sizes.target);
        },
      ),
    );
  });
});

describe('selectCohort', () => {
  const names = Array.from({ length: 50 }, (_, i) => `p${i}`);

  it('depends on the seed and on who is there, not on their order', () => {
    const other = shuffle([...names], seededRandom('order'));
    expect(selectCohort(other, 10, seededRandom(7, 1))).toEqual(selectCohort(names, 10, seededRandom(7, 1)));
    expect(selectCohort(names, 10, seededRandom(7, 2))).not.toEqual(
      selectCohort(names, 10, seededRandom(7, 1)),
    );
  });

  it('asks those that take no seat in addition, about as often as the others', () => {
    const beyond = new Set(names.slice(0, 10));
    let seats = 0;
    let more = 0;
    for (let round = 0; round < 500; round++) {
      const cohort = selectCohort(names, 20, seededRandom('beyond', round), (name) => beyond.has(name));
      const extra = cohort.filter((name) => beyond.has(name)).length;
      seats += cohort.length - extra;
      more += extra;
    }
    expect(seats).toBe(500 * 20);
    // Half of the 40 others have a seat, and about half of the 10 are asked.
    expect(more / 500).toBeGreaterThan(4);
    expect(more / 500).toBeLessThan(6);
    const all = selectCohort(names, 60, seededRandom(1), (name) => beyond.has(name));
    expect(new Set(all)).toEqual(new Set(names));
  });

  it('draws everyone about equally often, nobody twice', () => {
    const counts = new Map<string, number>();
    for (let round = 0; round < 2000; round++) {
      const cohort = selectCohort(names, 10, seededRandom('fair', round));
      expect(new Set(cohort).size).toBe(10);
      for (const name of cohort) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    // Binomial(2000, 0.2): mean 400, standard deviation 17.9.
    for (const name of names) expect(Math.abs((counts.get(name) ?? 0) - 400)).toBeLessThan(6 * 17.9);
  });
});
