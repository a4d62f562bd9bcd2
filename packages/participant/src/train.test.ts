import {
  checkTally,
  measureForm,
  readContribution,
  type Tally,
  tallyOf,
  trainLayout,
  withFrozen,
} from '@coppice/federation';
import { crc32, defaultPlan, frameBytes, type Plan, sectionsOf, type Task } from '@coppice/protocol';
import { createTrainer, layoutOf } from '@coppice/training';
import { expect, it } from 'vitest';
import type { OwnDataset } from './local-data.ts';
import { answerTrain, type Kept } from './train.ts';
import type { TrainerHost } from './trainer-host.ts';

const dense = (name: string, units: number, more: object) => ({
  class_name: 'Dense',
  config: { name, units, use_bias: true, ...more },
});
const task = {
  id: 'toy',
  data: {
    kind: 'table',
    features: ['a', 'b'].map((name) => ({ name, mean: 0, scale: 1 })),
    target: { kind: 'class', name: 'y', classes: ['no', 'yes'] },
  },
  model: {
    class_name: 'Sequential',
    config: {
      name: 'toy',
      layers: [
        dense('base', 8, { trainable: false, activation: 'tanh', batch_input_shape: [null, 2] }),
        dense('head', 2, { activation: 'softmax' }),
      ],
    },
  },
  loss: 'categoricalCrossentropy',
} as unknown as Task;
const data: OwnDataset = {
  count: 20,
  xs: Float32Array.from({ length: 40 }, (_, i) => Math.sin(7 * i)),
  ys: Float32Array.from({ length: 20 }, (_, i) => i % 2),
  ids: Uint8Array.from({ length: 20 * 16 }, (_, i) => i),
  times: new Float64Array(20).fill(Number.NaN),
};

/** Trains on some examples as the plan says, in a round of one. */
async function trained(
  plan: Plan,
  examples: OwnDataset,
  use: (parts: {
    model: Awaited<ReturnType<typeof layoutOf>>;
    sections: ReturnType<typeof sectionsOf>;
    weights: Float32Array;
    answered: (kept: Kept | null) => ReturnType<typeof answerTrain>;
  }) => Promise<void>,
): Promise<void> {
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const model = await layoutOf(description);
  const layout = trainLayout(model, task, plan);
  const trainer = await createTrainer(description, { backend: 'planned', seed: 3 });
  const host = { use: (_: unknown, work: (it: typeof trainer) => unknown) => work(trainer) };
  try {
    const weights = await trainer.getWeights();
    const answered = (kept: Kept | null) =>
      answerTrain({
        task,
        plan,
        layout,
        participant: 'p',
        ask: { round: 1 },
        weights,
        given: {},
        kept,
        data: examples,
        secret: new Uint8Array(32),
        heldOut: 0.1,
        now: 0,
        host: host as unknown as TrainerHost,
        checksum: crc32,
        elapsed: () => 0,
        signal: new AbortController().signal,
        onEvaluating: () => {},
        onTraining: () => {},
      });
    await use({ model, sections: sectionsOf(layout), weights, answered });
  } finally {
    trainer.dispose();
  }
}

it.each(['float32', 'top10'] as const)('sends no number of a frozen layer with %s', async (uploadCodec) => {
  await trained({ ...defaultPlan, uploadCodec }, data, async ({ model, sections, weights, answered }) => {
    const first = await answered(null);
    // What a codec left out, of the numbers that travel alone, is added to the next answer.
    const { answer } = await answered(first.kept);
    const { vectors } = readContribution(uploadCodec, frameBytes(answer.frame).subarray(40), sections);
    expect(sections[0]?.parameters).toBe(8 * 2 + 2);
    expect(vectors.get('model')?.parameters).toBe(8 * 2 + 2);
    expect(model.map(({ name, frozen = false }) => [name, frozen])).toEqual([
      ['head/kernel', false],
      ['head/bias', false],
      ['base/kernel', true],
      ['base/bias', true],
    ]);
    for (const kept of Object.values(first.kept?.pipeline ?? {}))
      expect(withFrozen(kept, sections[0] as (typeof sections)[0])).toHaveLength(weights.length);
    expect(first.norm).toBeGreaterThan(0);
  });
});

it('measures on no example, and is accepted, where there is one to train on', async () => {
  const one = {
    count: 1,
    xs: data.xs.slice(0, 2),
    ys: data.ys.slice(0, 1),
    ids: data.ids.slice(0, 16),
    times: data.times.slice(0, 1),
  };
  await trained(defaultPlan, one, async ({ sections, answered }) => {
    const { answer, evaluation } = await answered(null);
    expect([answer.weight, evaluation]).toEqual([1, null]);
    const { measures } = readContribution('float32', frameBytes(answer.frame).subarray(40), sections);
    const held = tallyOf('held', measures) as Tally;
    expect(held).toEqual({
      examples: 0,
      loss: 0,
      lossExamples: 0,
      hits: 0,
      classes: { examples: [0, 0], hits: [0, 0] },
    });
    expect(() => checkTally(held, measureForm(task, defaultPlan))).not.toThrow();
  });
});

it('trains and measures on a drawn share where the device has more examples than the plan counts', async () => {
  const many = 400;
  const examples: OwnDataset = {
    count: many,
    xs: Float32Array.from({ length: 2 * many }, (_, i) => Math.sin(7 * i)),
    ys: Float32Array.from({ length: many }, (_, i) => i % 2),
    ids: Uint8Array.from({ length: many * 16 }, (_, i) => (i * 7919) >> 3),
    times: new Float64Array(many).fill(Number.NaN),
  };
  await trained({ ...defaultPlan, maxExamples: 20 }, examples, async ({ sections, answered }) => {
    const { answer } = await answered(null);
    expect(answer.weight).toBe(20);
    const { measures } = readContribution('float32', frameBytes(answer.frame).subarray(40), sections);
    expect(tallyOf('train', measures)?.examples).toBe(20);
    expect(tallyOf('held', measures)?.examples).toBe(20);
  });
});
