/** A weight that a file gave. */
export interface GivenTensor {
  /** The name of the weight as `Layout` names it, e.g. `dense_1/kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major; as many as `shape` has elements. */
  readonly values: Float32Array;
}
