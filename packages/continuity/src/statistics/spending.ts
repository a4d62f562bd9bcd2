import { normalUpper, normalUpperQuantile } from './distributions.ts';

/** Looks at a test that goes on: the share of the information at each, growing to at most 1. */
export type Fractions = readonly number[];

/**
 * The error that has been spent at each look: Lan and DeMets' function that is like O'Brien and Fleming's bounds
 * (Biometrika 1983), two-sided: α(t) = 4 (1 − Φ(z_{α/4} / √t)).
 */
export function obrienFlemingSpending(fractions: Fractions, alpha: number): number[] {
  const z = normalUpperQuantile(alpha / 4);
  return fractions.map((t) => 4 * normalUpper(z / Math.sqrt(t)));
}

/**
 * Symmetric bounds for |z| at each look that spend so much error in all, by the joint normal law of a Brownian motion at
 * the fractions (Armitage, McPherson and Rowe, JRSS A 1969).
 *
 * @param spent the two-sided error spent up to and with each look, growing.
 */
export function spendingBounds(fractions: Fractions, spent: readonly number[]): number[] {
  const walk = new Walk();
  return fractions.map((t, look) => {
    const allowed = ((spent[look] as number) - (spent[look - 1] ?? 0)) / 2;
    return walk.look(t, (exit) => bisect((z) => exit(z) - allowed));
  });
}

/** Root of a falling function in (0, 12). */
function bisect(of: (x: number) => number): number {
  let [low, high] = [0, 12];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (of(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Nodes of a composite Gauss–Legendre rule of ten points between −1 and 1, and their weights. */
const NODES = [
  0.1488743389816312, 0.4333953941292472, 0.6794095682990244, 0.8650633666889845, 0.9739065285171717,
];
const WEIGHTS = [
  0.2955242247147529, 0.2692667193099963, 0.219086362515982, 0.1494513491505806, 0.0666713443086881,
];
/** Pieces of the rule over the interval in which the walk goes on. */
const PIECES = 24;

/** The density of a Brownian motion that has not left the bounds at earlier looks, at the points of a rule. */
class Walk {
  #at = 0;
  #points: { readonly x: number; readonly mass: number }[] = [{ x: 0, mass: 1 }];

  /**
   * Looks at time t.
   *
   * @param choose gives the bound for |z|; `exit(z)` is the probability of first leaving above z at this look.
   * @returns the bound.
   */
  look(t: number, choose: (exit: (z: number) => number) => number): number {
    const before = this.#points;
    const deviation = Math.sqrt(t - this.#at);
    const exit = (z: number) => {
      let sum = 0;
      for (const { x, mass } of before) sum += mass * normalUpper((z * Math.sqrt(t) - x) / deviation);
      return sum;
    };
    const z = choose(exit);
    const edge = z * Math.sqrt(t);
    const density = (y: number) => {
      let sum = 0;
      for (const { x, mass } of before) sum += mass * Math.exp(-((y - x) ** 2) / (2 * deviation ** 2));
      return sum / (deviation * Math.sqrt(2 * Math.PI));
    };
    this.#points = quadrature(-edge, edge).map(({ x, weight }) => ({ x, mass: weight * density(x) }));
    this.#at = t;
    return z;
  }
}

function quadrature(from: number, to: number): { x: number; weight: number }[] {
  const half = (to - from) / PIECES / 2;
  return Array.from({ length: PIECES }, (_, piece) => from + (2 * piece + 1) * half).flatMap((middle) =>
    NODES.flatMap((node, i) =>
      [-node, node].map((at) => ({ x: middle + at * half, weight: (WEIGHTS[i] as number) * half })),
    ),
  );
}
