import type { RawExamples, Stream } from '@coppice/datasets';
import { accuracyOf, Predictor } from './predictor.ts';
import { lastPeriods, newFrom, type Scenario } from './scenario.ts';
import { World } from './world.ts';

/**
 * The accuracy that the new data alone give: of a first model, by the scenario's plan for first models, of devices that have
 * all examples from the last change to `lastPeriods` and no others, measured on the examples of these. Where nothing changes,
 * all periods are new.
 */
export async function newDataOnly(scenario: Scenario, seed: number): Promise<number> {
  const { size, first } = scenario;
  const measuredFrom = size.periods - lastPeriods(size) + 1;
  const stream = await scenario.stream(size, seed);
  const world = await World.open(
    { ...scenario, stream: async () => onlyPeriods(stream, newFrom(scenario), measuredFrom - 1) },
    seed,
  );
  let predictor: Predictor | null = null;
  try {
    const { hash } = await world.train(first, null);
    predictor = await Predictor.of(stream.task, world.source);
    let [right, all] = [0, 0];
    for (let period = measuredFrom; period <= size.periods; period++)
      for (let device = 0; device < size.participants; device++) {
        const examples = stream.examples(device, period);
        right += accuracyOf(await predictor.predict(hash, examples), examples.labels) * examples.count;
        all += examples.count;
      }
    return right / all;
  } finally {
    predictor?.dispose();
    await world.close();
  }
}

/** The same stream, whose period 0 has the examples of some later ones. */
function onlyPeriods(stream: Stream, from: number, to: number): Stream {
  return {
    task: stream.task,
    examples: (device) =>
      joined(Array.from({ length: to - from + 1 }, (_, at) => stream.examples(device, from + at))),
  };
}

function joined(parts: readonly RawExamples[]): RawExamples {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const length = parts.reduce((sum, part) => sum + part.features.length, 0);
  const bytes = parts.every(({ features }) => features instanceof Uint8Array);
  const features = bytes ? new Uint8Array(length) : new Float32Array(length);
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
