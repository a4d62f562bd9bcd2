import type { Attribute, OnnxNode, OnnxTensor } from './onnx-file.ts';

/** A value in the graph that is built, and the order of its dimensions. */
export interface Value {
  readonly name: string;
  /** Sizes as tfjs has them: channels last, null the batch. */
  readonly shape: readonly (number | null)[];
  /** `first` where the value lies as ONNX wants it for convolutions: batch, channels, then the other dimensions. */
  readonly channels: 'last' | 'first';
}

/** Collects nodes and constants of an ONNX graph. */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly tensors: OnnxTensor[] = [];
  /** Prefix of the names of nodes and constants: the layer that they stand for. */
  layer = '';
  readonly #names = new Map<string, number>();
  /** Values in their other order, so that each is turned once. */
  readonly #turned = new Map<string, Value>();

  /** Adds a node with one output. @returns the name of its output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output?: string,
  ): string {
    return this.nodeOf(op, inputs, 1, attributes, output === undefined ? undefined : [output])[0] as string;
  }

  /** Adds a node. @returns the names of its outputs. */
  nodeOf(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    given?: readonly string[],
  ): string[] {
    const name = this.#unique(`${this.layer}/${op}`);
    const names = [...(given ?? Array.from({ length: outputs }, (_, i) => `${name}:${i}`))];
    this.nodes.push({ op, name, inputs, outputs: names, attributes });
    return names;
  }

  /** Adds a constant of float32. @returns its name. */
  floats(name: string, shape: readonly number[], values: Float32Array): string {
    return this.#constant(name, shape, values);
  }

  /** Adds a list of whole numbers. @returns its name. */
  integers(name: string, values: readonly number[]): string {
    return this.#constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Adds one float32 as a scalar. @returns its name. */
  scalar(name: string, value: number): string {
    return this.#constant(name, [], Float32Array.of(value));
  }

  /** The value with its channels first; of fewer than three dimensions both orders are the same. */
  first(value: Value): Value {
    return this.#turn(value, 'first');
  }

  /** The value with its channels last, as tfjs has it. */
  last(value: Value): Value {
    return this.#turn(value, 'last');
  }

  #turn(value: Value, channels: Value['channels']): Value {
    if (value.channels === channels || value.shape.length < 3) return value;
    const known = this.#turned.get(value.name);
    if (known !== undefined) return known;
    const last = value.shape.length - 1;
    const middle = value.shape.slice(2).map((_, i) => i + 1);
    const perm = channels === 'first' ? [0, last, ...middle] : [0, ...middle.map((i) => i + 1), 1];
    const name = this.node('Transpose', [value.name], { perm: perm.map(BigInt) });
    const turned = { name, shape: value.shape, channels };
    this.#turned.set(value.name, turned);
    this.#turned.set(name, value);
    return turned;
  }

  #constant(name: string, shape: readonly number[], values: Float32Array | BigInt64Array): string {
    const unique = this.#unique(`${this.layer}/${name}`);
    this.tensors.push({ name: unique, shape, values });
    return unique;
  }

  #unique(name: string): string {
    const times = this.#names.get(name) ?? 0;
    this.#names.set(name, times + 1);
    return times === 0 ? name : `${name}_${times}`;
  }
}
