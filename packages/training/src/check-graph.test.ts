import { readTopology } from '@coppice/model-files';
import type { DataSchema, Topology } from '@coppice/protocol';
import { mutated } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useBackend } from './backends.ts';
import { checkGraph, MAX_APPLICATIONS } from './check-graph.ts';
import { checkModel } from './describe-model.ts';
import { buildModel } from './model.ts';
import * as tf from './tf.ts';

const data: DataSchema = {
  kind: 'table',
  features: ['a', 'b'].map((name) => ({ name, mean: 0, scale: 1 })),
  target: { kind: 'class', name: 'c', classes: ['x', 'y'] },
};

type Inbound = [string, number, number, object];
const from = (layer: string, node = 0, tensor = 0): Inbound => [layer, node, tensor, {}];
const layer = (class_name: string, name: string, config: object, ...inbound_nodes: Inbound[][]) => ({
  class_name,
  name,
  config: { ...config, name },
  inbound_nodes,
});
const input = layer('InputLayer', 'in', { batch_input_shape: [null, 2], dtype: 'float32' });
const dense = (name: string, ...calls: Inbound[][]) => layer('Dense', name, { units: 2 }, ...calls);
const out = (...call: Inbound[]) => layer('Dense', 'out', { units: 2, activation: 'softmax' }, call);
const graph = (layers: unknown[], ends: { input_layers?: unknown; output_layers?: unknown } = {}) => ({
  name: 'm',
  layers,
  input_layers: [['in', 0, 0]],
  output_layers: [['out', 0, 0]],
  ...ends,
});
const model = (...layers: unknown[]): Topology => ({ class_name: 'Model', config: graph(layers) });
/** A model as a layer of another; tfjs counts its own node, so its first application is node 1. */
const inside = (name: string, inner: object, ...calls: Inbound[][]) => ({
  class_name: 'Model',
  name,
  config: { ...inner, name },
  inbound_nodes: calls,
});

const refusal = (topology: Topology) => {
  try {
    checkGraph(topology);
  } catch (thrown) {
    expect(thrown).toMatchObject({ name: 'CoppiceError', code: 'model-invalid' });
    return (thrown as Error).message;
  }
  return null;
};

const shared = model(
  input,
  dense('a', [from('in')], [from('b')]),
  dense('b', [from('a')]),
  layer('Add', 'sum', {}, [from('a', 1), from('b')]),
  out(from('sum')),
);
const twice = { ...graph([input, dense('h', [from('in')]), out(from('h'))]) };
const nested = model(
  input,
  inside('inner', twice, [from('in')], [from('inner', 1)]),
  layer('Add', 'sum', {}, [from('inner', 1), from('inner', 2)]),
  out(from('sum')),
);
/** Layers in the opposite order of what they need. */
const backwards = model(
  out(from('l0')),
  ...Array.from({ length: 20 }, (_, i) => dense(`l${i}`, [from(i === 19 ? 'in' : `l${i + 1}`)])),
  input,
);
const sound = [shared, nested, backwards];

