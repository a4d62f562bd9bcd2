import type { Sums } from '../report/sums.ts';
import type { GateEvidence } from '../rules/gate.ts';
import type { ClusterSums } from '../statistics/clustered-mean.ts';
import { type ClusteredSet, clusterNames } from './layout.ts';

/**
 * What a gate decides on, of the sums of comparisons by tensor of `comparisonLayout`.
 *
 * @param participants the number of those that answered.
 * @param noise the variance of the noise that each sum has.
 */
export function comparisonEvidence(
  sums: Sums,
  participants: number,
  noise = 0,
): Omit<GateEvidence, 'candidate'> {
  const one = (name: string) => sums.get(name)?.[0] ?? 0;
  const older = sums.has(clusterNames('older').clusters) ? clusterSums(sums, 'older', 0) : null;
  const each = (of: 'class' | 'group') =>
    Array.from({ length: sums.get(clusterNames(of).clusters)?.length ?? 0 }, (_, i) =>
      clusterSums(sums, of, i),
    );
  const groups = each('group');
  return {
    participants,
    noise,
    recent: clusterSums(sums, 'recent', 0),
    discordant: { lost: one('worse'), won: one('better') },
    older,
    classes: each('class'),
    ...(groups.length === 0 ? {} : { groups }),
    accuracies: {
      production: [...(sums.get('production-accuracy') ?? [])],
      candidate: [...(sums.get('candidate-accuracy') ?? [])],
    },
  };
}

function clusterSums(sums: Sums, of: ClusteredSet, index: number): ClusterSums {
  const names = clusterNames(of);
  const at = (name: string) => sums.get(name)?.[index] ?? 0;
  return {
    clusters: at(names.clusters),
    examples: at(names.sizes),
    sum: at(names.sums),
    sumSquares: at(names.sumSquares),
    products: at(names.products),
    sizeSquares: at(names.sizeSquares),
  };
}
