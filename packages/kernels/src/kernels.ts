import type { CodecKernels } from './codecs.ts';
import type { ExactSumKernels } from './exact-sum.ts';
import type { ActivationKernels } from './scalar/activations.ts';
import type { BatchNormKernels } from './scalar/batch-norm.ts';
import type { ConvolutionKernels } from './scalar/convolution.ts';
import type { LossKernels } from './scalar/losses.ts';
import type { MatmulKernels } from './scalar/matmul.ts';
import type { OptimizerKernels } from './scalar/optimizers.ts';

/**
 * Every kernel, as WebAssembly exports it and as the scalar twin has it. Arrays are byte offsets into
 * the one memory that an instance works on, aligned to their elements unless a kernel says otherwise.
 */
export interface Kernels
  extends MatmulKernels,
    ActivationKernels,
    LossKernels,
    OptimizerKernels,
    ConvolutionKernels,
    BatchNormKernels,
    ExactSumKernels,
    CodecKernels {
  /** y ← a · x + y over n float32 values. */
  multiplyAdd(n: number, a: number, x: number, y: number): void;
  /** y ← x / 255 over n bytes at x, as float32. x may be the last quarter of y. */
  fromBytes(n: number, x: number, y: number): void;
}
