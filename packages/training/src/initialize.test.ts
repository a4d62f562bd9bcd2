import { expect, it } from 'vitest';
import { seedTopology } from './initialize.ts';

const topology = {
  class_name: 'Sequential',
  config: {
    layers: [
      { class_name: 'Dense', config: { units: 4, kernel_initializer: 'glorot_uniform', name: 'given' } },
      { class_name: 'MaxPooling2D', config: {} },
      {
        class_name: 'LSTM',
        config: {
          recurrent_initializer: { class_name: 'Orthogonal', config: { gain: 2, seed: null } },
          bias_initializer: { class_name: 'Zeros', config: {} },
        },
      },
      {
        class_name: 'Dense',
        config: { kernel_initializer: { class_name: 'HeNormal', config: { seed: 17 } } },
      },
    ],
  },
};

type Layers = {
  config: { name: string } & Record<string, { class_name: string; config: { seed?: number } }>;
}[];
const layersOf = (seed: number) => (seedTopology(topology, seed).config as { layers: Layers }).layers;

it('gives every random initializer a seed of its own, the given ones excepted', () => {
  const [first, , lstm, last] = layersOf(1);
  const drawn = [
    first?.config['kernel_initializer'],
    lstm?.config['kernel_initializer'],
    lstm?.config['recurrent_initializer'],
  ];
  expect(drawn.map((initializer) => initializer?.class_name)).toEqual([
    'GlorotUniform',
    'GlorotNormal',
    'Orthogonal',
  ]);
  const seeds = drawn.map((initializer) => initializer?.config.seed as number);
  expect(new Set(seeds).size).toBe(3);
  for (const seed of seeds) expect(Number.isInteger(seed) && seed > 0).toBe(true);
  expect(lstm?.config['recurrent_initializer']?.config).toMatchObject({ gain: 2 });
  expect(lstm?.config['bias_initializer']).toEqual({ class_name: 'Zeros', config: {} });
  expect(last?.config['kernel_initializer']?.config.seed).toBe(17);
});

it('gives the same seeds for the same seed only', () => {
  expect(layersOf(1)).toEqual(layersOf(1));
  expect(layersOf(2)[0]).not.toEqual(layersOf(1)[0]);
});

it('names the layers that have no name by their kind and place', () => {
  expect(layersOf(1).map((layer) => layer.config.name)).toEqual([
    'given',
    'max_pooling2d_2',
    'lstm_3',
    'dense_4',
  ]);
});

it('leaves what it was given as it was', () => {
  const before = JSON.stringify(topology);
  seedTopology(topology, 1);
  expect(JSON.stringify(topology)).toBe(before);
});
