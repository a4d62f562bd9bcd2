import { type RawExamples, selectExamples } from '@coppice/datasets';
import { accuracyOf, Predictor } from './predictor.ts';
import type { Scenario } from './scenario.ts';
import type { Kept, MakeScheme, Predicted } from './schemes/scheme.ts';
import { World } from './world.ts';

/** One period of a scenario under a scheme. */
export interface PlayedPeriod extends Kept {
  /** From 1. */
  readonly period: number;
  /** The share of the period's new examples that were predicted right, before any model saw them. */
  readonly accuracy: number;
  /** Bytes that devices sent and received in it. */
  readonly bytes: number;
  /** Seconds of computing on devices, by the work: see `WORK_A_SECOND`. */
  readonly deviceSeconds: number;
}

/** Floating-point operations a second of the device by which computing is counted: a slow phone's. */
const WORK_A_SECOND = 1e9;

/** Operations for one parameter and example: two forward, four backward. */
const TRAINING_WORK = 6;

/**
 * Plays a scenario: a first model is trained on the examples of period 0 and released; in each period every device predicts
 * its new examples, learns the outcomes and stores the examples, and the scheme does its part. Bytes count from the first
 * release on.
 *
 * @param told is called after each period.
 */
export async function play(
  scenario: Scenario,
  seed: number,
  makeScheme: MakeScheme,
  told: (period: PlayedPeriod) => void = () => {},
): Promise<PlayedPeriod[]> {
  const world = await World.open(scenario, seed);
  let predictor: Predictor | null = null;
  try {
    const { population, stream } = world;
    const { participants, periods } = scenario.size;
    predictor = await Predictor.of(stream.task, world.source);
    const scheme = makeScheme(world);
    const first = await world.train(scenario.first, null);
    await world.release(first, 'first model');
    for (const { models } of population.devices) models.add(first.hash);
    let before = population.bytes;
    await scheme.begin(first);
    world.goTo(1);
    const played: PlayedPeriod[] = [];
    for (let period = 1; period <= periods; period++) {
      const examples = Array.from({ length: participants }, (_, device) => stream.examples(device, period));
      const models = examples.map((_, device) => scheme.modelOf(device));
      const predictions = await predictAll(predictor, models, examples);
      for (const [device, made] of predictions.entries()) {
        await scheme.predicted(device, period, made);
        population.devices[device]?.models.add(models[device] as string);
      }
      const all = predictions.flat();
      await population.add((device) => {
        const own = examples[device] as RawExamples;
        return scenario.stored?.(own, period) ?? own;
      });
      const kept = await scheme.after(period);
      world.goTo(period + 1);
      const { bytes } = population;
      const one: PlayedPeriod = {
        period,
        accuracy: accuracyOf(
          all,
          all.map(({ label }) => label),
        ),
        ...kept,
        bytes: bytes - before,
        deviceSeconds: (kept.trained * world.parameters * TRAINING_WORK) / WORK_A_SECOND,
      };
      before = bytes;
      played.push(one);
      told(one);
    }
    return played;
  } finally {
    predictor?.dispose();
    await world.close();
  }
}

/** Predicts the examples of all devices, those with the same model together. */
async function predictAll(
  predictor: Predictor,
  models: readonly string[],
  examples: readonly RawExamples[],
): Promise<Predicted[][]> {
  const made: Predicted[][] = examples.map(() => []);
  for (const hash of new Set(models)) {
    for (const [device, own] of examples.entries()) {
      if (models[device] !== hash) continue;
      const answers = await predictor.predict(hash, own);
      made[device] = answers.map((answer, row) => {
        const { features, labels } = selectExamples(own, [row]);
        return { ...answer, example: features, hash, label: labels[0] as number };
      });
    }
  }
  return made;
}
