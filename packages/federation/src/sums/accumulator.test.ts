import { runs, type Variant, variants } from '@coppice/kernels';
import { integerBelow, seededRandom, shuffle, uniform } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float32Bytes, float32Values } from '../codecs/values.ts';
import { finish, giveUp, STEP_PARAMETERS } from '../steps.ts';
import { ExactAccumulator, MAX_UPDATES, SLICE } from './accumulator.ts';
import { MAX_WEIGHTED } from './check-values.ts';

const NONE = Number.POSITIVE_INFINITY;

interface Case {
  values: Float32Array;
  examples: number;
}

const updates = (length: number) =>
  fc.array(
    fc.record({
      values: fc
        .array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: length, maxLength: length })
        .map((values) => Float32Array.from(values)),
      examples: fc.integer({ min: 1, max: 100_000 }),
    }),
    { minLength: 1, maxLength: 12 },
  );

function sumOf(cases: readonly Case[], length: number, variant?: Variant): ExactAccumulator {
  const sum = new ExactAccumulator(length, variant);
  for (const { values, examples } of cases) sum.add(values, examples);
  return sum;
}

/** x · 2³⁶ rounded to a whole number, ties to even, by BigInt arithmetic on the parts of a float64. */
function units(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  if (exponent === 0) return 0n;
  const mantissa = (bits & 0xfffffffffffffn) | 0x10000000000000n;
  const shift = BigInt(exponent - 1075 + 36);
  let magnitude: bigint;
  if (shift >= 0n) magnitude = mantissa << shift;
  else if (-shift > 60n) magnitude = 0n;
  else {
    const half = 1n << (-shift - 1n);
    magnitude = mantissa >> -shift;
    const rest = mantissa - (magnitude << -shift);
    if (rest > half || (rest === half && magnitude % 2n === 1n)) magnitude += 1n;
  }
  return bits >> 63n === 1n ? -magnitude : magnitude;
}

/** The sum in BigInt: exact by construction, and slow. */
function bigIntSum(cases: readonly Case[], at: number): bigint {
  return cases.reduce((sum, { values, examples }) => sum + units((values[at] as number) * examples), 0n);
}

function total(sum: ExactAccumulator, at: number): bigint {
  const { high, low } = sum.partial();
  return BigInt(high[at] as number) * 2n ** 32n + BigInt(low[at] as number);
}

