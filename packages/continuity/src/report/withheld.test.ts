import { seededRandom } from '@coppice/ports';
import { expect, it } from 'vitest';
import { identityOf, ReferenceSchema, referenceOf } from '../reference/reference.ts';
import { reportLayout, tensorsOf } from './layout.ts';
import { binningOf, drawReports, sumOf } from './population.testing.ts';
import { withheld } from './withheld.ts';

const binning = binningOf(2);
const identity = identityOf(binning);
const layout = reportLayout(binning, identity);

/** Reports of which so many have the second column, outcomes, and an arm's errors. */
function sumsOf(having: number, of = 9) {
  const population = { participants: of, examples: 40, differences: { kind: 'none' } } as const;
  const reports = drawReports(binning, identity, population, seededRandom('withheld'));
  for (const [i, numbers] of reports.entries()) {
    const tensors = tensorsOf(layout, numbers);
    const set = (name: string, value: number, from = 0, to = from + 1) =>
      tensors.get(name)?.fill(value, from, to);
    const has = i < having ? 1 : 0;
    if (has === 0)
      for (const [name, from, to] of [
        ['present', 1, 2],
        ['inverse', 1, 2],
        ['shares', 10, 20],
        ['squares', 10, 20],
      ] as const)
        set(name, 0, from, to);
    for (const name of ['labelled', 'errors', 'errors-square', 'warned']) set(name, has);
    for (const name of ['outside', 'outside-squares']) set(name, has / 4, 1);
    for (const name of ['guard-present', 'guard-errors', 'guard-squares']) set(name, has, 1);
  }
  return sumOf('report', binning, identity, reports);
}

it('keeps nothing that fewer participants tell of than asked for, and all that enough do', () => {
  const few = withheld(sumsOf(4), binning, 5);
  // The columns' ten bins each come before the two classes.
  for (const name of ['shares', 'squares']) {
    expect([...(few.get(name) ?? [])].slice(10, 20)).toEqual(new Array(10).fill(0));
    expect([...(few.get(name) ?? [])].slice(0, 10)).toEqual([...(sumsOf(4).get(name) ?? [])].slice(0, 10));
    expect([...(few.get(name) ?? [])].slice(20)).toEqual([...(sumsOf(4).get(name) ?? [])].slice(20));
  }
  expect([...(few.get('present') ?? [])]).toEqual([9, 0, 9]);
  for (const name of [
    'labelled',
    'errors',
    'errors-square',
    'warned',
    'outside',
    'guard-present',
    'guard-errors',
  ])
    expect([...(few.get(name) ?? [])].every((one) => one === 0)).toBe(true);
  expect(few.get('reports')?.[0]).toBe(9);
  expect(withheld(sumsOf(5), binning, 5)).toEqual(new Map(sumsOf(5)));
});

it('gives sums that a reference is made of', () => {
  const reference = referenceOf(binning, withheld(sumsOf(1), binning, 2));
  expect(ReferenceSchema.safeParse(reference).success).toBe(true);
  expect(reference.columns[1]).toMatchObject({ spread: { participants: 0 }, outside: { share: 0 } });
});
