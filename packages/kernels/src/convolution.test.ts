import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, variants } from './instance.ts';
import { EPSILON, empty, expectWithin, grid, numbers, workbench } from './workbench.ts';

const small = (max: number) => fc.integer({ min: 1, max });

/** A picture, a window on it, and where the window goes. */
const place = fc
  .record({
    h: small(7),
    w: small(7),
    c: small(6),
    kernelH: small(4),
    kernelW: small(4),
    strideH: small(3),
    strideW: small(3),
    top: fc.nat(2),
    left: fc.nat(2),
  })
  // No window lies wholly outside of the picture, as none does with 'same' and 'valid'.
  .map((all) => ({
    ...all,
    kernelH: Math.min(all.kernelH, all.h),
    kernelW: Math.min(all.kernelW, all.w),
  }))
  .map((all) => ({
    ...all,
    top: Math.min(all.top, all.kernelH - 1),
    left: Math.min(all.left, all.kernelW - 1),
  }))
  .map((all) => ({
    ...all,
    outH: Math.floor((all.h + 2 * all.top - all.kernelH) / all.strideH) + 1,
    outW: Math.floor((all.w + 2 * all.left - all.kernelW) / all.strideW) + 1,
  }))
  .filter(({ outH, outW }) => outH > 0 && outW > 0);

type Place = typeof place extends fc.Arbitrary<infer T> ? T : never;

const geometry = (p: Place) =>
  [p.h, p.w, p.c, p.kernelH, p.kernelW, p.strideH, p.strideW, p.top, p.left, p.outH, p.outW] as const;

