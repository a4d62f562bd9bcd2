import { invalid, readTopology } from '@coppice/model-files';
import {
  CoppiceError,
  type DataSchema,
  type Layout,
  type Loss,
  layoutSize,
  MAX_MODEL_BYTES,
  type WeightSpec,
} from '@coppice/protocol';
import type { Lookup } from './batches.ts';
import { checkGraph } from './check-graph.ts';
import { endsInHead, fittingShapes, headOf, isLossOfNumbers, isRegression, outputsFor } from './data-fit.ts';
import { buildWithZeros } from './first-weights.ts';
import { seedTopology } from './initialize.ts';
import { registerInitializers } from './initializers.ts';
import { everyLayer } from './layer-tree.ts';
import { registerNoiseLayers } from './noise-layers.ts';
import { checkRandomLayers } from './random-layers.ts';
import { checkFlow, withWeightLimit } from './size-limit.ts';
import * as tf from './tf.ts';
import type { ModelDescription } from './trainer.ts';
import { roleOf, type WeightRole } from './weight-role.ts';

registerNoiseLayers();
registerInitializers();

/** Maps a weight to the nearest one that it may have, as tfjs's layers keep it with each of their weights. */
export interface Constraint {
  apply(weight: tf.Tensor): tf.Tensor;
}

/** A model on the current backend, and its weights as variables in layout order. */
export interface BuiltModel {
  readonly model: tf.LayersModel;
  readonly layout: Layout;
  /** The role of each weight, in layout order. */
  readonly roles: readonly WeightRole[];
  readonly variables: readonly tf.Variable[];
  /** The constraint of each weight, in layout order; null where it has none. */
  readonly constraints: readonly (Constraint | null)[];
  /** The layer that looks the inputs up, where one does. */
  readonly lookup: Lookup | null;
  /** Shape of one example, as the model takes it. */
  readonly inputShape: readonly number[];
  /** Numbers in one output row. */
  readonly outputs: number;
}

/**
 * Builds a model with zero weights and checks that it fits the data; `drawFirstWeights` draws its initial weights.
 *
 * @throws CoppiceError `model-invalid` with the fault.
 */
export async function buildModel(description: ModelDescription, seed: number): Promise<BuiltModel> {
  const topology = seedTopology(readTopology(description.topology), seed);
  checkGraph(topology);
  checkRandomLayers(topology);
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  let model: tf.LayersModel;
  try {
    // Without weights to load it is built in the call itself, so that nothing comes between.
    const loading = withWeightLimit(() =>
      buildWithZeros(() =>
        tf.models.modelFromJSON({ modelTopology: topology } as unknown as tf.io.ModelJSON),
      ),
    );
    model = await loading;
    if (model instanceof tf.Sequential && model.inputs?.length) {
      const sequential = model;
      withWeightLimit(() => buildWithZeros(() => sequential.build()));
    }
  } catch (thrown) {
    // The layers built before the one that failed hold weights that are unreachable otherwise.
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables)) {
      if (!before.has(name)) variable.dispose();
    }
    throw thrown instanceof CoppiceError ? thrown : invalid(reason(thrown), thrown);
  }
  try {
    const shapes = checkShapes(model, description.data, description.loss);
    checkFlow(everyLayer(model));
    checkHead(model, description.loss, description.data);
    const bare = layoutOf(model);
    const roles = rolesOf(model, bare);
    fixStatistics(model);
    return {
      model,
      layout: bare.map((spec, i) => (roles[i] === 'frozen' ? { ...spec, frozen: true } : spec)),
      roles,
      variables: model.weights.map((weight) => weight.read() as tf.Variable),
      lookup: lookupOf(model),
      constraints: model.weights.map(
        (weight) => (weight as unknown as { constraint: Constraint | null }).constraint,
      ),
      ...shapes,
    };
  } catch (thrown) {
    model.dispose();
    throw thrown;
  }
}

const noInputShape = 'its first layer has no input shape ("batch_input_shape")';

