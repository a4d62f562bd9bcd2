import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, variants } from './instance.ts';
import { EPSILON, empty, expectWithin, workbench } from './workbench.ts';

/*
 * Products with a left matrix that is mostly zeros: wide enough, and of few enough numbers, for zeros to be left out; and
 * those at the border, which are not. The oracle sums in double precision and leaves nothing out.
 */
const f = Math.fround;

/** Pseudo-random numbers of a seed: thousands of them, which fast-check would take long to make one by one. */
function draw(n: number, seed: number, share = 1): number[] {
  let state = seed | 1;
  const next = () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: n }, () => (next() < share ? f(next() * 4 - 2) : 0));
}

const cases = fc.record({
  m: fc.integer({ min: 1, max: 70 }),
  k: fc.integer({ min: 1, max: 140 }),
  n: fc.integer({ min: 30, max: 110 }),
  share: fc.constantFrom(0, 0.05, 0.2, 0.5, 0.7),
  seed: fc.integer(),
  biased: fc.boolean(),
  beta: fc.constantFrom(0, 1, 0.5),
});

describe.each(variants.filter(runs))('%s kernels, with many zeros', (variant) => {
  it('multiply matrices, and give what sums one after the other give', () => {
    fc.assert(
      fc.property(cases, ({ m, k, n, share, seed, biased }) => {
        const [left, right, bias] = [draw(m * k, seed, share), draw(k * n, seed + 1), draw(n, seed + 2)];
        const bench = workbench(variant, left, right, bias, empty(m * n));
        const [a, b, from, c] = bench.at as [number, number, number, number];
        bench.kernels.matmul(m, k, n, a, b, biased ? from : 0, c);
        const got = bench.read(3);
        const [exact, sizes, inOrder] = [empty(m * n), empty(m * n), empty(m * n)];
        for (let at = 0; at < m * n; at++) {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = biased ? (bias[j] as number) : 0;
          let size = Math.abs(sum);
          let single = sum;
          for (let l = 0; l < k; l++) {
            const term = (left[i * k + l] as number) * (right[l * n + j] as number);
            sum += term;
            size += Math.abs(term);
            single = f(single + f(term));
          }
          [exact[at], sizes[at], inOrder[at]] = [sum, size, single];
        }
        expectWithin(got, exact, (i) => EPSILON * (k + 1) * (sizes[i] as number));
        // Adding 0 makes −0 to 0: where all terms are zeros, their signs are lost.
        if (variant === 'simd') expect(got.map((x) => x + 0)).toEqual(inOrder.map((x) => x + 0));
      }),
      { numRuns: 60 },
    );
  });

  it('multiply by a transposed left matrix, onto what is there or over it', () => {
    fc.assert(
      fc.property(cases, ({ m, k, n, share, seed, beta }) => {
        const [left, right, there] = [draw(m * k, seed, share), draw(m * n, seed + 1), draw(k * n, seed + 2)];
        const bench = workbench(variant, left, right, beta === 0 ? empty(k * n) : there);
        const [a, b, c] = bench.at as [number, number, number];
        bench.kernels.matmulTransposedA(m, k, n, a, b, beta, c);
        const [exact, sizes] = [empty(k * n), empty(k * n)];
        for (let at = 0; at < k * n; at++) {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = beta * (there[at] as number);
          let size = Math.abs(sum);
          for (let l = 0; l < m; l++) {
            const term = (left[l * k + i] as number) * (right[l * n + j] as number);
            sum += term;
            size += Math.abs(term);
          }
          [exact[at], sizes[at]] = [sum, size];
        }
        expectWithin(bench.read(2), exact, (i) => EPSILON * (m + 3) * (sizes[i] as number));
      }),
      { numRuns: 60 },
    );
  });
});

// The scalar twin leaves nothing out.
describe.each(variants.filter((variant) => variant !== 'scalar' && runs(variant)))(
  '%s kernels',
  (variant) => {
    it('need no numbers where zeros stand', () => {
      const [m, k, n] = [3, 40, 48];
      const left = empty(m * k).map((_, at) => (at % k === 7 ? 1 : 0));
      const right = draw(k * n, 2).map((x, at) => (Math.floor(at / n) === 7 ? x : Number.NaN));
      const bench = workbench(variant, left, right, empty(m * n));
      const [a, b, c] = bench.at as [number, number, number];
      bench.kernels.matmul(m, k, n, a, b, 0, c);
      expect(bench.read(2)).toEqual(Array.from({ length: m }, () => right.slice(7 * n, 8 * n)).flat());
    });
  },
);
