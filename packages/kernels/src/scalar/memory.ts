/** Gives an instance's memory as it is now: it may have grown since it was last asked. */
export type Memory = () => ArrayBuffer;

/** `n` float32 values at byte offset `at`. */
export function floats(memory: Memory, at: number, n: number): Float32Array {
  return new Float32Array(memory(), at, n);
}
