/**
 * ρ of zero-concentrated differential privacy adds up over everything that is told of the same person's data (Bun and
 * Steinke, TCC 2016, Lemma 7).
 */
export function composed(rhos: readonly number[]): number {
  return rhos.reduce((sum, rho) => sum + rho, 0);
}

/**
 * The standard deviation of Gaussian noise, discrete or not, with which a sum costs ρ: Δ / √(2 ρ) (Bun and Steinke, TCC 2016,
 * Proposition 6; for the discrete one Canonne, Kamath and Steinke, NeurIPS 2020, Theorem 4).
 *
 * @param sensitivity Δ: the largest L2 norm by which one participant changes the sum.
 * @param rho more than 0.
 */
export function gaussianDeviation(sensitivity: number, rho: number): number {
  return sensitivity / Math.sqrt(2 * rho);
}

/** Orders in a sweep, and sweeps: the best order is known to more digits than the result has. */
const ORDERS = 64;
const SWEEPS = 20;

/**
 * ε at δ of a mechanism with ρ-zCDP: the least over orders α > 1 of ρ α + ln((α − 1) / α) − (ln δ + ln α) / (α − 1) (Canonne,
 * Kamath and Steinke, NeurIPS 2020, Proposition 12 and Lemma 13 with the Rényi divergence of zCDP), at least 0.
 *
 * @param rho at least 0. @param delta in (0, 1).
 * @returns `order`: the best α.
 */
export function zcdpEpsilon(
  rho: number,
  delta: number,
): { readonly epsilon: number; readonly order: number } {
  if (rho === 0) return { epsilon: 0, order: Number.POSITIVE_INFINITY };
  const at = (logarithm: number) => {
    const less = Math.exp(logarithm);
    const order = 1 + less;
    return rho * order + Math.log(less / order) - (Math.log(delta) + Math.log(order)) / less;
  };
  // The best α − 1 is near √(ln(1 / δ) / ρ); each sweep looks closer about the best of the one before.
  let centre = Math.log(-Math.log(delta) / rho) / 2;
  let reach = 10;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let best = centre;
    for (let i = -ORDERS; i <= ORDERS; i++) {
      const one = centre + (reach * i) / ORDERS;
      if (at(one) < at(best)) best = one;
    }
    centre = best;
    reach /= ORDERS / 4;
    if (reach < 1e-9) break;
  }
  return { epsilon: Math.max(0, at(centre)), order: 1 + Math.exp(centre) };
}
