import { expect, it } from 'vitest';
import type { ModelFile } from './model-file.ts';
import { summaryOf } from './summary.ts';

const dense = (name: string, more: object = {}) => ({
  class_name: 'Dense',
  config: { name, units: 2, ...more },
});
const tensor = (name: string, ...shape: number[]) => ({ name, shape, values: new Float32Array(0) });
const file = (weights: ModelFile['weights']): ModelFile => ({
  format: 'tfjs',
  topology: {
    class_name: 'Sequential',
    config: {
      name: 'm',
      layers: [
        {
          class_name: 'Sequential',
          config: {
            name: 'base',
            trainable: false,
            layers: [dense('inner'), { class_name: 'Flatten', config: {} }],
          },
        },
        dense('frozen', { trainable: false, use_bias: false }),
        dense('head'),
      ],
    },
  },
  weights,
});

it('counts what is frozen by itself or within a frozen model', () => {
  const weights = [
    tensor('inner/kernel', 3, 2),
    tensor('inner/bias', 2),
    tensor('frozen/kernel', 2, 2),
    tensor('head/kernel', 2, 2),
    tensor('head/bias', 2),
  ];
  const found = { format: 'tfjs', layers: 3, frozenLayers: ['inner', 'frozen'] };
  expect(summaryOf(file(weights))).toEqual({ ...found, parameters: 18, frozen: 12 });
  expect(summaryOf(file(null))).toEqual({ ...found, parameters: null, frozen: null });
});
