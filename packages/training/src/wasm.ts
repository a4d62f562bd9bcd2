import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { wasmPaths } from '#wasm-paths';
import * as tf from './tf.ts';
import {
  registerConv2DGradients,
  registerDepthwiseGradients,
  registerMatMul,
  registerMaxPoolGradient,
  registerSamePadding,
  registerSegmentSum,
} from './wasm-kernels/index.ts';

let prepared = false;

/**
 * Registers the WASM backend with the kernels for training. A separate module, imported on demand: a page that trains
 * on WebGL never loads it.
 */
export function prepareWasm(): void {
  if (prepared) return;
  prepared = true;
  setWasmPaths(wasmPaths());
  // One thread: the same sums on every machine, and no need for cross-origin isolation. With the
  // flag off, the binary that would start a pool of workers is not loaded at all.
  setThreadsCount(1);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  registerMatMul();
  registerMaxPoolGradient();
  registerSamePadding();
  registerConv2DGradients();
  registerDepthwiseGradients();
  registerSegmentSum();
}
