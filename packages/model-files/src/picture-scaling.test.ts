import { readFileSync } from 'node:fs';
import type { ImageData, PictureRange } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { fitRange } from './picture-scaling.ts';
import { readTopology } from './read-topology.ts';

const data: ImageData = { kind: 'image', width: 8, height: 8, channels: 3, classes: ['a', 'b'] };
const layer = (class_name: string, name: string, config = {}) => ({
  class_name,
  config: { name, ...config },
});
const input = { batch_input_shape: [null, 8, 8, 3] };
const rescaling = (scale: number, offset = 0) => layer('Rescaling', 'r', { scale, offset });
const sequential = (...layers: object[]) =>
  readTopology({ class_name: 'Sequential', config: { name: 'm', layers } });
const chain = (...first: object[]) =>
  sequential(layer('InputLayer', 'i', input), ...first, layer('Conv2D', 'c'), layer('Dense', 'd'));
/** The same as a graph: each layer takes the one before. */
const graph = (...first: { class_name: string; config: { name: string } }[]) => {
  const layers = [layer('InputLayer', 'i', input), ...first, layer('Dense', 'd')];
  return readTopology({
    class_name: 'Model',
    config: {
      name: 'g',
      layers: layers.map((one, i) => ({
        ...one,
        name: one.config.name,
        inbound_nodes: i === 0 ? [] : [[[layers[i - 1]?.config.name, 0, 0, {}]]],
      })),
      input_layers: [['i', 0, 0]],
      output_layers: [['d', 0, 0]],
    },
  });
};
const stated = (range: PictureRange): ImageData => ({ ...data, range });

it('gives a model that divides by 255 itself the bytes, where the task states no range', () => {
  const file = new URL('../../../test/cases/models/rescaling-first.json', import.meta.url);
  const { model, data: pictures } = JSON.parse(readFileSync(file, 'utf8'));
  expect(fitRange(pictures, readTopology(model))).toEqual({ ...pictures, range: '0-255' });
});

it.each<[string, ReturnType<typeof chain>, PictureRange | undefined]>([
  ['has no such layer', chain(), undefined],
  ['brings bytes to −1–1', chain(rescaling(1 / 127.5, -1)), '0-255'],
  ['divides in two steps', chain(rescaling(1 / 5), rescaling(1 / 51)), '0-255'],
  ['brings 0–1 to −1–1, which fits what tasks have', chain(rescaling(2, -1)), undefined],
  ['divides after its pictures are cut', chain(layer('CenterCrop', 'x'), rescaling(1 / 255)), '0-255'],
  ['is a graph', graph(rescaling(1 / 255) as never), '0-255'],
  ['begins with a model that divides', chain(sequential(rescaling(1 / 255), layer('Conv2D', 'c'))), '0-255'],
  ['begins with a model that only divides', chain(sequential(rescaling(1 / 255))), '0-255'],
  ['divides after its first weights', chain(layer('Conv2D', 'c1'), rescaling(1 / 255)), undefined],
])('finds the range of a model that %s', (_, topology, range) => {
  expect(fitRange(data, topology)).toEqual(range === undefined ? data : stated(range));
});

it('leaves a stated range alone where model and task agree', () => {
  for (const range of ['0-1', '-1-1', '0-255'] as const)
    expect(fitRange(stated(range), chain())).toEqual(stated(range));
  expect(fitRange(stated('0-255'), chain(rescaling(1 / 255)))).toEqual(stated('0-255'));
  expect(fitRange(stated('-1-1'), chain(rescaling(0.5, 0.5)))).toEqual(stated('-1-1'));
});

it.each<[PictureRange, number, number, string]>([
  ['0-1', 1 / 255, 0, '0 … 0.00392. Choose the range 0–255'],
  ['-1-1', 1 / 127.5, -1, '−1.01 … −0.992. Choose the range 0–255'],
  ['0-255', 255, 0, '0 … 65000. Choose the range 0–1'],
])(
  'refuses the range %s before Rescaling(%d, %d), and names the one to choose',
  (range, scale, offset, said) => {
    expect(() => fitRange(stated(range), chain(rescaling(scale, offset)))).toThrow(
      expect.objectContaining({ code: 'model-invalid', message: expect.stringContaining(said) }),
    );
  },
);

it('refuses a layer after which all pixels are the same', () => {
  expect(() => fitRange(data, chain(rescaling(0, 1)))).toThrow(/"r" \(Rescaling\) brings pixels to 1 … 1/);
});
