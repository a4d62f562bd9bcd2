import { normal, seededRandom, uniform } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import { binOf } from '../reference/binning.ts';
import { identityOf } from '../reference/reference.ts';
import { binningOf } from '../report/population.testing.ts';
import { refuses } from '../report/refuses.ts';
import { summarise } from '../report/summarise.ts';
import { Monitor } from './monitor.ts';
import { pictureColumns } from './picture.ts';
import { MAX_PENDING, readMonitorState } from './state.ts';

const binning = binningOf(1, {
  columns: [
    { kind: 'number', name: 'size', edges: [0, 10], range: [-5, 20] },
    { kind: 'category', name: 'colour', values: 2 },
  ],
  prediction: { kind: 'class', classes: 3 },
  confidence: { edges: [0.5, 0.9] },
});
const identity = identityOf(binning);
const sure = { prediction: 0, confidence: 1 };

describe('a monitor', () => {
  it('counts values in the bins of their columns, missing ones, and those beyond the plausible range', () => {
    const monitor = new Monitor(binning, identity);
    for (const [size, colour] of [
      [-9, 0],
      [3, 1],
      [10, 2],
      [21, Number.NaN],
      [Number.NaN, 1],
    ] as const)
      monitor.observe({ columns: [size, colour], prediction: 2, confidence: 0.7 });
    expect(monitor.state()).toMatchObject({
      observations: 5,
      counts: [
        [1, 1, 2],
        [1, 2, 1],
        [0, 0, 5],
        [0, 5, 0],
      ],
      missing: [1, 1],
      outside: [2, 0],
    });
  });

  it('counts an outcome once, also where it comes late and the page was reloaded meanwhile', () => {
    const monitor = new Monitor(binning, identity);
    monitor.begin(1);
    monitor.observe({ columns: [1, 1], prediction: 2, confidence: 0.7, id: 'a' });
    monitor.observe({ columns: [1, 1], prediction: 1, confidence: 0.7, id: 'b' });
    const stored: unknown = JSON.parse(JSON.stringify(monitor.state()));
    const later = new Monitor(binning, identity, readMonitorState(stored, binning, identity));
    later.begin(2);
    later.outcome('a', 2);
    later.outcome('a', 1);
    later.outcome('b', 0);
    later.outcome('c', 0);
    expect(later.state()).toMatchObject({
      labelled: 2,
      errors: 1,
      unmatched: 2,
      pending: [],
      observations: 0,
    });
  });

  it('counts the error of a number in proportion to the scale of its task', () => {
    const numeric = binningOf(1, { prediction: { kind: 'number', edges: [0], errorScale: 10 } });
    const monitor = new Monitor(numeric, identityOf(numeric));
    for (const [id, label] of [
      ['a', 5],
      ['b', 100],
    ] as const) {
      monitor.observe({ columns: [0], prediction: 2, id });
      monitor.outcome(id, label);
    }
    expect(monitor.state().errors).toBeCloseTo(1.3, 12);
  });

  it('clears the counts where a period begins, and keeps detectors, warnings and what awaits its outcome', () => {
    const monitor = new Monitor(binning, identity);
    monitor.begin(7);
    monitor.observe({ columns: [1, 1], ...sure, id: 'a' });
    monitor.begin(7);
    expect(monitor.state().observations).toBe(1);
    monitor.begin(8);
    const { period, observations, counts, pending } = monitor.state();
    expect([period, observations, pending]).toEqual([8, 0, [['a', 0, false, false]]]);
    expect(counts.flat().every((one) => one === 0)).toBe(true);
  });

  it('counts of predictions by another model the input, and the error for the guard alone', () => {
    const own = binningOf(1, {
      columns: [
        { kind: 'number', name: 'size', edges: [0], range: null },
        { kind: 'number', name: 'feature 1', edges: [0], range: null, ofModel: true },
      ],
      prediction: { kind: 'class', classes: 2 },
      confidence: { edges: [0.5] },
    });
    const monitor = new Monitor(own, identityOf(own));
    monitor.guard({ canary: 3, arm: 'canary', model: 'new' });
    const of = { columns: [1, 1], prediction: 1, confidence: 0.9 };
    monitor.observe({ ...of, id: 'a', model: 'old' });
    monitor.observe({ ...of, id: 'b', model: 'new', foreign: true });
    monitor.outcome('a', 0);
    monitor.outcome('b', 0);
    const state = monitor.state();
    expect(state).toMatchObject({
      observations: 2,
      foreign: 1,
      counts: [
        [0, 2],
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      missing: [0, 0],
      labelled: 1,
      errors: 1,
      guard: { labelled: 1, errors: 1 },
    });
    const stored: unknown = JSON.parse(JSON.stringify(state));
    expect(readMonitorState(stored, own, identityOf(own))).toEqual(state);
    const numbers = summarise(state, own, 1) as Float32Array;
    expect(
      refuses({ recipe: own.recipe, identity: identityOf(own), numbers }, own, identityOf(own), 1),
    ).toBeNull();
    monitor.begin(1);
    expect(monitor.state()).toMatchObject({ observations: 0, foreign: 0, guard: { labelled: 1 } });
  });

  it('warns where errors increase, and not where they decrease', () => {
    const random = seededRandom('errors');
    const monitor = new Monitor(binning, identity);
    const errors = (rate: number) => {
      let warnings = 0;
      for (let i = 0; i < 600; i++) {
        monitor.observe({ columns: [1, 1], ...sure, id: `${i}` });
        if (monitor.outcome(`${i}`, uniform(random) < rate ? 1 : 0)) warnings++;
      }
      return warnings;
    };
    monitor.begin(1);
    expect([errors(0.4), errors(0.1)]).toEqual([0, 0]);
    monitor.begin(2);
    expect(errors(0.6)).toBeGreaterThan(0);
    expect(monitor.state().warned).toBe(true);
    monitor.begin(3);
    const { warned, warnings } = monitor.state();
    expect(warned).toBe(false);
    expect(warnings.adwin.count).toBeGreaterThan(0);
    expect(warnings.adwin.last).toBe(2);
  });

  it('counts by its arm of a canary the outcomes of what the arm’s model predicted since it began', () => {
    const monitor = new Monitor(binning, identity);
    const predict = (to: Monitor, id: string, model: string) =>
      to.observe({ columns: [1, 1], ...sure, id, model });
    predict(monitor, 'before', 'new');
    const arm = { canary: 3, arm: 'canary', model: 'new' } as const;
    monitor.guard(arm);
    predict(monitor, 'right', 'new');
    predict(monitor, 'wrong', 'new');
    predict(monitor, 'late', 'new');
    predict(monitor, 'other', 'old');
    monitor.observe({ columns: [1, 1], ...sure, id: 'unnamed' });
    monitor.outcome('right', 0);
    for (const id of ['before', 'wrong', 'other', 'unnamed']) monitor.outcome(id, 1);
    const guard = { ...arm, labelled: 2, errors: 1 };
    expect(monitor.state()).toMatchObject({ guard, labelled: 5, errors: 4 });
    // Kept by a reload and by the next period, and told anew on each connection.
    const stored: unknown = JSON.parse(JSON.stringify(monitor.state()));
    const later = new Monitor(binning, identity, readMonitorState(stored, binning, identity));
    later.begin(9);
    later.guard(arm);
    later.outcome('late', 1);
    expect(later.state().guard).toEqual({ ...arm, labelled: 3, errors: 2 });
    // The next canary begins anew, and none ends it.
    predict(later, 'of the last', 'new');
    const next = { canary: 5, arm: 'control', model: 'new' } as const;
    later.guard(next);
    later.outcome('of the last', 1);
    expect(later.state().guard).toEqual({ ...next, labelled: 0, errors: 0 });
    later.guard(null);
    predict(later, 'after', 'new');
    later.outcome('after', 1);
    expect(later.state().guard).toBeNull();
  });

  it('takes a state from before there were guards', () => {
    const monitor = new Monitor(binning, identity);
    monitor.observe({ columns: [1, 1], ...sure, id: 'a' });
    const { guard: _guard, ...now } = monitor.state();
    const before = { ...now, version: 1, pending: [['a', 0]] };
    const read = readMonitorState(JSON.parse(JSON.stringify(before)), binning, identity);
    expect(read).toEqual(monitor.state());
    const later = new Monitor(binning, identity, read);
    later.outcome('a', 1);
    expect(later.state()).toMatchObject({ labelled: 1, errors: 1, unmatched: 0 });
  });

  it('refuses predictions of another task, and counts none of them', () => {
    const monitor = new Monitor(binning, identity);
    const columns = [1, 1];
    for (const bad of [
      { columns: [1], ...sure },
      { columns, prediction: 3, confidence: 1 },
      { columns, prediction: 0.5, confidence: 1 },
      { columns, prediction: 0 },
      { columns, prediction: 0, confidence: 1.1 },
      { columns, prediction: 0, confidence: Number.NaN },
      { columns, ...sure, id: '' },
      { columns, ...sure, id: 'x'.repeat(65) },
    ])
      expect(() => monitor.observe(bad)).toThrow(RangeError);
    expect(monitor.state()).toEqual(new Monitor(binning, identity).state());
    monitor.observe({ columns, ...sure, id: 'a' });
    expect(() => monitor.outcome('a', 3)).toThrow(RangeError);
    expect(monitor.state().pending).toHaveLength(1);
  });

  it('keeps less than 1 MB of a hundred columns and 10,000 predictions a day without outcomes', () => {
    const random = seededRandom('day');
    const wide = binningOf(100);
    const monitor = new Monitor(wide, identityOf(wide));
    let largest = 0;
    for (let day = 1; day <= 3; day++) {
      monitor.begin(day);
      for (let i = 0; i < 10_000; i++) {
        const columns = Float64Array.from({ length: 100 }, () => normal(random));
        monitor.observe({ columns, prediction: i % 2, id: `${day}-${i}`.padEnd(36, 'x') });
      }
      const state = monitor.state();
      largest = Math.max(largest, JSON.stringify(state).length);
      expect(state.pending).toHaveLength(MAX_PENDING);
      expect(state.pending.at(-1)?.[0]).toMatch(`${day}-9999`);
    }
    expect(largest).toBeLessThan(1_000_000);
  });

  it('takes a stored state for the reference that it was counted for, and begins anew with any other', () => {
    const monitor = new Monitor(binning, identity);
    monitor.observe({ columns: [1, 1], ...sure });
    const state = monitor.state();
    expect(readMonitorState(JSON.parse(JSON.stringify(state)), binning, identity)).toEqual(state);
    const others: unknown[] = [
      undefined,
      null,
      'x',
      {},
      { ...state, version: 3 },
      { ...state, guard: { canary: 3, arm: 'canary', model: 'm', labelled: 1, errors: 2 } },
      { ...state, identity: 'other' },
      { ...state, counts: state.counts.slice(1) },
      { ...state, counts: [[1], ...state.counts.slice(1)] },
      { ...state, missing: [] },
      { ...state, outside: [-1, 0] },
    ];
    for (const other of others) expect(readMonitorState(other, binning, identity)).toBeNull();
  });
});

it('a picture has its mean and its standard deviation as columns', () => {
  expect(pictureColumns(Uint8Array.of(0, 255))).toEqual([0.5, 0.5]);
  expect(pictureColumns(Uint8Array.of(51, 51, 51))).toEqual([0.2, 0]);
  const [brightness, contrast] = pictureColumns(Uint8Array.of(10, 20, 60));
  expect(binOf([0.1], brightness)).toBe(1);
  // By hand: deviations −20, −10 and 30 from 30.
  expect(contrast).toBeCloseTo(Math.sqrt(1400 / 3) / 255, 12);
});

it('counts a picture’s pixels whatever their number, as whole numbers of any size do', () => {
  const random = seededRandom('pixels');
  for (const length of [1, 2, 3, 5, 784, 32_767, 32_769, 100_003]) {
    const pixels = Uint8Array.from({ length }, () => 255 - Math.floor(30 * uniform(random)));
    const [sum, squares] = [1n, 2n].map((power) =>
      [...pixels].reduce((all, pixel) => all + BigInt(pixel) ** power, 0n),
    ) as [bigint, bigint];
    const [brightness, contrast] = pictureColumns(pixels);
    expect(brightness).toBeCloseTo(Number(sum) / length / 255, 12);
    const variance = Number(BigInt(length) * squares - sum * sum) / length ** 2;
    expect(contrast).toBeCloseTo(Math.sqrt(variance) / 255, 9);
  }
});

it('drops the oldest of the predictions that await their outcome, however outcomes come and ids return', () => {
  const random = seededRandom('pending');
  const monitor = new Monitor(binning, identity);
  // The same, in an array.
  const awaited: string[] = [];
  for (let i = 0; i < 30_000; i++) {
    const returns = uniform(random) < 0.05;
    const id = `${returns ? Math.floor(uniform(random) * i) : i}`;
    monitor.observe({ columns: [1, 1], ...sure, id });
    const known = returns ? awaited.indexOf(id) : -1;
    if (known >= 0) awaited.splice(known, 1);
    awaited.push(id);
    if (awaited.length > MAX_PENDING) awaited.shift();
    if (uniform(random) < (i % 10_000 < 6000 ? 0.1 : 0.9)) {
      const [one] = awaited.splice(Math.floor(uniform(random) * awaited.length), 1);
      monitor.outcome(one as string, 0);
    }
  }
  expect(monitor.state()).toMatchObject({ unmatched: 0, observations: 30_000 });
  expect(monitor.state().pending.map(([id]) => id)).toEqual(awaited);
});
