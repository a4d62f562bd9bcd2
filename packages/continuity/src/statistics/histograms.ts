/**
 * Population stability index: Σ (q − p) ln(q / p) of the shares of two histograms with the same bins. A share of 0 is
 * replaced by `epsilon`, and nothing is normalised after.
 */
export function stabilityIndex(
  reference: readonly number[],
  current: readonly number[],
  epsilon = 1e-4,
): number {
  const [p, q] = [shares(reference, epsilon), shares(current, epsilon)];
  return p.reduce(
    (sum, share, i) => sum + ((q[i] as number) - share) * Math.log((q[i] as number) / share),
    0,
  );
}

/** The largest difference of the cumulative shares of two histograms with the same bins: Kolmogorov–Smirnov's D over their edges. */
export function binnedKolmogorovSmirnov(reference: readonly number[], current: readonly number[]): number {
  const [n, m] = [total(reference), total(current)];
  let [a, b, most] = [0, 0, 0];
  for (const [i, count] of reference.entries()) {
    a += count / n;
    b += (current[i] as number) / m;
    most = Math.max(most, Math.abs(a - b));
  }
  return most;
}

function shares(counts: readonly number[], epsilon: number): number[] {
  const all = total(counts);
  return counts.map((count) => (count === 0 ? epsilon : count / all));
}

function total(of: readonly number[]): number {
  return of.reduce((sum, one) => sum + one, 0);
}
