import type { Strategy } from '../strategy.ts';
import { type FedOptOptions, fedOpt } from './fedopt.ts';

/** FedAdam: v ← β₂ v + (1 − β₂) Δ² in the rule of `fedOpt`. */
export function fedadam({ beta2, ...options }: FedOptOptions & { readonly beta2: number }): Strategy {
  return fedOpt('fedadam', (v, square) => beta2 * v + (1 - beta2) * square, options);
}
