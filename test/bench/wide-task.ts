import { agreedBinning, type Binning, firstBinning, identityOf, reportLayout } from '@coppice/continuity';
import { builtInTask } from '@coppice/datasets';
import { MeasureSum } from '@coppice/federation';
import { normal, type RandomSource } from '@coppice/ports';
import type { Task } from '@coppice/protocol';

/** The number of classes of a wide task. */
const CLASSES = 3;

/** A task of a table with so many columns of numbers, standard normal, and three classes. */
export function wideTask(columns: number): Task {
  const iris = builtInTask('iris') as Task;
  return {
    ...iris,
    id: `wide-${columns}`,
    data: {
      kind: 'table',
      features: Array.from({ length: columns }, (_, i) => ({
        name: `column ${i}`,
        mean: 0,
        scale: 1,
        min: -10,
        max: 10,
      })),
      target: { kind: 'class', name: 'class', classes: ['a', 'b', 'c'] },
    },
  };
}

/** So many predictions of a wide task, one after another in each array. */
export function drawPredictions(columns: number, count: number, random: RandomSource) {
  return {
    examples: Float32Array.from({ length: count * columns }, () => normal(random)),
    outputs: Float32Array.from({ length: count * CLASSES }, (_, i) =>
      i % CLASSES === Math.floor(i / CLASSES) % CLASSES ? 0.8 : 0.1,
    ),
  };
}

/** Bins of a task as reports have them: ten for each column of numbers. */
export function reportedBinning(task: Task): Binning {
  const first = firstBinning(task);
  return agreedBinning(first, new MeasureSum(reportLayout(first, identityOf(first))).totals());
}
