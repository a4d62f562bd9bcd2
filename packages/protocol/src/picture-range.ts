import type { DataSchema, PictureRange } from './task.ts';

/**
 * The range of the numbers that a task's model takes for the bytes 0–255 of pictures. `0-1` where the task names none,
 * and for tables.
 */
export function pictureRange(data: DataSchema): PictureRange {
  return (data.kind === 'image' ? data.range : undefined) ?? '0-1';
}

/** The numbers that a model takes for the bytes 0 and 255. */
export function pictureBounds(range: PictureRange): readonly [number, number] {
  return { '0-1': [0, 1], '-1-1': [-1, 1], '0-255': [0, 255] }[range] as [number, number];
}

/**
 * The number that a model takes for a byte: byte / 255, (2 · byte − 255) / 255, or the byte itself. Rounded to float32
 * it is the float32 nearest to the quotient of these integers, since one division is all that rounds.
 *
 * @param byte 0–255; fractions are allowed.
 */
export function pictureNumber(byte: number, range: PictureRange): number {
  if (range === '0-255') return byte;
  return (range === '0-1' ? byte : 2 * byte - 255) / 255;
}

/** The numbers that a model takes for all bytes, in order: 256 float32. */
export function pictureNumbers(data: DataSchema): Float32Array {
  const range = pictureRange(data);
  return Float32Array.from({ length: 256 }, (_, byte) => pictureNumber(byte, range));
}
