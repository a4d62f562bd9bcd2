import fc from 'fast-check';
import { expect, it } from 'vitest';
import { betaLower, erfc } from './special-functions.ts';

const at = (x: number, a: number, b: number) => betaLower({ x, rest: 1 - x }, a, b);

it('erfc has the tabulated values, far out as well', () => {
  // NIST DLMF 7.23 and Wolfram's function site.
  for (const [x, value] of [
    [0, 1],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [2, 0.004677734981047266],
    [3, 2.209049699858544e-5],
    [5, 1.5374597944280349e-12],
    [10, 2.088487583762545e-45],
  ] as const) {
    expect(Math.abs(erfc(x) / value - 1)).toBeLessThan(1e-13);
    expect(erfc(-x)).toBe(2 - erfc(x));
  }
  expect(erfc(40)).toBe(0);
});

it('the incomplete beta function of whole numbers is a sum of binomial probabilities', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (a, b, x) => {
        // I_x(a, b) = P[Bin(a + b − 1, x) ≥ a].
        const n = a + b - 1;
        let [sum, term] = [0, (1 - x) ** n];
        for (let k = 0; k <= n; k++) {
          if (k >= a) sum += term;
          term *= ((n - k) / (k + 1)) * (x / (1 - x));
        }
        expect(Math.abs(at(x, a, b) - sum)).toBeLessThan(1e-11 * sum + 1e-15);
      },
    ),
  );
});

it('the incomplete beta function has its closed forms, its symmetry and its recurrence', () => {
  const size = fc.double({ min: 0.3, max: 5000, noNaN: true });
  fc.assert(
    fc.property(size, size, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (a, b, x) => {
      expect(Math.abs(at(x, a, 1) - x ** a)).toBeLessThan(1e-10 * x ** a + 1e-300);
      expect(at(x, a, b) + betaLower({ x: 1 - x, rest: x }, b, a)).toBeCloseTo(1, 12);
      // I_x(a, b) = x I_x(a − 1, b) + (1 − x) I_x(a, b − 1).
      const both = x * at(x, a, b + 1) + (1 - x) * at(x, a + 1, b);
      expect(Math.abs(at(x, a + 1, b + 1) - both)).toBeLessThan(1e-9 * both + 1e-13);
    }),
  );
  // Arcsine: I_x(½, ½) = (2 / π) asin √x.
  for (const x of [1e-6, 0.2, 0.5, 0.9])
    expect(at(x, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 13);
  expect([at(0, 2, 3), at(1, 2, 3)]).toEqual([0, 1]);
  expect(at(0.5, 50_000, 50_000)).toBeCloseTo(0.5, 10);
});

it('the incomplete beta function has the values of mpmath 1.3 with forty digits', () => {
  for (const [a, b, x, value] of [
    [2.583036206858583, 15538.131971670648, 0.0004935202650915772, 0.989848972541948],
    [134.3315545138198, 0.7051271154227717, 0.9747278657466334, 0.01623300108318297],
    [18.00919581313306, 27347.75167836434, 1e-12, 9.538436793943458e-153],
    [73.04453317355332, 2.1177620634936813, 0.925288154071349, 0.026276316235287988],
    [67.63877908611187, 2244.986079191481, 0.03366127818183039, 0.8927544791446286],
    [14299.056672565906, 0.8451199449836272, 0.9997662479428179, 0.02529439004760895],
    [83166.4410482089, 11329.631046567134, 0.8778194915597552, 0.01564441918965288],
  ] as const)
    expect(Math.abs(at(x, a, b) / value - 1)).toBeLessThan(1e-10);
});
