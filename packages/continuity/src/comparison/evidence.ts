import type { Sums } from '../report/sums.ts';
import type { GateEvidence } from '../rules/gate.ts';
import type { ClusterSums } from '../statistics/clustered-mean.ts';
import { clusterNames, type Slice } from './layout.ts';

/** What a gate decides on, of the sums of comparisons by tensor of `comparisonLayout`. */
export function comparisonEvidence(sums: Sums): Omit<GateEvidence, 'candidate'> {
  const one = (name: string) => sums.get(name)?.[0] ?? 0;
  const classes = sums.get(clusterNames('class').clusters)?.length ?? 0;
  return {
    recent: clusterSums(sums, 'recent', 0),
    discordant: { lost: one('worse'), won: one('better') },
    older: clusterSums(sums, 'older', 0),
    classes: Array.from({ length: classes }, (_, i) => clusterSums(sums, 'class', i)),
    accuracies: {
      production: [...(sums.get('production-accuracy') ?? [])],
      candidate: [...(sums.get('candidate-accuracy') ?? [])],
    },
  };
}

/** Each participant counts once, so that none weighs by the number of examples that it claims. */
function clusterSums(sums: Sums, of: Slice | 'class', index: number): ClusterSums {
  const names = clusterNames(of);
  const at = (name: string) => sums.get(name)?.[index] ?? 0;
  const [participants, means] = [at(names.clusters), at(names.means)];
  return {
    clusters: participants,
    examples: participants,
    sum: means,
    sumSquares: at(names.squares),
    products: means,
    sizeSquares: participants,
  };
}
