import type {
  GraphLayer,
  GraphTensor,
  GraphWeight,
  LayerCall,
  ModelGraph,
} from '@coppice/model-files/exports';
import { layoutSize, shapeSize } from '@coppice/protocol';
import { withBuiltModel } from './built-model.ts';
import * as tf from './tf.ts';
import type { ModelDescription } from './trainer.ts';

/**
 * Reads a model as a graph of calls of layers, with nested models put in their places, for writers of other formats.
 *
 * @param weights the whole model's numbers, in layout order; the graph holds views of them.
 * @throws CoppiceError `model-invalid`
 */
export function readGraph(description: ModelDescription, weights: Float32Array): Promise<ModelGraph> {
  return withBuiltModel(description, ({ model, layout }) => {
    if (weights.length !== layoutSize(layout))
      throw new Error(`${weights.length} numbers for a model of ${layoutSize(layout)}`);
    const values = new Map<number, GraphWeight>();
    let at = 0;
    for (const [i, { shape }] of layout.entries()) {
      const size = shapeSize(shape);
      const { id } = model.weights[i] as tf.LayerVariable;
      values.set(id, { shape, values: weights.subarray(at, at + size) });
      at += size;
    }
    return new GraphReader(values).read(model);
  });
}

/** Tensors of one model, those between its layers and its inputs, by their ids in tfjs. */
type Scope = Map<number, GraphTensor>;

class GraphReader {
  readonly #values: ReadonlyMap<number, GraphWeight>;
  readonly #calls: LayerCall[] = [];
  #tensors = 0;

  constructor(values: ReadonlyMap<number, GraphWeight>) {
    this.#values = values;
  }

  read(model: tf.LayersModel): ModelGraph {
    const [taken] = model.inputs as [tf.SymbolicTensor];
    const [given] = model.outputs as [tf.SymbolicTensor];
    const input = this.#tensor(taken);
    const output = this.#visit(given, new Map([[taken.id, input]]), '');
    return { input, output, calls: this.#calls };
  }

  /** Adds the calls that make a tensor, unless they are there. */
  #visit(tensor: tf.SymbolicTensor, scope: Scope, path: string): GraphTensor {
    const known = scope.get(tensor.id);
    if (known !== undefined) return known;
    const layer = tensor.sourceLayer;
    const node = layer.inboundNodes[tensor.nodeIndex];
    const inputs = (node?.inputTensors ?? []).map((input) => this.#visit(input, scope, path));
    const made =
      layer instanceof tf.LayersModel
        ? this.#nested(layer, inputs, tensor, path)
        : this.#call(layer, inputs, tensor, path);
    scope.set(tensor.id, made);
    return made;
  }

  #nested(
    model: tf.LayersModel,
    inputs: readonly GraphTensor[],
    tensor: tf.SymbolicTensor,
    path: string,
  ): GraphTensor {
    const scope: Scope = new Map(
      model.inputs.map((input, i) => [input.id, inputs[i] as GraphTensor] as const),
    );
    const inner = model.outputs[tensor.tensorIndex ?? 0] as tf.SymbolicTensor;
    return this.#visit(inner, scope, `${path}${model.name}/`);
  }

  #call(
    layer: tf.layers.Layer,
    inputs: readonly GraphTensor[],
    tensor: tf.SymbolicTensor,
    path: string,
  ): GraphTensor {
    const output = this.#tensor(tensor);
    this.#calls.push({ ...this.#layer(layer, path), inputs, output });
    return output;
  }

  #layer(layer: tf.layers.Layer, path: string): GraphLayer {
    const weights = layer.weights.map(
      ({ id, originalName }) =>
        [originalName.slice(originalName.lastIndexOf('/') + 1), this.#values.get(id) as GraphWeight] as const,
    );
    const inner = innerLayers(layer);
    return {
      name: `${path}${layer.name}`,
      kind: layer.getClassName(),
      config: layer.getConfig(),
      // Names of a wrapper's weights are those of its layers, which have them.
      weights: new Map(inner.length > 0 ? [] : weights),
      inner: inner.map((one) => this.#layer(one, `${path}${layer.name}/`)),
    };
  }

  #tensor({ shape }: tf.SymbolicTensor): GraphTensor {
    return { id: String(this.#tensors++), shape };
  }
}

/** The layers of a wrapper. */
function innerLayers(layer: tf.layers.Layer): tf.layers.Layer[] {
  const { layer: inner, forwardLayer, backwardLayer } = layer as unknown as Record<string, unknown>;
  return [forwardLayer, backwardLayer, inner].filter((one) => one instanceof tf.layers.Layer);
}
