import { integerBelow, seededRandom, shuffle, uniform } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactAccumulator, MAX_WEIGHTED } from './accumulator.ts';

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

/** The same sum in BigInt fixed point: exact by construction, and slow. */
function bigIntMean(cases: readonly Case[], at: number): number {
  const SCALE = 2 ** 42;
  let sum = 0n;
  let examples = 0;
  for (const one of cases) {
    const x = (one.values[at] as number) * one.examples;
    // A float64 times a power of two is exact; BigInt needs it whole, so round as late as possible.
    sum +=
      BigInt(Math.round(x * 16)) * BigInt(SCALE / 16) +
      BigInt(Math.round((x - Math.round(x * 16) / 16) * SCALE));
    examples += one.examples;
  }
  return Number(sum) / SCALE / examples;
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

  it('agrees with the same sum in BigInt', () => {
    fc.assert(
      fc.property(updates(3), (cases) => {
        const mean = sumOf(cases, 3).mean();
        for (let i = 0; i < 3; i++) expect(mean[i]).toBeCloseTo(bigIntMean(cases, i), 9);
      }),
    );
  });

  it('is exact where plain float64 summation is not', () => {
    // 1e8 + tiny − 1e8: plain summation in this order loses most of the tiny part.
    const big = new Float32Array([2 ** 30]);
    const tiny = new Float32Array([2 ** -40]);
    const sum = new ExactAccumulator(1);
    sum.add(big, 1);
    for (let i = 0; i < 1000; i++) sum.add(tiny, 1);
    sum.add(new Float32Array([-(2 ** 30)]), 1);
    expect(sum.mean()[0]).toBe((1000 * 2 ** -40) / 1002);
  });

  it('stays exact at the bounds of its range, thousands of times', () => {
    const random = seededRandom('bounds');
    const sum = new ExactAccumulator(1);
    let expected = 0n;
    for (let i = 0; i < 20_000; i++) {
      const value = Math.fround((uniform(random) - 0.5) * 2 * (MAX_WEIGHTED / 1024));
      const examples = 1 + integerBelow(random, 1023);
      sum.add(new Float32Array([value]), examples);
      const x = value * examples;
      const high = Math.round(x * 16);
      expected += BigInt(high) * 2n ** 38n + BigInt(Math.round((x - high / 16) * 2 ** 42));
    }
    const { high, low } = sum.partial();
    expect(BigInt(high[0] as number) * 2n ** 38n + BigInt(low[0] as number)).toBe(expected);
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
