import { readContribution, trainLayout, withFrozen } from '@coppice/federation';
import { crc32, defaultPlan, frameBytes, type Plan, sectionsOf, type Task } from '@coppice/protocol';
import { createTrainer, layoutOf } from '@coppice/training';
import { expect, it } from 'vitest';
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
const data = {
  count: 20,
  xs: Float32Array.from({ length: 40 }, (_, i) => Math.sin(7 * i)),
  ys: Float32Array.from({ length: 20 }, (_, i) => i % 2),
};

it.each(['float32', 'top10'] as const)('sends no number of a frozen layer with %s', async (uploadCodec) => {
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const plan: Plan = { ...defaultPlan, uploadCodec };
  const model = await layoutOf(description);
  const layout = trainLayout(model, task, plan);
  const sections = sectionsOf(layout);
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
        data,
        host: host as unknown as TrainerHost,
        checksum: crc32,
        elapsed: () => 0,
        signal: new AbortController().signal,
        onEvaluating: () => {},
        onTraining: () => {},
      });
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
  } finally {
    trainer.dispose();
  }
});
