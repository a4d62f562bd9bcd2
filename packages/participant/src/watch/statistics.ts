import { MAX_OBSERVATIONS, OwnStatistics } from '@coppice/continuity';
import { emptyLike, trainerExamples } from '@coppice/datasets';
import { exampleSize, type Loss } from '@coppice/protocol';
import type { OwnExamples } from '../local-data.ts';
import type { TrainerHost } from '../trainer-host.ts';
import { observationOf } from './observation.ts';
import type { TaskModel, WatchedTask } from './task-source.ts';
import type { WatchTerms } from './terms.ts';

/** Examples that are predicted in one call. */
const BATCH = 512;

/**
 * Counts a device's own examples as if the model had been asked about each, with their labels: the statistics that a release's
 * reference is made of. An example that the model gives no finite numbers for is not counted.
 *
 * @param work.since milliseconds since 1970: only examples from then on count, and those of unknown time do not; `null`: all
 *   do. Of more than 65,536 the last ones count.
 * @returns the numbers of the statistics, by `statisticsLayout`; `null` where there are fewer examples than the task's minimum.
 * @throws CoppiceError `backend-lost`, `backend-unavailable`, `model-invalid`
 */
export async function exampleStatistics(work: {
  readonly task: WatchedTask & { readonly loss: Loss };
  readonly terms: Pick<WatchTerms, 'binning' | 'identity' | 'minimum'>;
  readonly model: TaskModel;
  readonly examples: OwnExamples;
  readonly since: number | null;
  readonly host: TrainerHost;
}): Promise<Float32Array | null> {
  const { task, terms, model, examples, since, host } = work;
  const { data, loss } = task;
  const { binning, identity, minimum } = terms;
  const rows: number[] = [];
  for (const [row, time] of examples.times.entries()) if (since === null || time >= since) rows.push(row);
  if (rows.length < minimum) return null;
  const counted = rows.slice(-MAX_OBSERVATIONS);
  const size = exampleSize(data);
  const rowOf = (row: number) => examples.features.subarray(row * size, (row + 1) * size);
  return host.use({ topology: model.topology, data, loss }, async (trainer) => {
    const statistics = new OwnStatistics(binning, identity);
    trainer.setWeights(model.weights);
    for (let from = 0; from < counted.length; from += BATCH) {
      const batch = counted.slice(from, from + BATCH);
      const features = joined(batch.map(rowOf), emptyLike(examples.features, batch.length * size));
      const { xs } = trainerExamples({ count: batch.length, features, labels: new Float32Array(0) }, data);
      const { outputs, features: seen } = await trainer.predictWithFeatures(xs, batch.length);
      const partOf = (of: Float32Array, i: number) => {
        const width = of.length / batch.length;
        return of.subarray(i * width, (i + 1) * width);
      };
      for (const [i, row] of batch.entries()) {
        const output = partOf(outputs, i);
        const prediction = { example: rowOf(row), output, features: seen === null ? null : partOf(seen, i) };
        const observation = observationOf(prediction, data);
        if (observation !== null) statistics.observe(observation, examples.labels[row] as number);
      }
    }
    return statistics.numbers(minimum);
  });
}

/** Fills an array with rows of equal length, one after another. */
function joined<T extends Uint8Array | Float32Array | Float64Array>(rows: readonly T[], all: T): T {
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}
