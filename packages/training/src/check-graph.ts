import { invalid } from '@coppice/model-files';

/*
 * tfjs connects the layers of a functional model by trying all open connections again and again until none is left.
 * A connection that can never be made keeps it in that loop forever, so all are checked beforehand.
 */

type Json = { [key: string]: unknown };

/** The most applications of layers in a model. Those of nested models and layers count each time. */
export const MAX_APPLICATIONS = 5000;

/** Times that tfjs reads a wrapper's inner layer at each level: to copy it, to build it, to compute its sizes. */
const READINGS_OF_INNER = 3;

/** Class names of models: tfjs gives them a node of their own before they are applied. */
const models = new Set(['Model', 'Functional', 'Sequential']);
/** Layers that may put out more than one tensor, by their config. */
const severalOutputs = new Set([
  'RNN',
  'SimpleRNN',
  'GRU',
  'LSTM',
  'ConvRNN2D',
  'ConvLSTM2D',
  'Bidirectional',
  'TimeDistributed',
  'Sequential',
]);

/** One application of a layer to the tensors of others. */
interface Call {
  readonly layer: string;
  readonly inputs: readonly Input[];
  /** Number of inputs that are not available yet. */
  missing: number;
}

/** An output tensor of a layer's node. */
interface Input {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

interface GraphLayer {
  readonly name: string;
  readonly kind: string;
  /** Number of output tensors; null where its config alone does not tell. */
  readonly outputs: number | null;
  /** Nodes that tfjs makes before the layer is applied. */
  readonly own: number;
  readonly calls: number;
}

/**
 * Checks that tfjs can connect the layers of a model, and of every nested model, in bounded work: names are unique,
 * referenced layers, nodes and tensors exist, the graph has no cycle, and all layers together are applied at most
 * `MAX_APPLICATIONS` times. Takes time proportional to the size of the topology.
 *
 * @param topology A topology that passed `checkNesting`.
 * @throws CoppiceError `model-invalid`, naming the layer.
 */
export function checkGraph(topology: unknown): void {
  if (applications(topology, 1) > MAX_APPLICATIONS) throw tooMany();
}

/**
 * Applications of all layers in a part of a topology, its graphs checked on the way.
 *
 * @param times readings or applications of the part, which multiply those inside of it.
 */
function applications(part: unknown, times: number): number {
  if (times > MAX_APPLICATIONS) throw tooMany();
  if (typeof part !== 'object' || part === null) return 0;
  if (Array.isArray(part)) return part.reduce<number>((sum, item) => sum + applications(item, times), 0);
  const kind = field(part as Json, 'className');
  const config = field(part as Json, 'config');
  if (typeof kind !== 'string' || typeof config !== 'object' || config === null) {
    return applications(Object.values(part), times);
  }
  const layers = Array.isArray(config) ? config : field(config as Json, 'layers');
  if (models.has(kind) && Array.isArray(layers)) {
    const calls = kind === 'Sequential' ? layers.map(() => 1) : checkFunctional(config as Json, layers);
    const rest = Array.isArray(config)
      ? []
      : Object.entries(config).filter(([key]) => camel(key) !== 'layers');
    return layers.reduce<number>(
      (sum, layer, i) => sum + applications(layer, times * Math.max(1, calls[i] ?? 1)),
      times + applications(rest, times),
    );
  }
  const inner = times * READINGS_OF_INNER;
  return Object.entries(config).reduce<number>((sum, [key, value]) => {
    const found = applications(value, inner);
    // An initializer has a class and a config as well, and is no layer.
    return sum + (noLayer.test(key) ? Math.max(0, found - inner) : found);
  }, times);
}

/** Keys of a weight's settings, in either spelling. */
const noLayer = /initializer$|regularizer$|constraint$/i;

/**
 * Checks one functional model, without the contents of its layers.
 *
 * @returns the number of applications of each of its layers.
 */
function checkFunctional(config: Json, written: readonly unknown[]): number[] {
  const layers = new Map<string, GraphLayer>();
  const calls: Call[] = [];
  for (const one of written) {
    const { layer, inputs } = readLayer(one);
    if (layers.has(layer.name))
      throw invalid(`it has two layers named "${layer.name}". Give each its own name`);
    layers.set(layer.name, layer);
    for (const of of inputs) calls.push({ layer: layer.name, inputs: of, missing: 0 });
  }
  for (const { layer, inputs } of calls) {
    for (const input of inputs) checkInput(`its layer "${layer}" takes its input from`, input, layers);
  }
  checkOrder(layers, calls);
  for (const key of ['inputLayers', 'outputLayers']) checkEnds(field(config, key), key, layers);
  return [...layers.values()].map((layer) => layer.calls);
}

function readLayer(one: unknown): { layer: GraphLayer; inputs: Input[][] } {
  if (typeof one !== 'object' || one === null) throw invalid('one of its layers is no object');
  const entry = one as Json;
  const config = field(entry, 'config');
  const inner =
    typeof config === 'object' && config !== null && !Array.isArray(config) ? (config as Json) : {};
  const name = field(entry, 'name') ?? field(inner, 'name');
  if (typeof name !== 'string') throw invalid('one of its layers has no name');
  // tfjs looks layers up in a plain object.
  if (name in {}) throw invalid(`its layer "${name}" has a name that tfjs can't use. Give it another`);
  const own = field(inner, 'name');
  if (own !== undefined && own !== name) {
    throw invalid(`its layer "${name}" has another name in its config, ${JSON.stringify(own)}`);
  }
  const kind = String(field(entry, 'className'));
  const nodes = field(entry, 'inboundNodes');
  if (!Array.isArray(nodes)) throw invalid(`its layer "${name}" has no list of inputs ("inbound_nodes")`);
  const inputs = nodes.map((node) => readCall(name, node));
  const outputs = field(inner, 'outputLayers');
  const layers = Array.isArray(config) ? config : field(inner, 'layers');
  const empty = Array.isArray(layers) && layers.length === 0;
  return {
    layer: {
      name,
      kind,
      outputs: severalOutputs.has(kind)
        ? null
        : models.has(kind)
          ? Array.isArray(outputs)
            ? outputs.length
            : null
          : 1,
      own: kind === 'InputLayer' || (models.has(kind) && !empty) ? 1 : 0,
      calls: inputs.length,
    },
    inputs,
  };
}

/** One item of `inbound_nodes`: a list of `[layer, node, tensor, arguments]`. */
function readCall(layer: string, node: unknown): Input[] {
  const inputs = Array.isArray(node) ? (node as unknown[]) : [];
  if (inputs.length === 0)
    throw invalid(`its layer "${layer}" has an input ("inbound_nodes") that is no list of layers`);
  return inputs.map((input) => readInput(`its layer "${layer}" has an input ("inbound_nodes")`, input));
}

function readInput(which: string, input: unknown): Input {
  const [layer, node, tensor] = Array.isArray(input) ? (input as unknown[]) : [];
  if (typeof layer !== 'string' || !isIndex(node) || !isIndex(tensor)) {
    throw invalid(
      `${which} that is no list of a layer's name, the index of a node and the index of a tensor`,
    );
  }
  return { layer, node, tensor };
}

/** @param who the start of the refusal: "its layer … takes its input from". */
function checkInput(who: string, input: Input, layers: ReadonlyMap<string, GraphLayer>): void {
  const from = layers.get(input.layer);
  if (from === undefined) throw invalid(`${who} "${input.layer}", which is not among its layers`);
  const nodes = from.own + from.calls;
  if (input.node >= nodes) {
    throw invalid(`${who} node ${input.node} of "${from.name}", which has ${nodes} (counted from 0)`);
  }
  if (from.outputs !== null && input.tensor >= from.outputs) {
    throw invalid(
      `${who} tensor ${input.tensor} of "${from.name}", which puts out ${from.outputs} (counted from 0)`,
    );
  }
}

/** Applies layers as soon as their inputs are available, in any order; the remaining ones form a cycle. */
function checkOrder(layers: ReadonlyMap<string, GraphLayer>, calls: readonly Call[]): void {
  const nodes = new Map([...layers.values()].map(({ name, own }) => [name, own]));
  const waiting = new Map<string, Call[]>();
  const ready: Call[] = [];
  for (const call of calls) {
    for (const { layer, node } of call.inputs) {
      if (node < (nodes.get(layer) ?? 0)) continue;
      call.missing++;
      const key = JSON.stringify([layer, node]);
      const others = waiting.get(key);
      if (others === undefined) waiting.set(key, [call]);
      else others.push(call);
    }
    if (call.missing === 0) ready.push(call);
  }
  for (let call = ready.pop(); call !== undefined; call = ready.pop()) {
    const made = nodes.get(call.layer) ?? 0;
    nodes.set(call.layer, made + 1);
    for (const other of waiting.get(JSON.stringify([call.layer, made])) ?? []) {
      if (--other.missing === 0) ready.push(other);
    }
  }
  const stuck = calls.find(({ missing }) => missing > 0);
  if (stuck !== undefined) {
    throw invalid(`its layer "${stuck.layer}" takes its input, directly or through others, from itself`);
  }
}

/** `input_layers` and `output_layers`: lists of `[layer, node, tensor]`. */
function checkEnds(ends: unknown, key: string, layers: ReadonlyMap<string, GraphLayer>): void {
  const what = key === 'inputLayers' ? 'input ("input_layers")' : 'output ("output_layers")';
  if (!Array.isArray(ends) || ends.length === 0) throw invalid(`it has no list of its ${what}`);
  for (const end of ends) checkInput(`its ${what} is`, readInput(`it has an ${what}`, end), layers);
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** Reads a field by tfjs's name; Keras' spelling counts as the same. */
function field(object: Json, name: string): unknown {
  const spellings = Object.keys(object).filter((key) => camel(key) === name);
  const [spelling, other] = spellings;
  if (other !== undefined) throw invalid(`it has both "${spelling}" and "${other}" in one place`);
  return spelling === undefined ? undefined : object[spelling];
}

/** Converts a key to tfjs's camel case. */
function camel(key: string): string {
  return key.length <= 1 ? key : key.replace(/_+(\w|$)/g, (_, letter: string) => letter.toUpperCase());
}

function tooMany() {
  return invalid(
    `its layers are applied more than ${MAX_APPLICATIONS} times, those of models inside of it counted each time`,
  );
}