/** tfjs's own message, without its hints for people who write layers in code. */
function reason(thrown: unknown): string {
  // The first line says what is wrong; those after it are about code.
  const [first = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).trim().split('\n');
  const message = first.replace(/\s+/g, ' ');
  const unknown = /^Unknown layer: ([^.]+)\./.exec(message);
  if (unknown) {
    return `it has a layer of a kind that tfjs doesn't know, "${unknown[1]}". Use the built-in layers only`;
  }
  if (message.includes('must get an `inputShape`')) return noInputShape;
  if (thrown instanceof RangeError && message.includes('call stack')) {
    return 'it is a chain of more layers than tfjs can follow. Use fewer layers';
  }
  return `tfjs can't build it (${message.replace(/[.:\s]+$/, '')})`;
}

function checkShapes(
  model: tf.LayersModel,
  data: DataSchema,
  loss: Loss,
): { inputShape: readonly number[]; outputs: number } {
  if (!model.inputs?.length) throw invalid(noInputShape);
  if (model.inputs.length !== 1) {
    throw invalid(
      `it takes ${model.inputs.length} inputs; Coppice gives one example at a time, as one input`,
    );
  }
  if (model.outputs.length !== 1) throw invalid(`it has ${model.outputs.length} outputs; Coppice reads one`);
  const input = model.inputs[0]?.shape ?? [];
  const output = model.outputs[0]?.shape ?? [];
  const inputShape = input.slice(1);
  // tfjs builds a model on "4" as on 4, and stumbles over it when it trains.
  if (input[0] !== null || !inputShape.every(Number.isInteger)) {
    throw invalid(
      `it takes inputs of shape ${show(input)}; the first size must be null (any batch), the others fixed numbers`,
    );
  }
  const fitting = fittingShapes(data);
  if (!fitting.some((shape) => shape.join() === inputShape.join())) {
    const wanted = fitting.map((shape) => show([null, ...shape])).join(' or ');
    throw invalid(`it takes inputs of shape ${show(input)}, but the data (${inWords(data)}) needs ${wanted}`);
  }
  const wanted = outputsFor(data, loss);
  if (output.length !== 2 || output[1] !== wanted.size) {
    throw invalid(`its output has shape ${show(output)}, but ${wanted.why} needs [null, ${wanted.size}]`);
  }
  return { inputShape: inputShape as number[], outputs: wanted.size };
}

function inWords(data: DataSchema): string {
  if (data.kind === 'table') {
    const columns = `${data.features.length} columns`;
    if (data.features.every(({ kind }) => kind !== 'category')) return columns;
    return `${columns}, where one of categories is a number for each value and one for any other`;
  }
  return `${data.width}×${data.height} pixels, ${data.channels === 1 ? 'grey' : 'colour'}`;
}

function checkHead(model: tf.LayersModel, loss: Loss, data: DataSchema): void {
  const regression = isRegression(data);
  if (regression !== isLossOfNumbers(loss)) {
    const fit = regression
      ? 'meanSquaredError or huber'
      : 'categoricalCrossentropy or, of two classes, binaryCrossentropy';
    throw invalid(`its loss is ${loss}, but data of this kind needs ${fit}`);
  }
  if (!regression && lossHead(model, loss) === null) {
    const head = headOf(loss);
    const whose =
      head === 'sigmoid'
        ? 'its output is the probability of the second class'
        : 'its outputs are the probabilities of the classes';
    throw invalid(`its last layer must end in ${head}, so that ${whose}. Set activation: "${head}" there`);
  }
  if (model.trainableWeights.length === 0) {
    throw invalid('it has no trainable weights: there is nothing to learn');
  }
}

/** The layer whose last activation makes the model's output, and the models that it is in, from the outermost one inward. */
export interface Head {
  readonly models: readonly tf.LayersModel[];
  readonly layer: tf.layers.Layer;
}

/** The head of a model whose last activation is left to the loss, also where its last layer is a model; null for others. */
export function lossHead(model: tf.LayersModel, loss: Loss): Head | null {
  const last = model.outputs.length === 1 ? model.outputs[0]?.sourceLayer : undefined;
  if (last instanceof tf.LayersModel) {
    const inner = lossHead(last, loss);
    return inner && { ...inner, models: [model, ...inner.models] };
  }
  return last !== undefined && endsInHead(loss, last.getClassName(), last.getConfig())
    ? { models: [model], layer: last }
    : null;
}

