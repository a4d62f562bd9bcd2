import type { CodecKernels } from './codecs.ts';
import type { ExactSumKernels } from './exact-sum.ts';

/**
 * Every kernel, as WebAssembly exports it and as the scalar twin has it. Arrays are byte offsets into
 * the one memory that an instance works on, aligned to their elements unless a kernel says otherwise.
 */
export interface Kernels extends ExactSumKernels, CodecKernels {
  /** y ← a · x + y over n float32 values. */
  multiplyAdd(n: number, a: number, x: number, y: number): void;
}
