/** A weight with its values, row-major. */
export interface GraphWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A layer without its place in a model. */
export interface GraphLayer {
  /** The name of the layer; of one in a nested model after the names of these, `base/dense_1`. */
  readonly name: string;
  /** The class of the layer in tfjs, such as `Dense`. */
  readonly kind: string;
  /** The configuration, as `getConfig` of tfjs returns it: keys in camel case. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Weights by the last part of their names, such as `kernel`. */
  readonly weights: ReadonlyMap<string, GraphWeight>;
  /** The layers that a wrapper holds, in order: one, or those of both directions. */
  readonly inner: readonly GraphLayer[];
}

/** A tensor between layers. Sizes are those of tfjs (channels last); null is the batch. */
export interface GraphTensor {
  readonly id: string;
  readonly shape: readonly (number | null)[];
}

/** One application of a layer. */
export interface LayerCall extends GraphLayer {
  readonly inputs: readonly GraphTensor[];
  readonly output: GraphTensor;
}

/** A model with its weights: what it takes, what it gives, and the calls of layers between, in an order in which they can be computed. */
export interface ModelGraph {
  readonly input: GraphTensor;
  readonly output: GraphTensor;
  readonly calls: readonly LayerCall[];
}
