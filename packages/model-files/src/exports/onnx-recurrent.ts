import { numberOf } from './config.ts';
import type { GraphLayer, GraphWeight } from './graph.ts';
import { activationOf, cellActivations } from './onnx-activations.ts';
import type { OnnxBuilder, Value } from './onnx-builder.ts';
import { transpose } from './transpose.ts';
import { unsupported } from './unsupported.ts';

interface Cell {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  /** Places of the gates of ONNX among those of tfjs. */
  readonly gates: readonly number[];
  /** Whether gates have an activation of their own. */
  readonly gated: boolean;
  /** How often the activation is listed after that of the gates. */
  readonly times: number;
}

const cells: Readonly<Record<string, Cell>> = {
  // tfjs: input, forget, cell, output. ONNX: input, output, forget, cell.
  LSTM: { op: 'LSTM', gates: [0, 3, 1, 2], gated: true, times: 2 },
  // Both: update, reset, hidden.
  GRU: { op: 'GRU', gates: [0, 1, 2], gated: true, times: 1 },
  SimpleRNN: { op: 'RNN', gates: [0], gated: false, times: 1 },
};

export function isRecurrent(kind: string): boolean {
  return Object.hasOwn(cells, kind);
}

/** Adds a recurrent layer. @returns the name of its output: all steps, in the order of tfjs, or the last one. */
export function recurrent(graph: OnnxBuilder, layer: GraphLayer, input: Value): string {
  const cell = cells[layer.kind] as Cell;
  const { config } = layer;
  if (config['stateful'] === true)
    throw unsupported(layer.name, 'keeps its state from one batch to the next');
  if (config['resetAfter'] === true)
    throw unsupported(layer.name, 'applies its reset gate after the multiplication');
  const units = numberOf(layer, 'units', 0);
  const backwards = config['goBackwards'] === true;
  const activation = activationOf(layer, 'activation', 'tanh');
  const activations = [
    ...(cell.gated ? [activationOf(layer, 'recurrentActivation', 'hardSigmoid')] : []),
    ...Array.from({ length: cell.times }, () => activation),
  ];
  const kernel = gatesOf(layer, 'kernel', units, cell.gates);
  const recurrentKernel = gatesOf(layer, 'recurrent_kernel', units, cell.gates);
  const bias = layer.weights.get('bias');
  const inputs = [
    graph.node('Transpose', [graph.last(input).name], { perm: [1n, 0n, 2n] }),
    graph.floats('kernel', [1, ...kernel.shape], kernel.values),
    graph.floats('recurrent_kernel', [1, ...recurrentKernel.shape], recurrentKernel.values),
    graph.floats('bias', [1, 2 * cell.gates.length * units], biasOf(bias, units, cell.gates)),
  ];
  const [steps = '', last = ''] = graph.nodeOf(cell.op, inputs, 2, {
    hidden_size: BigInt(units),
    direction: backwards ? 'reverse' : 'forward',
    ...cellActivations(layer, activations),
  });
  if (config['returnSequences'] !== true) return graph.node('Squeeze', [last, graph.integers('axes', [0])]);
  const one = graph.node('Squeeze', [steps, graph.integers('axes', [1])]);
  // tfjs gives the steps in the order in which they were computed.
  return graph.node('Transpose', [backwards ? reversed(graph, one, 0) : one], { perm: [1n, 0n, 2n] });
}

/** Adds the reversal of a dimension. */
export function reversed(graph: OnnxBuilder, x: string, axis: number): string {
  return graph.node('Slice', [
    x,
    graph.integers('starts', [-1]),
    // Before the first, however long it is.
    graph.integers('ends', [-(2 ** 31)]),
    graph.integers('axes', [axis]),
    graph.integers('steps', [-1]),
  ]);
}

/** A kernel of tfjs, [inputs, gates · units], as ONNX has it: [gates · units, inputs] with its gates in another order. */
function gatesOf(layer: GraphLayer, name: string, units: number, gates: readonly number[]): GraphWeight {
  const kernel = layer.weights.get(name);
  if (kernel?.shape.length !== 2 || kernel.shape[1] !== units * gates.length)
    throw unsupported(layer.name, `has no ${name} of its ${units} units`);
  const { shape, values } = transpose(kernel, [1, 0]);
  const block = values.length / gates.length;
  const ordered = new Float32Array(values.length);
  for (const [to, from] of gates.entries())
    ordered.set(values.subarray(from * block, (from + 1) * block), to * block);
  return { shape, values: ordered };
}

/** The bias of inputs, and one of zeros for the state. */
function biasOf(bias: GraphWeight | undefined, units: number, gates: readonly number[]): Float32Array {
  const values = new Float32Array(2 * gates.length * units);
  if (bias !== undefined)
    for (const [to, from] of gates.entries())
      values.set(bias.values.subarray(from * units, (from + 1) * units), to * units);
  return values;
}
