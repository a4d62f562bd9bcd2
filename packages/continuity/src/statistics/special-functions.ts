/** Relative precision at which series and continued fractions end. */
const PRECISION = 1e-16;

/** The value that keeps a continued fraction from dividing by zero. */
const TINY = 1e-300;

/** The complementary error function, with small relative errors also far out (Abramowitz and Stegun 7.1.6 and 7.1.14). */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  const density = Math.exp(-x * x);
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let n = 1; term > PRECISION * sum; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * density * sum;
  }
  const fraction = continuedFraction(x, (n) => ({ a: n / 2, b: x }));
  return density === 0 ? 0 : density / (Math.sqrt(Math.PI) * fraction);
}

/**
 * The regularized incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8).
 *
 * @param of x in [0, 1], and 1 − x, which is more precise where the caller computes it.
 * @param a and @param b above 0.
 */
export function betaLower({ x, rest }: { x: number; rest: number }, a: number, b: number): number {
  if (x <= 0 || rest <= 0) return x <= 0 ? 0 : 1;
  // The fraction converges fast below the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaLower({ x: rest, rest: x }, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log(rest) - logBeta(a, b));
  const fraction = continuedFraction(1, (n) => {
    const m = Math.floor(n / 2);
    const over = (a + n - 1) * (a + n);
    return { a: (n % 2 === 0 ? m * (b - m) * x : -(a + m) * (a + b + m) * x) / over, b: 1 };
  });
  return front / (a * fraction);
}

/** first + a₁ / (b₁ + a₂ / (b₂ + …)), by Lentz's method (Applied Optics 1976). */
function continuedFraction(first: number, termOf: (n: number) => { a: number; b: number }): number {
  let [value, c, d] = [first, first, 0];
  for (let n = 1; n < 100_000; n++) {
    const { a, b } = termOf(n);
    d = 1 / awayFromZero(b + a * d);
    c = awayFromZero(b + a / c);
    value *= c * d;
    if (Math.abs(c * d - 1) < PRECISION) break;
  }
  return value;
}

function awayFromZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x;
}

/** ln B(a, b), with the differences of large logarithms taken before they cancel. */
function logBeta(a: number, b: number): number {
  const [small, large] = [Math.min(a, b), Math.max(a, b)];
  if (large < 10) return logGamma(a) + logGamma(b) - logGamma(a + b);
  const all = small + large;
  const stirling =
    small < 10
      ? logGamma(small) + small * (1 - Math.log(all))
      : (small - 0.5) * Math.log(small / all) +
        Math.log(2 * Math.PI) / 2 -
        Math.log(all) / 2 +
        correction(small);
  return stirling + (large - 0.5) * Math.log1p(-small / all) + correction(large) - correction(all);
}

/** ln Γ(x) less Stirling's (x − ½) ln x − x + ½ ln 2π, for x ≥ 10 (Abramowitz and Stegun 6.1.41). */
function correction(x: number): number {
  const square = 1 / (x * x);
  const inner =
    1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - square * (691 / 360_360 - square / 156)));
  return (1 / 12 - square * (1 / 360 - square * inner)) / x;
}

/** ln Γ(x) for x > 0. */
export function logGamma(x: number): number {
  let [shifted, product] = [x, 1];
  while (shifted < 10) product *= shifted++;
  return (
    (shifted - 0.5) * Math.log(shifted) -
    shifted +
    Math.log(2 * Math.PI) / 2 +
    correction(shifted) -
    Math.log(product)
  );
}
