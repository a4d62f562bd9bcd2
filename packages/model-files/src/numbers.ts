/** Numbers of a kind that files hold, read as float32. */
export interface NumberKind {
  /** Bytes of one number. */
  readonly bytes: number;
  /** @param bytes little-endian; a whole count of numbers, at any alignment. */
  readonly read: (bytes: Uint8Array) => Float32Array;
}

interface TypedArrayOf {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, length: number): ArrayLike<number | bigint>;
}

/** Numbers of a typed array, each rounded to the nearest float32. */
function typed(Kind: TypedArrayOf): NumberKind {
  const size = Kind.BYTES_PER_ELEMENT;
  return {
    bytes: size,
    read(bytes) {
      const { buffer, byteOffset, length } = aligned(bytes, size);
      const numbers = new Kind(buffer, byteOffset, length / size);
      return Float32Array.from({ length: numbers.length }, (_, i) => Number(numbers[i]));
    },
  };
}

const float32: NumberKind = {
  bytes: 4,
  read(bytes) {
    const { buffer, byteOffset, length } = aligned(bytes, 4);
    return new Float32Array(buffer, byteOffset, length / 4);
  },
};

const float16: NumberKind = { bytes: 2, read: (bytes) => Float32Array.from(halves(bytes), halfToNumber) };

const bfloat16: NumberKind = {
  bytes: 2,
  read: (bytes) => new Float32Array(Uint32Array.from(halves(bytes), (half) => half << 16).buffer),
};

/** By the names of safetensors. Kinds of fewer than eight bits are not among them. */
export const numberKinds: ReadonlyMap<string, NumberKind> = new Map([
  ['F64', typed(Float64Array)],
  ['F32', float32],
  ['F16', float16],
  ['BF16', bfloat16],
  ['I64', typed(BigInt64Array)],
  ['I32', typed(Int32Array)],
  ['I16', typed(Int16Array)],
  ['I8', typed(Int8Array)],
  ['U64', typed(BigUint64Array)],
  ['U32', typed(Uint32Array)],
  ['U16', typed(Uint16Array)],
  ['U8', typed(Uint8Array)],
  ['BOOL', typed(Uint8Array)],
]);

/** The number that IEEE 754 binary16 bits stand for. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function halves(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, length } = aligned(bytes, 2);
  return new Uint16Array(buffer, byteOffset, length / 2);
}

function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}
