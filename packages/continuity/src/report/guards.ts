import type { Guard } from '../rules/canary.ts';
import type { ClusterSums } from '../statistics/clustered-mean.ts';
import { guardedArms } from './layout.ts';
import type { Sums } from './sums.ts';

/**
 * The guard metrics of a canary in the sums of reports. Each participant with enough outcomes counts once, by its mean error
 * since the canary began, so that no device weighs more than another.
 *
 * @param noise the variance of the noise that each sum has.
 */
export function guardEvidence(sums: Sums, noise = 0): Guard[] {
  const [canary, control] = guardedArms.map((_, arm) => armSums(sums, arm, noise)) as [
    ClusterSums,
    ClusterSums,
  ];
  return [{ name: 'error', canary, control }];
}

function armSums(sums: Sums, arm: number, noise: number): ClusterSums {
  const at = (name: string) => sums.get(name)?.[arm] ?? 0;
  // Noise can leave any number. Fewer than two participants tell nothing.
  const [participants, errors] = [Math.max(0, at('guard-present')), at('guard-errors')];
  const mean = participants > 0 ? errors / participants : 0;
  return {
    clusters: participants,
    examples: participants,
    sum: errors,
    // A ratio of noisy sums varies by σ² (1 + mean²) / n² more, to first order.
    sumSquares: at('guard-squares') + noise * (1 + mean ** 2),
    products: errors,
    sizeSquares: participants,
  };
}