describe.each(variants.filter(runs))('ExactAccumulator on %s kernels', (variant) => {
  it('does not depend on the order of updates', () => {
    fc.assert(
      fc.property(updates(5), fc.integer(), (cases, seed) => {
        const shuffled = shuffle([...cases], seededRandom(seed));
        expect(sumOf(shuffled, 5, variant).mean()).toEqual(sumOf(cases, 5, variant).mean());
      }),
    );
  });

  it('does not depend on how partial sums are grouped', () => {
    fc.assert(
      fc.property(updates(4), fc.nat(12), (cases, cut) => {
        const merged = sumOf(cases.slice(0, cut), 4, variant);
        merged.merge(sumOf(cases.slice(cut), 4, variant).partial());
        expect(merged.mean()).toEqual(sumOf(cases, 4, variant).mean());
      }),
    );
  });

  it('holds exactly the sum that BigInt gives, for small, large and mixed values', () => {
    const sized = fc.constantFrom(1e-6, 1e-2, 1, 1e3, 8000).chain((size) =>
      fc.record({
        values: fc
          .array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
          .map((values) => Float32Array.from(values, (value) => value * size)),
        examples: fc.integer({ min: 1, max: 1_000_000 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(sized, { minLength: 1, maxLength: 30 }), (cases) => {
        const sum = sumOf(cases, 3, variant);
        const examples = cases.reduce((n, one) => n + one.examples, 0);
        for (let i = 0; i < 3; i++) {
          const exact = bigIntSum(cases, i);
          expect(total(sum, i)).toBe(exact);
          expect(sum.mean()[i]).toBe(Number(exact) / 2 ** 36 / examples);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is exact where plain float64 summation is not', () => {
    // 2³⁰ + a thousand tiny − 2³⁰: plain summation in this order loses most of the tiny part.
    const sum = new ExactAccumulator(1, variant);
    sum.add(new Float32Array([2 ** 30]), 1);
    for (let i = 0; i < 1000; i++) sum.add(new Float32Array([2 ** -36]), 1);
    sum.add(new Float32Array([-(2 ** 30)]), 1);
    expect(sum.mean()[0]).toBe((1000 * 2 ** -36) / 1002);
  });

  it('stays exact at the bounds of its range, thousands of times', () => {
    const random = seededRandom('bounds');
    const sum = new ExactAccumulator(1, variant);
    const cases: Case[] = [];
    for (let i = 0; i < 20_000; i++) {
      const value = Math.fround((uniform(random) - 0.5) * 2 * (MAX_WEIGHTED / 1024));
      const one = { values: new Float32Array([value]), examples: 1 + integerBelow(random, 1023) };
      cases.push(one);
      sum.add(one.values, one.examples);
    }
    expect(total(sum, 0)).toBe(bigIntSum(cases, 0));
  });

  it('is the same sum, added at once or a piece at a time', () => {
    const length = 2 * STEP_PARAMETERS + 3;
    const random = seededRandom('in steps');
    const atOnce = new ExactAccumulator(length, variant);
    const inSteps = new ExactAccumulator(length, variant);
    // Small ones, ones that carry, and small ones on top of what was carried.
    for (const [scale, examples] of [
      [1e-3, 7],
      [1e4, 90_000],
      [1e-3, 11],
    ] as const) {
      const values = Float32Array.from({ length }, () => (uniform(random) - 0.5) * scale);
      atOnce.add(values, examples);
      const steps = inSteps.addInSteps(float32Values(values), examples);
      let pieces = 1;
      while (steps.next().done !== true) {
        pieces++;
        // It counts when it is done.
        expect(inSteps.updates).toBe(atOnce.updates - 1);
      }
      expect(pieces).toBe(3);
      expect(inSteps.updates).toBe(atOnce.updates);
    }
    expect(inSteps.partial()).toEqual(atOnce.partial());
  });

  it.each([
    ['update-not-finite', Number.NaN, 1],
    ['update-not-finite', Number.NEGATIVE_INFINITY, 1],
    ['update-out-of-range', 1e6, 1_000_000],
    ['update-examples', 1, 0.5],
  ])('refuses %s a piece at a time, wherever it is', (code, value, examples) => {
    const values = new Float32Array(2 * STEP_PARAMETERS + 3);
    for (const at of [0, STEP_PARAMETERS + 1, values.length - 1]) {
      const sum = new ExactAccumulator(values.length, variant);
      values.fill(0)[at] = value;
      expect(() => finish(sum.addInSteps(float32Values(values), examples))).toThrow(
        expect.objectContaining({ code }),
      );
    }
    const other = new ExactAccumulator(values.length - 1);
    expect(() => finish(other.addInSteps(float32Values(values.fill(0)), 1))).toThrow(
      expect.objectContaining({ code: 'update-shape' }),
    );
  });

  it('refuses what cannot be summed, by name, and keeps what it has', () => {
    const sum = sumOf([{ values: new Float32Array([1, 2]), examples: 3 }], 2, variant);
    const before = sum.partial();
    expect(() => sum.add(new Float32Array([1]), 1)).toThrow(
      expect.objectContaining({ code: 'update-shape' }),
    );
    expect(() => sum.add(new Float32Array([0, NaN]), 1)).toThrow(
      expect.objectContaining({ code: 'update-not-finite' }),
    );
    expect(() => sum.add(new Float32Array([NaN, 0]), 1)).toThrow(
      expect.objectContaining({ code: 'update-not-finite' }),
    );
    expect(() => sum.add(new Float32Array([0, -Infinity]), 1)).toThrow(
      expect.objectContaining({ code: 'update-not-finite' }),
    );
    expect(() => sum.add(new Float32Array([1e30, 0]), 1)).toThrow(
      expect.objectContaining({ code: 'update-out-of-range' }),
    );
    expect(() => sum.add(new Float32Array([1, 1]), 0)).toThrow(
      expect.objectContaining({ code: 'update-examples' }),
    );
    expect(() => sum.add(new Float32Array([1, 1]), 1.5)).toThrow(
      expect.objectContaining({ code: 'update-examples' }),
    );
    expect(sum.partial()).toEqual(before);
  });

  it('holds more than int64 does, alone and merged', () => {
    const random = seededRandom('beyond int64');
    // Weighted values at the upper bound, all of one sign: 2⁶⁹ units each, thousands of them.
    const cases = Array.from({ length: 5000 }, () => ({
      values: Float32Array.from([1, -1, 0.5], (size) => size * (2 ** 33 - 512 * integerBelow(random, 1000))),
      examples: 1,
    }));
    const sum = sumOf(cases, 3, variant);
    const merged = sumOf(cases.slice(0, 1234), 3, variant);
    merged.merge(sumOf(cases.slice(1234), 3, variant).partial());
    for (let i = 0; i < 3; i++) {
      const exact = bigIntSum(cases, i);
      expect(exact < -(2n ** 63n) || exact > 2n ** 63n).toBe(true);
      expect(total(sum, i)).toBe(exact);
      expect(total(merged, i)).toBe(exact);
      expect(sum.mean()[i]).toBe(Number(exact) / 2 ** 36 / 5000);
    }
    expect(merged.mean()).toEqual(sum.mean());
  });

  it('carries where ordinary values add up to more than int64, and stays exact', () => {
    // Just below 2⁵¹ units: the fast way. A sum of 2¹³ of them needs 64 bits.
    const value = Math.fround(2 ** 15 - 2 ** -9);
    const times = 2 ** 13 + 5;
    const sum = new ExactAccumulator(2, variant);
    for (let i = 0; i < times; i++) sum.add(new Float32Array([value, -value]), 1);
    expect(total(sum, 0)).toBe(units(value) * BigInt(times));
    expect(total(sum, 1)).toBe(-units(value) * BigInt(times));
    expect([...sum.mean()]).toEqual([value, -value]);
  });

  it('rounds ties to even, in both directions and in any lane', () => {
    // Odd multiples of 2⁻³⁷ are halves of a unit.
    const halves = Float32Array.from({ length: 21 }, (_, i) => (2 * i - 21) * 2 ** -37);
    const sum = sumOf([{ values: halves, examples: 1 }], 21, variant);
    for (let i = 0; i < 21; i++) {
      const floor = Math.floor((2 * i - 21) / 2);
      expect(total(sum, i)).toBe(BigInt(floor % 2 === 0 ? floor : floor + 1));
    }
  });

  it('reads bytes at any offset, over slices of any length', () => {
    const random = seededRandom('offsets');
    for (const length of [1, 7, SLICE - 1, SLICE, SLICE + 9, STEP_PARAMETERS + SLICE + 3]) {
      const values = Float32Array.from({ length }, () => uniform(random) - 0.5);
      const expected = sumOf([{ values, examples: 77 }], length, variant).partial();
      for (const offset of [0, 1, 2, 3]) {
        const bytes = new Uint8Array(length * 4 + 4);
        bytes.set(new Uint8Array(values.buffer), offset);
        const sum = new ExactAccumulator(length, variant);
        finish(sum.addInSteps(float32Bytes(bytes.subarray(offset, offset + length * 4)), 77));
        expect(sum.partial()).toEqual(expected);
      }
    }
  });

  it('leaves nothing of an update whose fault is in its last slice, whatever was summed before', () => {
    const length = 3 * SLICE + 5;
    const random = seededRandom('faults');
    const noise = (size: number) => Float32Array.from({ length }, () => (uniform(random) - 0.5) * size);
    const layout = [{ name: 'all', shape: [length], trainable: true }];
    for (const size of [1, 1e5, 1e9]) {
      const sum = sumOf([{ values: noise(size), examples: 1 }], length, variant);
      const before = sum.partial();
      const bad = noise(size);
      bad[length - 1] = Number.NaN;
      expect(() => sum.add(bad, 2)).toThrow(expect.objectContaining({ code: 'update-not-finite' }));
      expect(() => sum.add(bad, 2)).toThrow(String(length - 1));
      bad[length - 1] = 1e30;
      expect(() => sum.add(bad, 2)).toThrow(expect.objectContaining({ code: 'update-out-of-range' }));
      expect(() => sum.add(bad, 2, { layout, bound: { trainable: 1, nonTrainable: NONE } })).toThrow(
        expect.objectContaining({ code: 'update-norm' }),
      );
      bad[length - 1] = 0;
      expect(() => sum.add(bad, 2, { layout, bound: { trainable: size, nonTrainable: NONE } })).toThrow(
        expect.objectContaining({ code: 'update-norm' }),
      );
      // Given up half way.
      const steps = sum.addInSteps(float32Values(bad), 2);
      finish(giveUp(steps));
      expect(sum.partial()).toEqual(before);
    }
  });

  it('given up between two steps, holds what it held; meanwhile nobody reads half an update', () => {
    const length = STEP_PARAMETERS + 10;
    const values = new Float32Array(length).fill(1 / 3);
    const sum = sumOf([{ values, examples: 5 }], length, variant);
    const before = sum.partial();
    const steps = sum.addInSteps(float32Values(values), 3);
    expect(steps.next().done).toBe(false);
    expect(() => sum.mean()).toThrow('being added');
    expect(() => sum.partial()).toThrow('being added');
    finish(giveUp(steps));
    expect(sum.partial()).toEqual(before);
  });

  it('adds several at a time, by turns, and takes off the one that is bad', () => {
    const length = 3 * STEP_PARAMETERS + 10;
    const random = seededRandom('turns');
    const noise = (size: number) => Float32Array.from({ length }, () => (uniform(random) - 0.5) * size);
    const good = [noise(1), noise(1e5), noise(1e9)];
    const bad = noise(1e5);
    bad[length - 2] = Number.POSITIVE_INFINITY;
    const sum = new ExactAccumulator(length, variant);
    const adding = [...good, bad].map((values) => sum.addInSteps(float32Values(values), 3));
    const errors: unknown[] = [];
    for (let left = adding; left.length > 0; ) {
      left = left.filter((steps) => {
        try {
          return steps.next().done !== true;
        } catch (thrown) {
          errors.push(thrown);
          return false;
        }
      });
    }
    expect(errors).toEqual([expect.objectContaining({ code: 'update-not-finite' })]);
    expect(sum.updates).toBe(3);
    const cases = good.map((values) => ({ values, examples: 3 }));
    expect(sum.partial()).toEqual(sumOf(cases, length, variant).partial());
  });

  it('leaves its memory, emptied, to the next', () => {
    const first = sumOf([{ values: new Float32Array(40).fill(1e9), examples: 7 }], 40, variant);
    first.mean();
    first.release();
    expect(first.updates).toBe(1);
    expect(() => first.mean()).toThrow('released');
    expect(() => first.add(new Float32Array(40), 1)).toThrow('released');
    for (const length of [40, 20, 60]) {
      const values = new Float32Array(length).fill(0.5);
      expect([...sumOf([{ values, examples: 2 }], length, variant).mean()]).toEqual([...values]);
    }
  });

  it('is as it was after a vector was taken off again, shortened or not', () => {
    const random = seededRandom('taken off', variant);
    const length = 1000;
    const noise = (size: number) => Float32Array.from({ length }, () => (uniform(random) - 0.5) * size);
    const layout = [{ name: 'w', shape: [length], trainable: true }];
    for (const size of [1, 1e5, 1e9]) {
      const sum = sumOf([{ values: noise(size), examples: 3 }], length, variant);
      const before = sum.partial();
      for (const counted of [NONE, size / 7]) {
        const values = noise(size);
        const { factor, takeOff } = finish(
          sum.holdInSteps(float32Values(values), 5, {
            layout,
            bound: { trainable: NONE, nonTrainable: NONE },
            counted: { trainable: counted, nonTrainable: NONE },
          }),
        );
        expect(factor < 1).toBe(counted < NONE);
        finish(takeOff());
        expect(sum.partial()).toEqual(before);
      }
    }
  });

  it('tells the norms of a vector, of steps and of averages, the same bits on every variant', () => {
    const random = seededRandom('norms');
    for (const [steps, averages] of [
      [1, 0],
      [7, 2],
      [8, 8],
      [1001, 30],
      [SLICE - 3, SLICE + 11],
      [2 * SLICE + 5, 0],
    ] as const) {
      const values = Float32Array.from({ length: steps + averages }, () => (uniform(random) - 0.5) * 1e-3);
      const layout = [
        { name: 'kernel', shape: [steps], trainable: true },
        { name: 'mean', shape: [averages], trainable: false },
      ];
      const limit = { layout, bound: { trainable: NONE, nonTrainable: NONE } };
      const norms = (one: Variant) =>
        finish(new ExactAccumulator(values.length, one).holdInSteps(float32Values(values), 3, limit)).norms;
      const found = norms(variant);
      const norm = (from: number, to: number) => Math.hypot(...values.subarray(from, to));
      expect(found.trainable / norm(0, steps)).toBeCloseTo(1, 12);
      if (averages > 0) expect(found.nonTrainable / norm(steps, values.length)).toBeCloseTo(1, 12);
      expect(norms('scalar')).toEqual(found);
    }
  });

  it('takes no more updates than its range allows, partial sums included', () => {
    const sum = new ExactAccumulator(1, variant);
    const zeros = { high: new Float64Array(1), low: new Float64Array(1), weight: 1 };
    sum.merge({ ...zeros, updates: MAX_UPDATES });
    expect(() => sum.add(new Float32Array(1), 1)).toThrow(
      expect.objectContaining({ code: 'update-out-of-range' }),
    );
    expect(() => sum.merge({ ...zeros, updates: 1, low: new Float64Array([0.5]) })).toThrow(
      expect.objectContaining({ code: 'update-out-of-range' }),
    );
  });
});
