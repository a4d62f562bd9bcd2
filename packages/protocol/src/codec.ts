import * as z from 'zod/mini';

/**
 * How the numbers of a frame are written, by the number that stands in its header. docs/protocol.md says what their
 * bytes mean. `int4` is rotated twice; `top1` and `top10` carry one and ten percent of the numbers, the largest.
 */
export const codecs = { float32: 0, float16: 1, int8: 2, int4: 3, top1: 4, top10: 5 } as const;
export type Codec = keyof typeof codecs;
export const CodecSchema = z.enum(Object.keys(codecs) as [Codec, ...Codec[]]);

/** Numbers that share a scale in `int8`. */
export const INT8_BLOCK = 1024;
/** Numbers that are rotated together in `int4`, and the fewest that a last block is padded to. */
export const INT4_BLOCK = 4096;
const INT4_SHORTEST = 256;

/** How many numbers a model has, and how many of them are trained. */
export interface ModelSize {
  readonly parameters: number;
  readonly trainable: number;
}

/**
 * How many bytes a payload has: it follows from codec and model, and nothing else is taken. Weights that are not
 * trained are measurements, of any size beside the steps of the others: they travel as float32 before them.
 */
export function payloadBytes(codec: Codec, { parameters, trainable }: ModelSize): number {
  return 4 * (parameters - trainable) + encodedBytes(codec, trainable);
}

/** How many bytes a codec makes of so many numbers. */
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

/** How many numbers a top codec carries. */
export function entriesOf(codec: 'top1' | 'top10', numbers: number): number {
  return Math.ceil(numbers / (codec === 'top1' ? 100 : 10));
}

/** Bytes of the `int4` blocks of so many numbers: a last block that is shorter is padded to a power of two from 256 on. */
export function int4BlockBytes(numbers: number): number {
  const rest = numbers % INT4_BLOCK;
  const whole = Math.floor(numbers / INT4_BLOCK) * (4 + INT4_BLOCK / 2);
  if (rest === 0) return whole;
  return whole + 4 + Math.max(INT4_SHORTEST, 2 ** Math.ceil(Math.log2(rest))) / 2;
}
