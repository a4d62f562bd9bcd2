/** The largest finite float16. */
const LARGEST = 65504;

/**
 * Rounds float32 to float16, the nearest with ties to even, little-endian: the form that tfjs reads for
 * `quantization: { dtype: 'float16' }`. Numbers beyond ±65504 become the largest finite one, not infinity.
 *
 * @returns 2 bytes for each number.
 */
export function writeFloat16(values: Float32Array): Uint8Array<ArrayBuffer> {
  const halves = new Float16Array(values.length);
  for (let i = 0; i < values.length; i++)
    halves[i] = Math.max(-LARGEST, Math.min(LARGEST, values[i] as number));
  return new Uint8Array(halves.buffer);
}
