import { seededRandom, uniform } from '@coppice/ports';
import { contributionHash } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { Monitor } from '../monitor/monitor.ts';
import { withReturned } from '../monitor/returned.ts';
import { readMonitorState } from '../monitor/state.ts';
import type { Binning } from '../reference/binning.ts';
import { identityOf, ReferenceSchema, referenceOf } from '../reference/reference.ts';
import { verdictOf } from '../verdict/judged.testing.ts';
import { consentVersion } from './consent.ts';
import { reportLayout, tensorsOf } from './layout.ts';
import { largestNorm } from './norm.ts';
import { binningOf, sumOf } from './population.testing.ts';
import { refuses } from './refuses.ts';
import { summarise } from './summarise.ts';
import { withheld } from './withheld.ts';

const plain = binningOf(2, {
  columns: [...binningOf(1).columns, { kind: 'category', name: 'colour', values: 3 }],
  confidence: { edges: [0.5, 0.9] },
});
const binning: Binning = { ...plain, groups: 'colour' };
const identity = identityOf(binning);
const layout = reportLayout(binning, identity);
const terms = { periodMilliseconds: 86_400_000, minimum: 10 };

/** Outcomes of predictions of one group: their number, and the number of wrong ones. */
type Outcomes = readonly [colour: number, outcomes: number, wrong: number];

function monitorOf(outcomes: readonly Outcomes[], of = binning): Monitor {
  const monitor = new Monitor(of, identityOf(of));
  for (const [colour, count, wrong] of outcomes)
    for (let i = 0; i < count; i++) {
      const id = `${colour} ${i}`;
      monitor.observe({ columns: [0, colour], prediction: 0, confidence: 0.7, id });
      monitor.outcome(id, i < wrong ? 1 : 0);
    }
  return monitor;
}

const reportOf = (outcomes: readonly Outcomes[]) =>
  summarise(monitorOf(outcomes).state(), binning) as Float32Array;
const groupsOf = (numbers: Float32Array) =>
  ['group-present', 'group-errors', 'group-squares'].map((name) => [
    ...(tensorsOf(layout, numbers).get(name) ?? []),
  ]);
const refused = (numbers: Float32Array) =>
  refuses({ recipe: binning.recipe, identity, numbers }, binning, identity);

describe('a task without groups', () => {
  it('has the layout and the consent that it had before there were any', () => {
    expect(identityOf(plain)).toBe('c0de4b369801571f507943619098c874fbcd4d1a4ad42656917e1bad9c6dac2c');
    expect(Buffer.from(contributionHash(reportLayout(plain, identityOf(plain)))).toString('hex')).toBe(
      '6b37088f9cff5aae42cd44ca25971854',
    );
    expect(consentVersion({ binning: plain, ...terms })).toBe(
      '9c72b42134924f6890ba6f02f79c4f9ccd776e45563cbbd3af135015f8dc4731',
    );
  });

  it('has no groups in its state, nor in its verdict', () => {
    const state = monitorOf([[0, 20, 5]], plain).state();
    expect(state).not.toHaveProperty('groups');
    expect(readMonitorState(state, plain, identityOf(plain))).toEqual(state);
    expect(readMonitorState({ ...state, identity }, binning, identity)).toBeNull();
  });
});

describe('a consent to groups', () => {
  it('is another one, and another for another column', () => {
    const other: Binning = {
      ...binning,
      columns: [...binning.columns, { kind: 'category', name: 'shape', values: 3 }],
    };
    const of = (one: Binning) => consentVersion({ binning: one, ...terms });
    const { groups: _none, ...without } = other;
    expect(
      new Set([of(plain), of(binning), of(other), of({ ...other, groups: 'shape' }), of(without)]).size,
    ).toBe(5);
  });
});

