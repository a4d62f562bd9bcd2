import { type RawExamples, trainerExamples } from '@coppice/datasets';
import type { Task } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { classOf } from './predictor.ts';
import { lastPeriods, newFrom, type Scenario } from './scenario.ts';

/** Epochs over the new data, after which accuracy hardly rises in any scenario. */
const EPOCHS = 15;

/**
 * The accuracy that the new data alone give: of a model that was trained in one place, from the beginning, on all
 * examples from the last change to `lastPeriods`, measured on the examples of these. Where nothing changes, all periods are new.
 */
export async function newDataOnly(scenario: Scenario, seed: number): Promise<number> {
  const { size, first } = scenario;
  const stream = await scenario.stream(size, seed);
  const { task } = stream;
  const gather = (from: number, to: number) =>
    joined(
      Array.from({ length: to - from + 1 }, (_, at) => from + at).flatMap((period) =>
        Array.from({ length: size.participants }, (_, device) => stream.examples(device, period)),
      ),
      task,
    );
  const measuredFrom = size.periods - lastPeriods(size) + 1;
  const training = gather(newFrom(scenario), measuredFrom - 1);
  const measured = gather(measuredFrom, size.periods);
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const trainer = await createTrainer(description, { backend: 'planned', seed });
  try {
    const plan = { ...task.planDefaults, ...first };
    const { weights } = await trainer.train(trainerExamples(training, task.data), {
      epochs: EPOCHS,
      batchSize: Number(plan['batchSize'] ?? 10),
      optimizer: 'sgd',
      learningRate: Number(plan['learningRate'] ?? 0.1),
      shuffleSeed: `new-data-only/${seed}`,
    });
    trainer.setWeights(weights);
    const { xs, ys, count } = trainerExamples(measured, task.data);
    const outputs = await trainer.predict(xs, count);
    const width = outputs.length / count;
    const right = ys.filter(
      (label, row) => classOf(outputs.subarray(row * width, (row + 1) * width)) === label,
    );
    return right.length / count;
  } finally {
    trainer.dispose();
  }
}

function joined(parts: readonly RawExamples[], { data }: Task): RawExamples {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const length = parts.reduce((sum, part) => sum + part.features.length, 0);
  const features = data.kind === 'image' ? new Uint8Array(length) : new Float32Array(length);
  const labels = new Float32Array(count);
  let [at, row] = [0, 0];
  for (const part of parts) {
    features.set(part.features, at);
    labels.set(part.labels, row);
    at += part.features.length;
    row += part.count;
  }
  return { count, features, labels };
}
