import {
  addMetricSums,
  emptyMetricSums,
  type Measured,
  type Metrics,
  metricForm,
  type Task,
} from '@coppice/protocol';
import { metricsOf } from '@coppice/training';
import type { Results } from './jobs.ts';

/**
 * The metrics of a task's test data from the sums of its parts, added in the parts' order, so that the result is the same to
 * the bit for any distribution of them.
 */
export function together(shares: readonly Results['evaluate'][], task: Task): Metrics | null {
  const parts = shares.flatMap((share) => (share === null ? [] : [...share]));
  const [first, ...more] = parts.sort(([a], [b]) => a - b).map(([, measured]) => measured);
  if (first === undefined) return null;
  const sums = emptyMetricSums(metricForm(task));
  for (const part of [first, ...more]) if (part.sums !== undefined) addMetricSums(sums, part.sums);
  const total = more.reduce(added, first);
  return metricsOf(total.sums === undefined ? total : { ...total, sums }, task);
}

function added(a: Measured, b: Measured): Measured {
  return {
    ...a,
    lossSum: a.lossSum + b.lossSum,
    examples: a.examples + b.examples,
    hits: a.hits === null || b.hits === null ? null : a.hits + b.hits,
    perClass:
      a.perClass?.map(({ hits, count }, i) => ({
        hits: hits + (b.perClass?.[i]?.hits ?? 0),
        count: count + (b.perClass?.[i]?.count ?? 0),
      })) ?? null,
  };
}
