import { parentPort, workerData } from 'node:worker_threads';
import { type RawExamples, trainerExamples } from '@coppice/datasets';
import type { DataSchema, Metrics } from '@coppice/protocol';
import { createTrainer, type ModelDescription } from '@coppice/training';

/** The initial data of the thread. */
export interface TestData {
  readonly model: ModelDescription;
  readonly data: DataSchema;
  readonly test: RawExamples;
}

export type TestAnswer =
  | { readonly id: number; readonly metrics: Metrics }
  | { readonly id: number; readonly error: string };

/* Evaluates models on test data of the person's own, one after the other. */
const { model, data, test } = workerData as TestData;
const trainer = createTrainer(model, { backend: 'planned', seed: 0 });
const dataset = trainerExamples(test, data);

parentPort?.on('message', async ({ id, weights }: { id: number; weights: Float32Array }) => {
  const answer: TestAnswer = await trainer
    .then(async (ready) => {
      ready.setWeights(weights);
      return { id, metrics: await ready.evaluate(dataset) };
    })
    .catch((thrown: unknown) => ({ id, error: (thrown as Error).message }));
  parentPort?.postMessage(answer);
});