describe('a report of groups', () => {
  it('has the mean error of each group with enough outcomes, and its square', () => {
    // A quarter of the first, none of the second; too few of the third; half of what is listed nowhere or missing.
    const numbers = reportOf([
      [0, 20, 5],
      [1, 10, 0],
      [2, 9, 9],
      [7, 6, 6],
      [Number.NaN, 6, 0],
    ]);
    expect(groupsOf(numbers)).toEqual([
      [1, 1, 0, 1],
      [0.25, 0, 0, 0.5],
      [0.0625, 0, 0, 0.25],
    ]);
    expect(refused(numbers)).toBeNull();
  });

  it('counts an outcome that came after a restart, in the group of its prediction, and once', () => {
    const monitor = monitorOf([[1, 9, 0]]);
    monitor.observe({ columns: [0, 1], prediction: 0, confidence: 0.7, id: 'late' });
    const kept = readMonitorState(JSON.parse(JSON.stringify(monitor.state())), binning, identity);
    const after = new Monitor(binning, identity, kept);
    after.outcome('late', 1);
    after.outcome('late', 1);
    expect(after.state().groups?.[1]).toEqual({ labelled: 10, errors: 1 });
    after.begin(4);
    expect(after.state().groups?.[1]).toEqual({ labelled: 0, errors: 0 });
    const back = withReturned(monitorOf([[1, 3, 2]]).state(), monitor.state());
    expect(back.groups?.[1]).toEqual({ labelled: 12, errors: 2 });
    expect(readMonitorState(back, binning, identity)).toEqual(back);
  });

  it('tells no errors of predictions that another model made', () => {
    const monitor = new Monitor(binning, identity);
    monitor.observe({ columns: [0, 1], prediction: 0, confidence: 0.7, id: 'a', foreign: true });
    monitor.outcome('a', 1);
    expect(monitor.state().groups?.[1]).toEqual({ labelled: 0, errors: 0 });
  });

  it.each([
    [
      'a group without outcomes has errors',
      'report-counts',
      { 'group-errors': [0, 0, 0.5], 'group-squares': [0, 0, 0.25] },
    ],
    ['half a device has a group', 'report-counts', { 'group-present': [0.5] }],
    ['a group has more errors than outcomes', 'report-counts', { 'group-errors': [1.5] }],
    ['a square is another one', 'report-squares', { 'group-squares': [0.5] }],
    [
      'a group has outcomes, and all together have too few',
      'report-counts',
      { labelled: [0], errors: [0], 'errors-square': [0] },
    ],
  ])('is refused where %s', (_, name, change) => {
    const numbers = reportOf([
      [0, 20, 5],
      [1, 10, 0],
    ]);
    expect(refused(numbers)).toBeNull();
    const tensors = tensorsOf(layout, numbers);
    for (const [tensor, values] of Object.entries(change)) tensors.get(tensor)?.set(values);
    expect(refused(numbers)?.name).toBe(name);
  });

  it('of any device is not refused, and within the norm', () => {
    const random = seededRandom('groups');
    const bound = largestNorm(binning, 10);
    const upTo = (most: number) => Math.floor(uniform(random) * (most + 1));
    let told = 0;
    for (let device = 0; device < 60; device++) {
      const numbers = reportOf(
        [0, 1, 2, 3].map((colour) => {
          const count = 5 + upTo(20);
          return [colour, count, uniform(random) < 0.3 ? count : upTo(count)] as const;
        }),
      );
      expect(refused(numbers)).toBeNull();
      expect(Math.sqrt(numbers.reduce((sum, one) => sum + one ** 2, 0))).toBeLessThanOrEqual(bound);
      told += (tensorsOf(layout, numbers).get('group-present') as Float32Array).reduce(
        (sum, one) => sum + one,
        0,
      );
    }
    expect(told).toBeGreaterThan(60);
  });
});

describe('the sums of groups', () => {
  /** Five devices err on a third of the second group, give or take; four have the third one. */
  const reports = [0, 1, 2, 3, 4].map((device) =>
    reportOf([
      [0, 20, 2],
      [1, 20, 6 + device],
      [2, device === 0 ? 9 : 10, 9],
    ]),
  );
  const sums = sumOf('report', binning, identity, reports);

  it('have nothing of a group that fewer devices have than are told of', () => {
    const kept = withheld(sums, binning, 5);
    expect([...(kept.get('group-present') ?? [])]).toEqual([5, 5, 0, 0]);
    expect(kept.get('group-errors')?.[2]).toBe(0);
    expect(kept.get('group-squares')?.[2]).toBe(0);
    expect(withheld(sums, binning, 4).get('group-present')?.[2]).toBe(4);
  });

  it('give each group its mean error with the interval of a mean of devices, the worst first', () => {
    const made = referenceOf(binning, sums);
    // A reference that was stored keeps them.
    const reference = ReferenceSchema.parse(JSON.parse(JSON.stringify(made)));
    const { groups = [] } = verdictOf(withheld(sums, reference, 5), reference, { fewest: 5 });
    expect(groups.map(({ value, participants }) => [value, participants])).toEqual([
      [1, 5],
      [0, 5],
    ]);
    // 0.3, 0.35, 0.4, 0.45 and 0.5: mean 0.4, standard error √(0.025 / 4 / 5), t of 4 degrees 2.776.
    expect(groups[0]?.rate).toBeCloseTo(0.4, 5);
    const half = 2.7764 * Math.sqrt(0.025 / 4 / 5);
    expect(groups[0]?.interval[0]).toBeCloseTo(0.4 - half, 3);
    expect(groups[0]?.interval[1]).toBeCloseTo(0.4 + half, 3);
    // All devices alike, but for the rounding to units.
    expect(groups[1]?.rate).toBeCloseTo(0.1, 5);
    expect(groups[1]?.interval[1]).toBeCloseTo(0.1, 3);
  });
});
