import { expect, it } from 'vitest';
import { featureLayerOf } from './feature-layer.ts';

const dense = (name: string, calls?: unknown) => ({
  class_name: 'Dense',
  config: { name },
  ...(calls === undefined ? {} : { name, inbound_nodes: calls }),
});
const softmax = { class_name: 'Softmax', config: { name: 'softmax' } };
const once = [[['x', 0, 0, {}]]];

it.each([
  ['the last dense layer', 'Sequential', { layers: [dense('a'), dense('b'), softmax] }, 'b'],
  ['one of a config that is the list itself', 'Sequential', [dense('a')], 'a'],
  ['one that a functional model applies once', 'Functional', { layers: [dense('a', once)] }, 'a'],
  ['none that it applies twice', 'Model', { layers: [dense('a', [...once, ...once])] }, null],
  ['none of two with one name', 'Sequential', { layers: [dense('a'), dense('a')] }, null],
  [
    'none inside another model',
    'Sequential',
    { layers: [{ class_name: 'Sequential', config: { layers: [dense('a')] } }] },
    null,
  ],
  ['none of a model without one', 'Sequential', { layers: [softmax] }, null],
  ['none of something else', 'Sequential', { layers: [null, 3, { class_name: 'Dense' }] }, null],
  ['none of nothing', 'Sequential', null, null],
])('features are the input of %s', (_, class_name, config, name) => {
  expect(featureLayerOf({ class_name, config })).toBe(name);
});
