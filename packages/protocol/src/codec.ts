import * as z from 'zod/mini';

/**
 * Codecs of a frame's numbers, with the number of each in the header. docs/protocol.md defines their bytes. `int4` is
 * rotated twice; `top1` and `top10` carry the largest one and ten percent of the numbers.
 */
export const codecs = { float32: 0, float16: 1, int8: 2, int4: 3, top1: 4, top10: 5 } as const;
export type Codec = keyof typeof codecs;
export const CodecSchema = z.enum(Object.keys(codecs) as [Codec, ...Codec[]]);

/** Numbers that share a scale in `int8`. */
export const INT8_BLOCK = 1024;
/** Numbers rotated together in `int4`, and the least length that a shorter last block is padded to. */
export const INT4_BLOCK = 4096;
const INT4_SHORTEST = 256;

/** Number of a model's parameters, and of its trainable ones. */
export interface ModelSize {
  readonly parameters: number;
  readonly trainable: number;
}

/**
 * Exact size of a payload in bytes, given its codec and model. Non-trainable values travel as float32 before the rest:
 * they are measurements, unrelated in size to the steps.
 */
export function payloadBytes(codec: Codec, { parameters, trainable }: ModelSize): number {
  return 4 * (parameters - trainable) + encodedBytes(codec, trainable);
}

/** Size in bytes of `numbers` numbers under a codec. */
export function encodedBytes(codec: Codec, numbers: number): number {
  switch (codec) {
    case 'float32':
      return 4 * numbers;
    case 'float16':
      return 2 * numbers;
    case 'int8':
      return numbers + 4 * Math.ceil(numbers / INT8_BLOCK);
    case 'int4':
      return 4 + int4BlockBytes(numbers);
    case 'top1':
    case 'top10':
      return 8 * entriesOf(codec, numbers);
  }
}

/** Number of entries that a top codec carries. */
export function entriesOf(codec: 'top1' | 'top10', numbers: number): number {
  return Math.ceil(numbers / (codec === 'top1' ? 100 : 10));
}

/** Size in bytes of the `int4` blocks of `numbers` numbers. A shorter last block is padded to a power of two, at least 256. */
export function int4BlockBytes(numbers: number): number {
  const rest = numbers % INT4_BLOCK;
  const whole = Math.floor(numbers / INT4_BLOCK) * (4 + INT4_BLOCK / 2);
  if (rest === 0) return whole;
  return whole + 4 + Math.max(INT4_SHORTEST, 2 ** Math.ceil(Math.log2(rest))) / 2;
}
