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
    discordant: { lost: one('lost'), won: one('won') },
    participants: { better: one('better'), worse: one('worse') },
    older: clusterSums(sums, 'older', 0),
    classes: Array.from({ length: classes }, (_, i) => clusterSums(sums, 'class', i)),
    accuracies: {
      production: [...(sums.get('production-accuracy') ?? [])],
      candidate: [...(sums.get('candidate-accuracy') ?? [])],
    },
  };
}

function clusterSums(sums: Sums, of: Slice | 'class', index: number): ClusterSums {
  const names = clusterNames(of);
  const at = (name: string) => sums.get(name)?.[index] ?? 0;
  return {
    clusters: at(names.clusters),
    examples: at(names.examples),
    sum: at(names.sum),
    sumSquares: at(names.sumSquares),
    products: at(names.products),
    sizeSquares: at(names.sizeSquares),
  };
}
