import fc from 'fast-check';
import { expect } from 'vitest';
import { kernelInstance, type Variant } from './instance.ts';

/** Machine epsilon of float32. */
export const EPSILON = 2 ** -23;
const GUARD = 4;

/** Multiples of 2⁻⁸ no larger than 2. */
export const grid = fc.integer({ min: -512, max: 512 }).map((i) => i / 256);
export const size = fc.integer({ min: 1, max: 23 });

/**
 * Arrays in an instance's memory. Around each lie numbers that must not be read (they are NaN) and must still be there
 * afterwards; behind the last one the memory ends.
 */
export function workbench(variant: Variant, ...arrays: readonly (readonly number[])[]) {
  const total = arrays.reduce((sum, array) => sum + array.length + GUARD, 0) * 4;
  const instance = kernelInstance(total, variant);
  const all = new Float32Array(instance.buffer).fill(Number.NaN);
  // WebAssembly's memory comes in pages: what is left over lies in front.
  let at = all.length - total / 4 + GUARD;
  const offsets = arrays.map((array) => {
    all.set(array, at);
    at += array.length + GUARD;
    return (at - array.length - GUARD) * 4;
  });
  return {
    kernels: instance.kernels,
    at: offsets,
    /** The array as it is now, and a check that nothing around any array was touched. */
    read(which: number): number[] {
      let touched = 0;
      let outside = 0;
      for (const [i, array] of arrays.entries()) {
        const start = (offsets[i] as number) / 4;
        for (let j = outside; j < start; j++) if (!Number.isNaN(all[j])) touched++;
        outside = start + array.length;
      }
      expect(touched, 'numbers outside of all arrays').toBe(0);
      const from = (offsets[which] as number) / 4;
      return [...all.subarray(from, from + (arrays[which] as readonly number[]).length)];
    },
  };
}

export const numbers = (n: number) => fc.array(grid, { minLength: n, maxLength: n });
export const empty = (n: number): number[] => new Array<number>(n).fill(Number.NaN);

export function expectWithin(
  actual: readonly number[],
  exact: readonly number[],
  bound: (i: number) => number,
): void {
  for (const [i, value] of exact.entries()) {
    expect(Math.abs((actual[i] as number) - value), `number ${i}`).toBeLessThanOrEqual(bound(i));
  }
}
