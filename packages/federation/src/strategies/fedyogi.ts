import type { Strategy } from '../strategy.ts';
import { type FedOptOptions, fedOpt } from './fedopt.ts';

/** FedYogi: v ← v − (1 − β₂) Δ² sign(v − Δ²) in the rule of `fedOpt`. */
export function fedyogi({ beta2, ...options }: FedOptOptions & { readonly beta2: number }): Strategy {
  return fedOpt('fedyogi', (v, square) => v - (1 - beta2) * square * Math.sign(v - square), options);
}
