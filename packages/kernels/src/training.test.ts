import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, variants } from './instance.ts';
import { EPSILON, empty, expectWithin, grid, numbers, size, workbench } from './workbench.ts';

/*
 * Every variant against double precision, over all sizes: odd ones too. The bound, in units of ε times the sum of what was
 * added up, is the whole error, for inputs are exact.
 */
/** Σ over l of left(l) · right(l), and of its sizes, for the bound. */
function dot(n: number, term: (l: number) => number): { sum: number; size: number } {
  let [sum, size] = [0, 0];
  for (let l = 0; l < n; l++) {
    sum += term(l);
    size += Math.abs(term(l));
  }
  return { sum, size };
}

describe.each(variants.filter(runs))('%s kernels for training', (variant) => {
  const shape = fc.record({ m: size, k: size, n: size });
  const matrices = shape.chain(({ m, k, n }) =>
    fc.record({
      m: fc.constant(m),
      k: fc.constant(k),
      n: fc.constant(n),
      // Columns of zeros are left out, at the edges and between.
      mk: fc
        .tuple(numbers(m * k), fc.array(fc.boolean(), { minLength: k, maxLength: k }), fc.boolean())
        .map(([all, silent, some]) => all.map((x, at) => (some && silent[at % k] ? 0 : x))),
      kn: numbers(k * n),
      mn: numbers(m * n),
      bias: fc.option(numbers(n)),
      beta: fc.oneof(fc.constant(0), fc.constant(1), grid),
    }),
  );

  it('multiply matrices, with a bias and without', () => {
    fc.assert(
      fc.property(matrices, ({ m, k, n, mk, kn, bias }) => {
        const bench = workbench(variant, mk, kn, bias ?? [], empty(m * n));
        const [a, b, from, c] = bench.at as [number, number, number, number];
        bench.kernels.matmul(m, k, n, a, b, bias === null ? 0 : from, c);
        const exact = Array.from({ length: m * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return dot(k + 1, (l) =>
            l === k ? (bias?.[j] ?? 0) : (mk[i * k + l] as number) * (kn[l * n + j] as number),
          );
        });
        expectWithin(
          bench.read(3),
          exact.map(({ sum }) => sum),
          (i) => EPSILON * (k + 1) * (exact[i]?.size ?? 0),
        );
      }),
    );
  });

  it('multiply by a transposed left matrix, onto what is there or over it', () => {
    fc.assert(
      fc.property(matrices, ({ m, k, n, mk, mn, kn, beta }) => {
        const bench = workbench(variant, mk, mn, beta === 0 ? empty(k * n) : kn);
        const [a, b, c] = bench.at as [number, number, number];
        bench.kernels.matmulTransposedA(m, k, n, a, b, beta, c);
        const exact = kn.map((before, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return dot(m + 1, (l) =>
            l === m ? beta * before : (mk[l * k + i] as number) * (mn[l * n + j] as number),
          );
        });
        expectWithin(
          bench.read(2),
          exact.map(({ sum }) => sum),
          (i) => EPSILON * (m + 3) * (exact[i]?.size ?? 0),
        );
      }),
    );
  });

  it('sum over more rows than they work through at a time', () => {
    const [m, k, n] = [300, 6, 11];
    const mk = Array.from({ length: m * k }, (_, i) => Math.sin(i));
    const mn = Array.from({ length: m * n }, (_, i) => Math.cos(i * i));
    const bench = workbench(variant, mk, mn, new Array<number>(k * n).fill(1), empty(n));
    const [a, b, c, d] = bench.at as [number, number, number, number];
    bench.kernels.matmulTransposedA(m, k, n, a, b, 0.5, c);
    bench.kernels.columnSums(m, n, b, 0, d);
    const f = Math.fround;
    const product = Array.from({ length: k * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return 0.5 + dot(m, (l) => f(mk[l * k + i] as number) * f(mn[l * n + j] as number)).sum;
    });
    expectWithin(bench.read(2), product, () => EPSILON * 2 * m);
    const sums = Array.from({ length: n }, (_, j) => dot(m, (l) => f(mn[l * n + j] as number)).sum);
    expectWithin(bench.read(3), sums, () => EPSILON * 2 * m);
  });

  it('multiply by a transposed right matrix', () => {
    fc.assert(
      fc.property(matrices, ({ m, k, n, mn, kn }) => {
        const bench = workbench(variant, mn, kn, empty(m * k));
        const [a, b, c] = bench.at as [number, number, number];
        bench.kernels.matmulTransposedB(m, n, k, a, b, c);
        const exact = Array.from({ length: m * k }, (_, at) => {
          const [i, j] = [Math.floor(at / k), at % k];
          return dot(n, (l) => (mn[i * n + l] as number) * (kn[j * n + l] as number));
        });
        expectWithin(
          bench.read(2),
          exact.map(({ sum }) => sum),
          (i) => EPSILON * n * (exact[i]?.size ?? 0),
        );
      }),
    );
  });

  it('transpose, and sum columns', () => {
    fc.assert(
      fc.property(matrices, ({ m, n, mn, beta, bias }) => {
        const start = bias ?? new Array<number>(n).fill(1);
        const bench = workbench(variant, mn, empty(m * n), beta === 0 ? empty(n) : start);
        const [a, b, c] = bench.at as [number, number, number];
        bench.kernels.transpose(m, n, a, b);
        expect(bench.read(1)).toEqual(mn.map((_, at) => mn[(at % m) * n + Math.floor(at / m)]));
        bench.kernels.columnSums(m, n, a, beta, c);
        const exact = start.map((before, j) =>
          dot(m + 1, (l) => (l === m ? beta * before : (mn[l * n + j] as number))),
        );
        expectWithin(
          bench.read(2),
          exact.map(({ sum }) => sum),
          (i) => EPSILON * (m + 3) * (exact[i]?.size ?? 0),
        );
      }),
    );
  });

  const anywhere = fc.oneof(grid, fc.float({ noNaN: true, min: -100, max: 100 }), fc.constant(0));
  const some = fc.array(anywhere, { minLength: 1, maxLength: 23 });

  it.each([
    ['relu', (x: number) => Math.max(x, 0), 0, 0],
    ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x)), 4 * EPSILON, 2 ** -126],
    ['tanh', Math.tanh, 4 * EPSILON, 2 ** -126],
  ] as const)('%s, within a few units of the last place', (name, f, relative, absolute) => {
    fc.assert(
      fc.property(some, (xs) => {
        const bench = workbench(variant, xs, empty(xs.length));
        const [x, y] = bench.at as [number, number];
        bench.kernels[name](xs.length, x, y);
        expectWithin(bench.read(1), xs.map(f), (i) => relative * Math.abs(f(xs[i] as number)) + absolute);
      }),
    );
  });

  it.each([
    ['reluGradient', (y: number, dy: number) => (y > 0 ? dy : 0)],
    ['sigmoidGradient', (y: number, dy: number) => dy * y * (1 - y)],
    ['tanhGradient', (y: number, dy: number) => dy * (1 - y * y)],
    ['multiply', (y: number, dy: number) => dy * y],
  ] as const)('%s, also in place', (name, f) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(grid, grid), { minLength: 1, maxLength: 23 }), (pairs) => {
        const [ys, dys] = [pairs.map(([y]) => y), pairs.map(([, dy]) => dy)];
        const bench = workbench(variant, ys, dys, empty(ys.length));
        const [y, dy, dx] = bench.at as [number, number, number];
        const exact = pairs.map(([a, b]) => f(a, b));
        bench.kernels[name](ys.length, y, dy, dx);
        expectWithin(bench.read(2), exact, () => EPSILON * 16);
        bench.kernels[name](ys.length, y, dy, dy);
        expectWithin(bench.read(1), exact, () => EPSILON * 16);
      }),
    );
  });

  const rows = fc
    .record({ m: fc.integer({ min: 1, max: 6 }), n: fc.integer({ min: 1, max: 13 }) })
    .chain(({ m, n }) =>
      fc.record({
        m: fc.constant(m),
        n: fc.constant(n),
        z: fc.array(anywhere, { minLength: m * n, maxLength: m * n }),
        dy: numbers(m * n),
        labels: fc.array(fc.integer({ min: 0, max: n - 1 }), { minLength: m, maxLength: m }),
      }),
    );
  const softmax = (z: readonly number[]): number[] => {
    const largest = Math.max(...z);
    const all = z.map((x) => Math.exp(x - largest));
    const sum = all.reduce((a, b) => a + b, 0);
    return all.map((e) => e / sum);
  };

  it('softmax and its gradient', () => {
    fc.assert(
      fc.property(rows, ({ m, n, z, dy }) => {
        const bench = workbench(variant, z, empty(m * n), dy, empty(m * n));
        const [x, y, d, dx] = bench.at as [number, number, number, number];
        bench.kernels.softmax(m, n, x, y);
        const p = Array.from({ length: m }, (_, i) => softmax(z.slice(i * n, (i + 1) * n))).flat();
        // The differences z − max are rounded to float32: up to 200 · ε / 2 in the exponent.
        expectWithin(bench.read(1), p, (i) => EPSILON * (8 + 100) * (p[i] as number) + 2 ** -126);
        bench.kernels.softmaxGradient(m, n, y, d, dx);
        const exact = p.map((pi, at) => {
          const from = Math.floor(at / n) * n;
          const product = dot(n, (j) => (p[from + j] as number) * (dy[from + j] as number)).sum;
          return pi * ((dy[at] as number) - product);
        });
        expectWithin(bench.read(3), exact, () => EPSILON * 1000);
      }),
    );
  });

  it('softmax cross-entropy, its loss and its gradient', () => {
    fc.assert(
      fc.property(rows, ({ m, n, z, labels }) => {
        const bench = workbench(variant, z, labels, empty(m * n), empty(2 * m));
        const [logits, label, gradient, parts] = bench.at as [number, number, number, number];
        bench.kernels.softmaxCrossEntropy(m, n, 1 / m, logits, label, gradient, parts);
        const pairs = bench.read(3);
        for (let i = 0; i < m; i++) {
          const row = z.slice(i * n, (i + 1) * n);
          const largest = Math.max(...row);
          const sum = row.reduce((total, x) => total + Math.exp(x - largest), 0);
          const exact = Math.log(sum) - ((row[labels[i] as number] as number) - largest);
          const loss = Math.log(pairs[2 * i] as number) - (pairs[2 * i + 1] as number);
          expect(Math.abs(loss - exact)).toBeLessThan(EPSILON * (8 + Math.abs(exact)));
        }
        const exact = z.map((_, at) => {
          const i = Math.floor(at / n);
          const p = softmax(z.slice(i * n, (i + 1) * n))[at % n] as number;
          return (p - (at % n === labels[i] ? 1 : 0)) / m;
        });
        expectWithin(bench.read(2), exact, () => EPSILON * 128);
      }),
    );
  });

  it('squared error, its sum and its gradient', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(grid, grid), { minLength: 1, maxLength: 23 }), (pairs) => {
        const bench = workbench(
          variant,
          pairs.map(([p]) => p),
          pairs.map(([, t]) => t),
          empty(pairs.length),
        );
        const [p, t, gradient] = bench.at as [number, number, number];
        const sum = bench.kernels.squaredError(pairs.length, 0.5, p, t, gradient);
        // Differences of multiples of 2⁻⁸ and their squares are exact.
        expect(sum).toBe(pairs.reduce((total, [a, b]) => total + (a - b) ** 2, 0));
        expect(bench.read(2)).toEqual(pairs.map(([a, b]) => 0.5 * (a - b)));
      }),
    );
  });

  it("Adam's step, a regularizer and its gradient, and the pull of FedProx", () => {
    const quadruple = fc.tuple(grid, grid, grid, grid);
    fc.assert(
      fc.property(fc.array(quadruple, { minLength: 1, maxLength: 23 }), (all) => {
        const column = (i: 0 | 1 | 2 | 3) => all.map((tuple) => tuple[i]);
        const [g, m, w] = [column(0), column(1), column(3)];
        const v = column(2).map(Math.abs);
        const n = all.length;
        const bench = workbench(variant, g, m, v, w, w, w);
        const [gAt, mAt, vAt, wAt, yAt, pulled] = bench.at as [
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        bench.kernels.adam(n, 0.01, 2, 0.9, 0.999, 1e-7, gAt, mAt, vAt, wAt);
        const first = m.map((x, i) => 0.9 * x + 0.1 * (g[i] as number));
        const second = v.map((x, i) => 0.999 * x + 0.001 * (g[i] as number) ** 2);
        expectWithin(bench.read(1), first, () => EPSILON * 8);
        // 1 − β₂ in float32 is off by a part in 2¹⁴ of 0.001.
        expectWithin(bench.read(2), second, () => EPSILON * 8);
        const stepped = w.map(
          (x, i) => x - (0.01 * (first[i] as number)) / (Math.sqrt((second[i] as number) * 2) + 1e-7),
        );
        expectWithin(
          bench.read(3),
          stepped,
          (i) => 1e-4 * Math.abs((stepped[i] as number) - (w[i] as number)) + EPSILON * 8,
        );

        const exact = w.reduce((sum, x) => sum + 0.25 * Math.abs(x) + 0.5 * x * x, 0);
        expect(bench.kernels.penalty(n, 0.25, 0.5, yAt)).toBeCloseTo(exact, 10);
        bench.kernels.addPenaltyGradient(n, -0.5, 0.25, 0.5, yAt, yAt);
        expectWithin(
          bench.read(4),
          w.map((x) => x - 0.5 * (0.25 * (x > 0 ? 1 : -1) + x)),
          () => EPSILON * 8,
        );
        bench.kernels.pull(n, 0.125, gAt, pulled);
        expectWithin(
          bench.read(5),
          w.map((x, i) => x - 0.125 * (x - (g[i] as number))),
          () => EPSILON * 8,
        );
      }),
    );
  });

  it('hand NaN and infinity on, so that a model gone astray is seen', () => {
    const bad = [Number.NaN, 1, Number.POSITIVE_INFINITY, -1, 2];
    for (const name of ['relu', 'sigmoid', 'tanh'] as const) {
      const bench = workbench(variant, bad, empty(5));
      const [x, y] = bench.at as [number, number];
      bench.kernels[name](5, x, y);
      expect(bench.read(1)[0]).toBeNaN();
    }
    const bench = workbench(variant, bad, [1], empty(5), empty(2));
    const [logits, label, gradient, parts] = bench.at as [number, number, number, number];
    bench.kernels.softmaxCrossEntropy(1, 5, 1, logits, label, gradient, parts);
    const [sum, chosen] = bench.read(3) as [number, number];
    expect(Math.log(sum) - chosen).toBeNaN();
  });
});
