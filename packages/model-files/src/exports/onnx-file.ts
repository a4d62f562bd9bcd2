import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/*
 * Messages of ONNX, written field by field: numbers of fields and of types are those of onnx.proto (ONNX 1.13, Apache-2.0). Large values are put
 * between the pieces as they are, so that a model is copied once.
 */

/** Version of the operators' definitions. 17 is read by onnxruntime since 1.12. */
const OPSET = 17;
/** Version of the file's form that belongs to `OPSET`. */
const IR_VERSION = 8;

const FLOAT = 1;
const INT64 = 7;

export type Attribute = number | bigint | string | readonly number[] | readonly bigint[] | readonly string[];

export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** `bigint` for whole numbers, `number` for float32. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export interface OnnxValue {
  readonly name: string;
  /** null: any batch. */
  readonly shape: readonly (number | null)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly input: OnnxValue;
  readonly output: OnnxValue;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type Parts = readonly Uint8Array[];

/** Encodes a model as an ONNX file. */
export function encodeOnnx(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const graph: Uint8Array[] = [
    ...model.nodes.flatMap((node) => message(1, nodeParts(node))),
    text(2, model.name),
    ...model.tensors.flatMap((tensor) => message(5, tensorParts(tensor))),
    ...message(11, valueParts(model.input)),
    ...message(12, valueParts(model.output)),
  ];
  return joined([
    whole(1, IR_VERSION),
    text(2, 'Coppice'),
    text(6, model.description),
    ...message(7, graph),
    ...message(8, [text(1, ''), whole(2, OPSET)]),
    ...Object.entries(model.metadata).flatMap(([key, value]) => message(14, [text(1, key), text(2, value)])),
  ]);
}

function nodeParts({ op, name, inputs, outputs, attributes }: OnnxNode): Parts {
  return [
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    text(3, name),
    text(4, op),
    ...Object.entries(attributes).flatMap(([key, value]) => message(5, attributeParts(key, value))),
  ];
}

function attributeParts(name: string, value: Attribute): Parts {
  const head = text(1, name);
  const type = (number: number) => whole(20, number);
  if (typeof value === 'number') return [head, float(2, value), type(1)];
  if (typeof value === 'bigint') return [head, whole(3, value), type(2)];
  if (typeof value === 'string') return [head, text(4, value), type(3)];
  const [first] = value;
  if (typeof first === 'string')
    return [head, ...(value as readonly string[]).map((one) => text(9, one)), type(8)];
  if (typeof first === 'number')
    return [head, ...(value as readonly number[]).map((one) => float(7, one)), type(6)];
  return [head, ...(value as readonly bigint[]).map((one) => whole(8, one)), type(7)];
}

function tensorParts({ name, shape, values }: OnnxTensor): Parts {
  return [
    ...shape.map((size) => whole(1, size)),
    whole(2, values instanceof Float32Array ? FLOAT : INT64),
    text(8, name),
    ...message(9, [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]),
  ];
}

function valueParts({ name, shape }: OnnxValue): Parts {
  const sizes = shape.flatMap((size) => message(1, [size === null ? text(2, 'batch') : whole(1, size)]));
  const tensor = [whole(1, FLOAT), ...message(2, sizes)];
  return [text(1, name), ...message(2, message(1, tensor))];
}

function whole(field: number, value: number | bigint): Uint8Array {
  return new BinaryWriter().tag(field, WireType.Varint).int64(value).finish();
}

function float(field: number, value: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.Bit32).float(value).finish();
}

function text(field: number, value: string): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).string(value).finish();
}

/** A field whose value is these parts one after the other, with its length. */
function message(field: number, parts: Parts): Parts {
  const head = new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(lengthOf(parts)).finish();
  return [head, ...parts];
}

function lengthOf(parts: Parts): number {
  return parts.reduce((length, part) => length + part.byteLength, 0);
}

function joined(parts: Parts): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
