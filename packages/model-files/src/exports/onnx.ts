import type { ModelGraph } from './graph.ts';
import { OnnxBuilder, type Value } from './onnx-builder.ts';
import { encodeOnnx } from './onnx-file.ts';
import { translate } from './onnx-layers.ts';
import { unsupported } from './unsupported.ts';

/** Facts about a model that its file carries. */
export interface OnnxFacts {
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The names of the input and the output of every file. */
const INPUT = 'input';
const OUTPUT = 'output';

/**
 * Writes a model as an ONNX file: opset 17, float32, one input `input` and one output `output`, both shaped as in tfjs (channels last) for
 * any batch. Between them convolutions have their channels first, as ONNX wants it.
 *
 * @throws CoppiceError `export-unsupported` for a layer that has no translation, with the layer and the reason.
 */
export function writeOnnx(
  model: ModelGraph,
  { name, description, metadata }: OnnxFacts,
): Uint8Array<ArrayBuffer> {
  const graph = new OnnxBuilder();
  const values = new Map<string, Value>([
    [model.input.id, { name: INPUT, shape: model.input.shape, channels: 'last' }],
  ]);
  const named = (id: string, layer: string): Value => {
    const value = values.get(id);
    if (value === undefined) throw unsupported(layer, 'takes a tensor that no layer made');
    return value;
  };
  for (const call of model.calls) {
    const inputs = call.inputs.map(({ id }) => named(id, call.name));
    values.set(call.output.id, translate(graph, call, inputs));
  }
  graph.layer = OUTPUT;
  const last = graph.last(named(model.output.id, OUTPUT));
  graph.node('Identity', [last.name], {}, OUTPUT);
  return encodeOnnx({
    name,
    description,
    metadata,
    nodes: graph.nodes,
    tensors: graph.tensors,
    input: { name: INPUT, shape: model.input.shape },
    output: { name: OUTPUT, shape: model.output.shape },
  });
}