describe('a graph', () => {
  it('passes where tfjs can connect it: shared layers, models inside, any order', async () => {
    await useBackend('cpu');
    for (const topology of sound) {
      expect(refusal(topology)).toBeNull();
      const built = await buildModel({ topology, data, loss: 'categoricalCrossentropy' }, 1);
      built.model.dispose();
    }
  });

  it.each([
    [
      'an inbound layer that is not there',
      model(input, out(from('ghost'))),
      /"out".*"ghost", which is not among/,
    ],
    [
      'a cycle of two',
      model(input, dense('a', [from('b')]), dense('b', [from('a')]), out(from('a'))),
      /"a".*itself/,
    ],
    ['a layer that feeds itself', model(input, dense('a', [from('a')]), out(from('a'))), /"a".*itself/],
    [
      'a node that is not there',
      model(input, dense('a', [from('in')]), out(from('a', 3))),
      /"out".*node 3 of "a", which has 1/,
    ],
    [
      'a second application that waits for itself',
      model(input, dense('a', [from('in')], [from('a', 1)]), out(from('a'))),
      /"a".*itself/,
    ],
    [
      'a tensor that is not there',
      model(input, dense('a', [from('in')]), out(from('a', 0, 1))),
      /"out".*tensor 1 of "a"/,
    ],
    [
      'two layers of one name',
      model(input, dense('a', [from('in')]), dense('a', [from('in')]), out(from('a'))),
      /two layers named "a"/,
    ],
    [
      'a layer with two names',
      model(input, { ...dense('a', [from('in')]), name: 'b' }, out(from('b'))),
      /"b" has another name in its config, "a"/,
    ],
    [
      'a layer named as what every object has',
      model(input, dense('constructor', [from('in')]), out(from('constructor'))),
      /"constructor" has a name/,
    ],
    ['an index that is none', model(input, out(['in', -1, 0, {}])), /"out" has an input/],
    [
      'an input that is no list',
      model(input, layer('Dense', 'out', { units: 2 }, ['in'] as never)),
      /"out" has an input/,
    ],
    [
      'an application to nothing',
      model(input, layer('Dense', 'out', { units: 2 }, [])),
      /"out" has an input/,
    ],
    [
      'no list of inputs',
      model(input, { class_name: 'Dense', name: 'out', config: {} }),
      /"out" has no list of inputs/,
    ],
    [
      'an output that is not there',
      { class_name: 'Model', config: graph([input], { output_layers: [['out', 0, 0]] }) },
      /output.*"out"/,
    ],
    [
      'both spellings of a key',
      model(input, { ...out(from('in')), inboundNodes: [[from('ghost')]] }),
      /both "inbound_nodes" and "inboundNodes"/,
    ],
    [
      'a cycle in a model inside',
      model(
        input,
        inside('inner', graph([input, dense('a', [from('out')]), out(from('a'))]), [from('in')]),
        out(from('inner', 1)),
      ),
      /"(a|out)".*itself/,
    ],
    [
      'the first node of a model inside, applied once',
      model(input, inside('inner', twice, [from('in')]), out(from('inner', 2))),
      /node 2 of "inner", which has 2/,
    ],
    [
      'a ghost in a wrapped model',
      {
        class_name: 'Sequential',
        config: {
          layers: [
            layer('TimeDistributed', 't', { layer: inside('inner', graph([input, out(from('ghost'))])) }),
          ],
        },
      },
      /"ghost"/,
    ],
  ])('is refused by name: %s', async (_, topology, message) => {
    expect(refusal(topology)).toMatch(message);
    const refused = checkModel(topology, data, 'categoricalCrossentropy');
    await expect(refused).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringMatching(message),
    });
  });

  it('is refused where models inside of models multiply the work, before anything is built', () => {
    let topology: object = graph([input, out(from('in'))]);
    for (let level = 0; level < 20; level++) {
      topology = graph([
        input,
        inside('inner', topology, [from('in')], [from('inner', 1)]),
        out(from('inner', 2)),
      ]);
    }
    expect(refusal({ class_name: 'Model', config: topology })).toMatch(`more than ${MAX_APPLICATIONS} times`);
    let wrapped: object = layer('LSTM', 'l', { units: 2 });
    for (let level = 0; level < 40; level++)
      wrapped = layer('Bidirectional', `b${level}`, { layer: wrapped });
    expect(refusal({ class_name: 'Sequential', config: { layers: [wrapped] } })).toMatch('applied more than');
  });
});

describe('any graph', () => {
  /* tfjs reads a layer's name at each attempt to connect it: endless work is an endless number of readings. */
  const MOST = 100_000;
  let steps = 0;
  beforeEach(() => {
    const names = new WeakMap<object, string>();
    Object.defineProperty(tf.layers.Layer.prototype, 'name', {
      configurable: true,
      get() {
        if (++steps > MOST) throw new RangeError('endless');
        return names.get(this);
      },
      set(name: string) {
        names.set(this, name);
      },
    });
  });
  afterEach(() => {
    Reflect.deleteProperty(tf.layers.Layer.prototype, 'name');
  });

  const names = ['in', 'a', 'b', 'c', 'inner', 'out', 'ghost'];
  const reference = fc
    .tuple(
      fc.constantFrom(...names),
      fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 1) }, fc.constantFrom(2, 7, -1, 0.5)),
      fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constant(1)),
    )
    .map(([name, node, tensor]) => from(name, node, tensor));
  const calls = fc.array(fc.array(reference, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 });
  const wired = fc
    .record({ a: calls, b: calls, c: calls, inner: calls, out: calls, core: calls })
    .map((wires) =>
      model(
        dense('c', ...wires.c),
        input,
        layer('Add', 'b', {}, ...wires.b),
        dense('a', ...wires.a),
        inside('inner', graph([input, dense('a', ...wires.core), out(from('a'))]), ...wires.inner),
        layer('Dense', 'out', { units: 2, activation: 'softmax' }, ...wires.out),
      ),
    );

  it('is built or refused by name in bounded work, however it is wired or damaged', async () => {
    await useBackend('cpu');
    let built = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          wired,
          wired,
          mutated(shared, nested, backwards).filter((one) => isTopology(one)),
        ),
        async (topology) => {
          steps = 0;
          const made = await buildModel(
            { topology: topology as Topology, data, loss: 'categoricalCrossentropy' },
            1,
          ).catch((thrown: unknown) => {
            expect(thrown).toMatchObject({ name: 'CoppiceError', code: 'model-invalid' });
            return null;
          });
          expect(steps).toBeLessThanOrEqual(MOST);
          if (made !== null) built++;
          made?.model.dispose();
        },
      ),
      { numRuns: 1000, seed: 1 },
    );
    expect(built).toBeGreaterThan(20);
  });
});

function isTopology(value: unknown): boolean {
  try {
    readTopology(value);
    return true;
  } catch {
    return false;
  }
}