/** Indices into the picture that a window covers, in order; null for what is not there. */
function windowOf(p: Place, out: number): (number | null)[] {
  const [oy, ox] = [Math.floor(out / p.outW), out % p.outW];
  const places: (number | null)[] = [];
  for (let y = oy * p.strideH - p.top; y < oy * p.strideH - p.top + p.kernelH; y++) {
    for (let x = ox * p.strideW - p.left; x < ox * p.strideW - p.left + p.kernelW; x++) {
      places.push(y >= 0 && y < p.h && x >= 0 && x < p.w ? y * p.w + x : null);
    }
  }
  return places;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

describe.each(variants.filter(runs))('%s kernels for pictures', (variant) => {
  const pictures = place.chain((p) =>
    fc.record({
      p: fc.constant(p),
      picture: numbers(p.h * p.w * p.c),
      columns: numbers(p.outH * p.outW * p.kernelH * p.kernelW * p.c),
      out: numbers(p.outH * p.outW * p.c),
    }),
  );

  it('lay out what a window sees', () => {
    fc.assert(
      fc.property(pictures, ({ p, picture, columns }) => {
        const bench = workbench(variant, picture, empty(columns.length));
        const [from, to] = bench.at as [number, number];
        bench.kernels.im2col(...geometry(p), from, to);
        const expected: number[] = [];
        for (let out = 0; out < p.outH * p.outW; out++) {
          for (const at of windowOf(p, out)) {
            for (let l = 0; l < p.c; l++) expected.push(at === null ? 0 : (picture[at * p.c + l] as number));
          }
        }
        expect(bench.read(1)).toEqual(expected);
      }),
    );
  });

  it('hand a gradient back by the adjoint of laying out', () => {
    fc.assert(
      fc.property(pictures, ({ p, picture, columns }) => {
        const bench = workbench(variant, picture, empty(columns.length), columns, empty(picture.length));
        const [x, laid, d, back] = bench.at as [number, number, number, number];
        bench.kernels.im2col(...geometry(p), x, laid);
        bench.kernels.col2im(...geometry(p), d, back);
        // ⟨A·x, d⟩ = ⟨x, Aᵀ·d⟩, exact for numbers from the grid: sums of few multiples of 2⁻¹⁶.
        expect(dot(bench.read(1), columns)).toBe(dot(picture, bench.read(3)));
      }),
    );
  });

  it('pool by the largest, the first of several, and hand the gradient to it', () => {
    fc.assert(
      fc.property(pictures, fc.boolean(), ({ p, picture, out }, flat) => {
        // Flat pictures have many numbers that are the largest alike.
        const pixels = flat ? picture.map((x) => Math.round(x) + 0) : picture;
        const n = out.length;
        const bench = workbench(variant, pixels, empty(n), empty(n), out, empty(pixels.length));
        const [x, y, where, d, dx] = bench.at as [number, number, number, number, number];
        bench.kernels.maxPool(...geometry(p), x, y, where);
        bench.kernels.maxPoolGradient(pixels.length, p.c, p.outH * p.outW, d, where, dx);
        const gradient = new Array<number>(pixels.length).fill(0);
        const largest = out.map((value, at) => {
          const l = at % p.c;
          const seen = windowOf(p, Math.floor(at / p.c)).flatMap((i) => (i === null ? [] : [i * p.c + l]));
          const best = Math.max(...seen.map((i) => pixels[i] as number));
          const first = seen.find((i) => pixels[i] === best) as number;
          gradient[first] = (gradient[first] as number) + value;
          return best;
        });
        expect(bench.read(1)).toEqual(largest);
        expect(bench.read(4)).toEqual(gradient);
      }),
    );
  });

  it('pool by the mean, and spread the gradient', () => {
    fc.assert(
      fc.property(pictures, ({ p: padded, picture, out: more }) => {
        const p = {
          ...padded,
          top: 0,
          left: 0,
          outH: Math.floor((padded.h - padded.kernelH) / padded.strideH) + 1,
          outW: Math.floor((padded.w - padded.kernelW) / padded.strideW) + 1,
        };
        const out = more.slice(0, p.outH * p.outW * p.c);
        const bench = workbench(variant, picture, empty(out.length), out, empty(picture.length));
        const [x, y, d, dx] = bench.at as [number, number, number, number];
        const window = [p.kernelH, p.kernelW, p.strideH, p.strideW, p.outH, p.outW] as const;
        bench.kernels.averagePool(p.w, p.c, ...window, x, y);
        bench.kernels.averagePoolGradient(p.h, p.w, p.c, ...window, d, dx);
        const gradient = new Array<number>(picture.length).fill(0);
        const area = p.kernelH * p.kernelW;
        const means = out.map((value, at) => {
          const seen = windowOf(p, Math.floor(at / p.c)) as number[];
          for (const i of seen) {
            const to = i * p.c + (at % p.c);
            gradient[to] = (gradient[to] as number) + value / area;
          }
          return seen.reduce((sum, i) => sum + (picture[i * p.c + (at % p.c)] as number), 0) / area;
        });
        expectWithin(bench.read(1), means, () => EPSILON * 40);
        expectWithin(bench.read(3), gradient, () => EPSILON * 100);
      }),
    );
  });

  it('normalize batches, and hand the gradient through mean and variance', () => {
    const batch = fc.record({ m: fc.integer({ min: 2, max: 9 }), c: small(7) }).chain(({ m, c }) =>
      fc.record({
        m: fc.constant(m),
        c: fc.constant(c),
        x: numbers(m * c),
        dy: numbers(m * c),
        gamma: fc.array(grid, { minLength: c, maxLength: c }),
        beta: fc.array(grid, { minLength: c, maxLength: c }),
      }),
    );
    const epsilon = 0.125;
    /** The formula, in double precision. */
    const formula = (
      m: number,
      c: number,
      x: readonly number[],
      gamma: readonly number[],
      beta: readonly number[],
    ) => {
      const column = (j: number) => Array.from({ length: m }, (_, i) => x[i * c + j] as number);
      const means = gamma.map((_, j) => column(j).reduce((a, b) => a + b, 0) / m);
      const variances = means.map((mean, j) => column(j).reduce((a, b) => a + (b - mean) ** 2, 0) / m);
      const y = x.map((value, at) => {
        const j = at % c;
        const normal = (value - (means[j] as number)) / Math.sqrt((variances[j] as number) + epsilon);
        return normal * (gamma[j] as number) + (beta[j] as number);
      });
      return { means, variances, y };
    };
    fc.assert(
      fc.property(batch, ({ m, c, x, dy, gamma, beta }) => {
        const bench = workbench(
          variant,
          x,
          empty(c),
          empty(c),
          gamma,
          beta,
          empty(m * c),
          dy,
          empty(c),
          empty(c),
        );
        const [xAt, mean, variance, g, b, y, d, dGamma, dBeta] = bench.at as number[] as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        bench.kernels.columnMoments(m, c, xAt, mean, variance);
        bench.kernels.normalize(m, c, epsilon, xAt, mean, variance, g, b, y);
        const exact = formula(m, c, x, gamma, beta);
        expectWithin(bench.read(1), exact.means, () => EPSILON * 20);
        expectWithin(bench.read(2), exact.variances, () => EPSILON * 80);
        expectWithin(bench.read(5), exact.y, () => EPSILON * 200);
        bench.kernels.normalizeGradient(m, c, epsilon, xAt, mean, variance, g, d, dGamma, dBeta, d);
        // The derivatives of ⟨y, dy⟩, by central differences.
        const derivative = (which: 'x' | 'gamma' | 'beta', at: number) => {
          const step = 1e-4;
          const [up, down] = [step, -step].map((change) => {
            const moved = {
              x,
              gamma,
              beta,
              [which]: { x, gamma, beta }[which].with(at, ({ x, gamma, beta }[which][at] as number) + change),
            };
            return dot(formula(m, c, moved.x, moved.gamma, moved.beta).y, dy);
          }) as [number, number];
          return (up - down) / (2 * step);
        };
        expectWithin(
          bench.read(7),
          gamma.map((_, j) => derivative('gamma', j)),
          () => 1e-4,
        );
        expectWithin(
          bench.read(8),
          beta.map((_, j) => derivative('beta', j)),
          () => 1e-4,
        );
        expectWithin(
          bench.read(6),
          x.map((_, i) => derivative('x', i)),
          () => 2e-4,
        );
      }),
      { numRuns: 50 },
    );
  });
});
