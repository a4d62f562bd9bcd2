import type { GraphLayer } from './graph.ts';
import type { OnnxBuilder } from './onnx-builder.ts';
import type { Attribute } from './onnx-file.ts';
import { unsupported } from './unsupported.ts';

/** The slope and offset of Keras' hard sigmoid: max(0, min(1, 0.2 x + 0.5)). */
const HARD_SIGMOID = { alpha: 0.2, beta: 0.5 };

/** Activations that are one operator, by the name that tfjs writes. */
const single: Readonly<Record<string, readonly [string, Readonly<Record<string, Attribute>>]>> = {
  elu: ['Elu', { alpha: 1 }],
  hardSigmoid: ['HardSigmoid', HARD_SIGMOID],
  relu: ['Relu', {}],
  selu: ['Selu', { alpha: 1.6732632423543772, gamma: 1.0507009873554805 }],
  sigmoid: ['Sigmoid', {}],
  softmax: ['Softmax', { axis: -1n }],
  logSoftmax: ['LogSoftmax', { axis: -1n }],
  softplus: ['Softplus', {}],
  softsign: ['Softsign', {}],
  tanh: ['Tanh', {}],
};

/** Names of Keras for the names of tfjs. */
const aliases: Readonly<Record<string, string>> = {
  hard_sigmoid: 'hardSigmoid',
  log_softmax: 'logSoftmax',
  silu: 'swish',
};

/** Activations of cells, by their operators inside of a recurrent node. */
const ofCells: Readonly<Record<string, string>> = {
  elu: 'Elu',
  hardSigmoid: 'HardSigmoid',
  relu: 'Relu',
  sigmoid: 'Sigmoid',
  softplus: 'Softplus',
  softsign: 'Softsign',
  tanh: 'Tanh',
};

/** The name of a layer's activation, as tfjs writes it. */
export function activationOf(layer: GraphLayer, key = 'activation', missing = 'linear'): string {
  const value = layer.config[key] ?? missing;
  const name =
    typeof value === 'string' ? value : (value as { className?: unknown; class_name?: unknown }).className;
  if (typeof name !== 'string') throw unsupported(layer.name, 'has an activation that is no name');
  return aliases[name] ?? name;
}

/** Whether an activation looks at all channels at once, and so needs them last. */
export function needsLast(activation: string): boolean {
  return activation === 'softmax' || activation === 'logSoftmax';
}

/** Adds an activation to a value whose channels are last, or whose order does not matter. @returns the name of the result. */
export function activate(graph: OnnxBuilder, layer: GraphLayer, activation: string, x: string): string {
  const known = Object.hasOwn(single, activation) ? single[activation] : undefined;
  if (known !== undefined) return graph.node(known[0], [x], known[1]);
  switch (activation) {
    case 'linear':
      return x;
    case 'relu6':
      return graph.node('Clip', [x, graph.scalar('least', 0), graph.scalar('most', 6)]);
    case 'swish':
      return graph.node('Mul', [x, graph.node('Sigmoid', [x])]);
    case 'mish':
      return graph.node('Mul', [x, graph.node('Tanh', [graph.node('Softplus', [x])])]);
    case 'gelu': {
      const erf = graph.node('Erf', [graph.node('Mul', [x, graph.scalar('inner', Math.SQRT1_2)])]);
      return halved(graph, x, erf);
    }
    case 'gelu_new': {
      const cubed = graph.node('Pow', [x, graph.scalar('power', 3)]);
      const sum = graph.node('Add', [x, graph.node('Mul', [cubed, graph.scalar('cubic', 0.044715)])]);
      const tanh = graph.node('Tanh', [
        graph.node('Mul', [sum, graph.scalar('inner', Math.sqrt(2 / Math.PI))]),
      ]);
      return halved(graph, x, tanh);
    }
    default:
      throw unsupported(layer.name, `has the activation "${activation}", which has no translation`);
  }
}

/** x / 2 · (1 + y) */
function halved(graph: OnnxBuilder, x: string, y: string): string {
  const half = graph.node('Mul', [x, graph.scalar('half', 0.5)]);
  return graph.node('Mul', [half, graph.node('Add', [y, graph.scalar('one', 1)])]);
}

/** Attributes that give a recurrent node its activations, of the gates first. */
export function cellActivations(
  layer: GraphLayer,
  names: readonly string[],
): Readonly<Record<string, Attribute>> {
  const operators = names.map((name) => {
    const operator = Object.hasOwn(ofCells, name) ? ofCells[name] : undefined;
    if (operator === undefined)
      throw unsupported(
        layer.name,
        `has the activation "${name}", which recurrent layers of ONNX do not know`,
      );
    return operator;
  });
  const hard = operators.filter((one) => one === 'HardSigmoid');
  // Parameters are listed for the activations that have some, in their order; Elu of 1 is a default.
  const alphas = operators.flatMap((one) =>
    one === 'HardSigmoid' ? [HARD_SIGMOID.alpha] : one === 'Elu' ? [1] : [],
  );
  return {
    activations: operators,
    ...(alphas.length === 0 ? {} : { activation_alpha: alphas }),
    ...(hard.length === 0 ? {} : { activation_beta: hard.map(() => HARD_SIGMOID.beta) }),
  };
}
