import type { Guard } from '../rules/canary.ts';
import type { ClusterSums } from '../statistics/clustered-mean.ts';
import { guardedArms } from './layout.ts';
import type { Sums } from './sums.ts';

/**
 * The guard metrics of a canary in the sums of reports. Each participant with enough outcomes counts once, by its mean error
 * since the canary began, so that no device weighs more than another.
 */
export function guardEvidence(sums: Sums): Guard[] {
  const [canary, control] = guardedArms.map((_, arm) => armSums(sums, arm)) as [ClusterSums, ClusterSums];
  return [{ name: 'error', canary, control }];
}

function armSums(sums: Sums, arm: number): ClusterSums {
  const at = (name: string) => sums.get(name)?.[arm] ?? 0;
  const [participants, errors] = [at('guard-present'), at('guard-errors')];
  return {
    clusters: participants,
    examples: participants,
    sum: errors,
    sumSquares: at('guard-squares'),
    products: errors,
    sizeSquares: participants,
  };
}
