import { integerBelow, seededRandom, shuffle, uniform } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactAccumulator, MAX_WEIGHTED } from './accumulator.ts';
import { finish, STEP_PARAMETERS } from './steps.ts';

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

function sumOf(cases: readonly Case[], length: number): ExactAccumulator {
  const sum = new ExactAccumulator(length);
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

describe('ExactAccumulator', () => {
  it('does not depend on the order of updates', () => {
    fc.assert(
      fc.property(updates(5), fc.integer(), (cases, seed) => {
        const shuffled = shuffle([...cases], seededRandom(seed));
        expect(sumOf(shuffled, 5).mean()).toEqual(sumOf(cases, 5).mean());
      }),
    );
  });

  it('does not depend on how partial sums are grouped', () => {
    fc.assert(
      fc.property(updates(4), fc.nat(12), (cases, cut) => {
        const merged = sumOf(cases.slice(0, cut), 4);
        merged.merge(sumOf(cases.slice(cut), 4).partial());
        expect(merged.mean()).toEqual(sumOf(cases, 4).mean());
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
        const sum = sumOf(cases, 3);
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
    const sum = new ExactAccumulator(1);
    sum.add(new Float32Array([2 ** 30]), 1);
    for (let i = 0; i < 1000; i++) sum.add(new Float32Array([2 ** -36]), 1);
    sum.add(new Float32Array([-(2 ** 30)]), 1);
    expect(sum.mean()[0]).toBe((1000 * 2 ** -36) / 1002);
  });

  it('stays exact at the bounds of its range, thousands of times', () => {
    const random = seededRandom('bounds');
    const sum = new ExactAccumulator(1);
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
    const atOnce = new ExactAccumulator(length);
    const inSteps = new ExactAccumulator(length);
    // Small ones, ones that carry, and small ones on top of what was carried.
    for (const [scale, examples] of [
      [1e-3, 7],
      [1e4, 90_000],
      [1e-3, 11],
    ] as const) {
      const values = Float32Array.from({ length }, () => (uniform(random) - 0.5) * scale);
      atOnce.add(values, examples);
      const largest = finish(inSteps.checkInSteps(values, examples));
      expect(largest).toBe(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
      const steps = inSteps.addInSteps(values, examples, largest);
      // It counts from here on.
      expect(inSteps.updates).toBe(atOnce.updates);
      let pieces = 1;
      while (steps.next().done !== true) pieces++;
      expect(pieces).toBe(3);
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
      const sum = new ExactAccumulator(values.length);
      values.fill(0)[at] = value;
      expect(() => finish(sum.checkInSteps(values, examples))).toThrow(expect.objectContaining({ code }));
    }
    const other = new ExactAccumulator(values.length - 1);
    expect(() => finish(other.checkInSteps(values.fill(0), 1))).toThrow(
      expect.objectContaining({ code: 'update-shape' }),
    );
  });

  it('refuses what cannot be summed, by name, and keeps what it has', () => {
    const sum = sumOf([{ values: new Float32Array([1, 2]), examples: 3 }], 2);
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
});