/**
 * The layout of a built model. Names are layer name and weight name, as tfjs writes them into `model.json`, not its
 * process-wide unique ones, which get a suffix when a model is built a second time.
 */
function layoutOf(model: tf.LayersModel): Layout {
  const trainable = new Set(model.trainableWeights.map((weight) => weight.id));
  const seen = new Map<string, number>();
  const layout = model.weights.map((weight): WeightSpec => {
    if (weight.shape.some((size) => size === null)) {
      throw invalid(`its weight ${weight.originalName} has no fixed shape`);
    }
    const times = seen.get(weight.originalName) ?? 0;
    seen.set(weight.originalName, times + 1);
    return {
      name: times === 0 ? weight.originalName : `${weight.originalName}_${times}`,
      shape: weight.shape as number[],
      trainable: trainable.has(weight.id),
    };
  });
  if (layoutSize(layout) * 4 > MAX_MODEL_BYTES) {
    throw invalid(
      `it has ${layoutSize(layout)} parameters; at most ${MAX_MODEL_BYTES / 4} can be trained together`,
    );
  }
  return layout;
}

/** Layers that hand each of their inputs on as it is. */
const handsOn = new Set(['InputLayer', 'Reshape', 'Flatten', 'Permute', 'RepeatVector']);

/** The embedding with the fewest entries of those that look up the model's own inputs; null without any. */
function lookupOf(model: tf.LayersModel): Lookup | null {
  const given = (layer: tf.layers.Layer): boolean =>
    handsOn.has(layer.getClassName()) &&
    layer.inboundNodes.every(({ inboundLayers }) => inboundLayers.every(given));
  const found = everyLayer(model)
    .filter((layer) => layer.getClassName() === 'Embedding' && model.layers.includes(layer))
    .filter((layer) => layer.inboundNodes.some(({ inboundLayers }) => inboundLayers.every(given)))
    .map((layer) => ({ layer: layer.name, entries: Number(layer.getConfig()['inputDim']) }));
  return found.sort((a, b) => a.entries - b.entries)[0] ?? null;
}

function rolesOf(model: tf.LayersModel, layout: Layout): WeightRole[] {
  const frozen = new Set(frozenNormalizations(model));
  const statistics = new Map(
    everyLayer(model).flatMap((layer) => statisticsOf(layer).map((id) => [id, !frozen.has(layer)] as const)),
  );
  return model.weights.map(({ id }, i) =>
    roleOf({
      learned: !statistics.has(id),
      trainable: statistics.get(id) ?? layout[i]?.trainable === true,
    }),
  );
}

/** The batch normalizations of a model without any trained weight. */
function frozenNormalizations(model: tf.LayersModel): tf.layers.Layer[] {
  const trained = new Set(model.trainableWeights.map(({ id }) => id));
  return everyLayer(model).filter(
    (layer) =>
      layer.getClassName() === 'BatchNormalization' &&
      (layer.weights.length > statisticsOf(layer).length
        ? !layer.weights.some(({ id }) => trained.has(id))
        : !layer.trainable),
  );
}

/** Makes frozen batch normalizations use their stored statistics in training as well; tfjs would use and store the batch's. */
function fixStatistics(model: tf.LayersModel): void {
  for (const layer of frozenNormalizations(model)) {
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: false });
  }
}

/**
 * The ids of the weights that a layer's forward pass changes in training. In tfjs, only batch normalization has such
 * weights.
 */
function statisticsOf(layer: tf.layers.Layer): number[] {
  if (layer.getClassName() !== 'BatchNormalization') return [];
  return layer.weights
    .filter(({ originalName }) => /(^|\/)moving_(mean|variance)$/.test(originalName))
    .map(({ id }) => id);
}

function show(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => JSON.stringify(size)).join(', ')}]`;
}
