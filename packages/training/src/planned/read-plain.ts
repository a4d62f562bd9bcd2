import { readTopology } from '@coppice/model-files';
import { type Layout, layoutSize, MAX_MODEL_BYTES, type WeightSpec } from '@coppice/protocol';
import { endsInHead, fittingShapes, isLossOfNumbers, isRegression, outputsFor } from '../data-fit.ts';
import { seedTopology } from '../initialize.ts';
import type { ModelDescription } from '../trainer.ts';
import { roleOf, type WeightRole } from '../weight-role.ts';
import type { Chain, ChainLayer } from './chain.ts';
import { among, ensure, Fields, flag, type Kind, sizes, text, Unfamiliar } from './fields.ts';
import { sizeOf } from './layer.ts';
import { plainLayers } from './plain-layers.ts';

/** The most outputs of a layer, and the most weights of a model. */
const MOST = MAX_MODEL_BYTES / 4;

/**
 * Reads a plain chain of layers from its topology, as tfjs would build it, without loading tfjs, which takes long.
 *
 * @returns null for anything in an unusual form and anything invalid: these are left to tfjs, which names the fault.
 * @throws CoppiceError `model-invalid` where the value is no topology.
 */
export function readPlain(description: ModelDescription): Chain | null {
  const topology = readTopology(description.topology);
  try {
    return chainOf(seedTopology(topology, 0), description);
  } catch (thrown) {
    if (thrown instanceof Unfamiliar) return null;
    throw thrown;
  }
}

/** @throws Unfamiliar */
function chainOf(topology: unknown, { data, loss }: ModelDescription): Chain {
  const written = layersOf(topology);
  const inputShape = written[0]?.inputShape ?? null;
  ensure(inputShape !== null && fittingShapes(data).some((shape) => shape.join() === inputShape.join()));
  const [first] = written;
  // tfjs puts an input layer before a first layer that is none.
  const names = written.map(({ name }) => name);
  if (first?.className !== 'InputLayer') names.push(`${first?.name}_input`);
  ensure(new Set(names).size === names.length);
  const read = readInTurn(written, inputShape as readonly number[]);
  const last = read.at(-1);
  const { size: outputs } = outputsFor(data, loss);
  ensure(last?.outputShape.join() === String(outputs));
  ensure(isRegression(data) === isLossOfNumbers(loss));
  ensure(isRegression(data) || (last !== undefined && endsInHead(loss, last.className, last.config)));
  const { layout, roles, places } = layoutOf(read);
  ensure(layout.some(({ trainable }) => trainable) && layoutSize(layout) <= MOST);
  const layers = read.map((layer, i) => ({ ...layer, weights: places[i] as ReadonlyMap<string, number> }));
  return { layers, layout, roles, inputShape: inputShape as readonly number[], outputs };
}

interface WrittenLayer {
  readonly className: string;
  readonly name: string;
  readonly trainable: boolean;
  /** Shape in the config of an input layer, or of the first layer; otherwise null. */
  readonly inputShape: readonly number[] | null;
  /** The rest of its config. */
  readonly fields: Fields;
}

interface ReadLayer extends Omit<ChainLayer, 'weights'> {
  readonly weights: readonly { readonly spec: WeightSpec; readonly role: WeightRole }[];
}

/** The layers of a `Sequential`, as they are written. */
function layersOf(topology: unknown): WrittenLayer[] {
  const model = new Fields(topology);
  model.take('class_name', among('Sequential'));
  const config = new Fields(model.take('config', anything));
  model.end();
  config.take('name', text);
  const layers = config.take('layers', (list) => (Array.isArray(list) ? (list as unknown[]) : undefined));
  config.end();
  return layers.map((layer, place) => {
    const outer = new Fields(layer);
    const className = outer.take('class_name', text);
    const fields = new Fields(outer.take('config', anything));
    outer.end();
    const name = fields.take('name', layerName);
    fields.take('dtype', among('float32', null), null);
    return {
      className,
      name,
      trainable: fields.take('trainable', flag, true),
      inputShape: place === 0 ? fields.take('batch_input_shape', exampleShape) : null,
      fields,
    };
  });
}

/** Reads the layers in order, each with the output shape of the one before. */
function readInTurn(written: readonly WrittenLayer[], first: readonly number[]): ReadLayer[] {
  const read: ReadLayer[] = [];
  let inputShape = first;
  for (const [place, { className, name, trainable, fields }] of written.entries()) {
    if (className === 'InputLayer') {
      ensure(place === 0);
      for (const kind of ['sparse', 'ragged']) fields.take(kind, among(false), false);
      fields.end();
      continue;
    }
    const reader = Object.hasOwn(plainLayers, className) ? plainLayers[className] : undefined;
    if (reader === undefined) throw new Unfamiliar(className);
    const { config, outputShape, weights } = reader(fields, inputShape);
    fields.end();
    ensure(sizeOf(outputShape) <= MOST);
    const withRoles = weights.map(({ name: weight, shape, learned }) => {
      const role = roleOf({ learned, trainable });
      const spec = { name: `${name}/${weight}`, shape: [...shape], trainable: trainable && learned };
      return { spec: role === 'frozen' ? { ...spec, frozen: true } : spec, role };
    });
    read.push({ name, className, config, inputShape, outputShape, weights: withRoles });
    inputShape = outputShape;
  }
  return read;
}

/** The layout in tfjs's order of a model's weights: learned ones, layer by layer, before the others. */
function layoutOf(layers: readonly ReadLayer[]): {
  layout: Layout;
  roles: readonly WeightRole[];
  places: readonly ReadonlyMap<string, number>[];
} {
  const all = layers.flatMap(({ weights }) => weights);
  const ordered = [...all.filter(({ spec }) => spec.trainable), ...all.filter(({ spec }) => !spec.trainable)];
  const places = layers.map(
    ({ name, weights }) =>
      new Map(weights.map((weight) => [weight.spec.name.slice(name.length + 1), ordered.indexOf(weight)])),
  );
  return { layout: ordered.map(({ spec }) => spec), roles: ordered.map(({ role }) => role), places };
}

/** A valid name in tfjs. A slash is excluded: it would separate the name of a part of the layer. */
const layerName: Kind<string> = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9][\w.-]*$/.test(value) ? value : undefined;

/** A batch shape whose examples have a fixed shape. */
const exampleShape: Kind<readonly number[]> = (value) =>
  Array.isArray(value) && value[0] === null ? sizes(value.slice(1)) : undefined;

const anything: Kind<unknown> = (value) => value;
