/**
 * How the numbers of a frame are written, by the number that stands in its header. docs/protocol.md says what their
 * bytes mean. `int4` is rotated; `top1` and `top10` carry one and ten percent of the numbers, the largest.
 */
export const codecs = { float32: 0, float16: 1, int8: 2, int4: 3, top1: 4, top10: 5 } as const;
export type Codec = keyof typeof codecs;

/** Parameters that share a scale in `int8`. */
export const INT8_BLOCK = 1024;
/** Parameters that are rotated together in `int4`. */
export const INT4_BLOCK = 4096;
const INT4_SHORTEST = 8;

/** How many bytes a payload has: it follows from codec and model, and nothing else is taken. */
export function payloadBytes(codec: Codec, parameters: number): number {
  switch (codec) {
    case 'float32':
      return 4 * parameters;
    case 'float16':
      return 2 * parameters;
    case 'int8':
      return parameters + 4 * Math.ceil(parameters / INT8_BLOCK);
    case 'int4':
      return 4 + int4BlockBytes(parameters);
    case 'top1':
    case 'top10':
      return 8 * entriesOf(codec, parameters);
  }
}

/** How many numbers a top codec carries. */
export function entriesOf(codec: 'top1' | 'top10', parameters: number): number {
  return Math.ceil(parameters / (codec === 'top1' ? 100 : 10));
}

/** Bytes of the `int4` blocks of so many parameters: a last block that is shorter is padded to a power of two. */
export function int4BlockBytes(parameters: number): number {
  const rest = parameters % INT4_BLOCK;
  const whole = Math.floor(parameters / INT4_BLOCK) * (4 + INT4_BLOCK / 2);
  if (rest === 0) return whole;
  return whole + 4 + Math.max(INT4_SHORTEST, 2 ** Math.ceil(Math.log2(rest))) / 2;
}
