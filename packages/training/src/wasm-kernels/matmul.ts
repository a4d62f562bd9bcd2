import type * as tf from '../tf.ts';
import { type KernelCall, replaceWasmKernel, reshaped, wasmKernel } from './kernel.ts';

/**
 * Cost of packing a number, relative to transposing it. XNNPACK packs the right operand of every product anew when it
 * is a new tensor, as weights are after each training step.
 */
const PACKING_COST = 12;

/**
 * Registers matrix products for training on WASM.
 *
 * tfjs passes a plain product to XNNPACK, but computes one with a transposed operand (every gradient of a dense layer)
 * in a plain loop, ten times slower; and for a new right operand XNNPACK's packing costs more than the product itself.
 * So operands are transposed in memory where needed, and A·B is computed as (Bᵀ·Aᵀ)ᵀ when that packs the smaller one.
 * The results are the same up to rounding.
 */
export function registerMatMul(): void {
  const plain = wasmKernel('BatchMatMul');
  const transpose = wasmKernel('Transpose');

  replaceWasmKernel('BatchMatMul', (call) => {
    const a = matrix(call.inputs['a'] as tf.TensorInfo);
    const b = matrix(call.inputs['b'] as tf.TensorInfo);
    if (a === null || b === null) return plain(call);
    const { backend } = call;
    const transposeA = Boolean(call.attrs['transposeA']);
    const transposeB = Boolean(call.attrs['transposeB']);
    const [m, k] = (transposeA ? [a.shape[1], a.shape[0]] : a.shape) as [number, number];
    const n = (transposeB ? b.shape[0] : b.shape[1]) as number;
    const inner = (transposeB ? b.shape[1] : b.shape[0]) as number;
    if (k !== inner) return plain(call); // whose error says what is wrong

    const made: tf.TensorInfo[] = [];
    const turned = (x: tf.TensorInfo): tf.TensorInfo => {
      const result = transpose({ inputs: { x }, backend, attrs: { perm: [1, 0] } });
      made.push(result);
      return result;
    };
    const product = (left: tf.TensorInfo, right: tf.TensorInfo): tf.TensorInfo =>
      plain({ inputs: { a: left, b: right }, backend, attrs: { transposeA: false, transposeB: false } });

    const direct = PACKING_COST * k * n + (transposeA ? m * k : 0) + (transposeB ? k * n : 0);
    const flipped = PACKING_COST * k * m + (transposeA ? 0 : m * k) + (transposeB ? 0 : k * n) + m * n;
    let out: tf.TensorInfo;
    if (direct <= flipped) {
      out = product(transposeA ? turned(a) : a, transposeB ? turned(b) : b);
    } else {
      const upright = product(transposeB ? b : turned(b), transposeA ? a : turned(a));
      made.push(upright);
      out = turned(upright);
      made.pop();
    }
    for (const info of made) backend.disposeData(info.dataId);
    return reshaped(out, outputShape(call, m, n));
  });
}

/** The operand as one matrix, or null where it is a stack of several. */
function matrix(info: tf.TensorInfo): tf.TensorInfo | null {
  const stack = info.shape.slice(0, -2);
  if (info.dtype !== 'float32' || stack.some((size) => size !== 1)) return null;
  return reshaped(info, info.shape.slice(-2));
}

function outputShape(call: KernelCall, m: number, n: number): number[] {
  const rank = Math.max(call.inputs['a']?.shape.length ?? 2, call.inputs['b']?.shape.length ?? 2);
  return [...new Array<number>(rank - 2).fill(1), m, n];
}
