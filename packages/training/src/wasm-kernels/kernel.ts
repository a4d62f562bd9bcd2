import * as tf from '../tf.ts';

/** The interface of tfjs's WASM backend for kernels that are composed of other kernels. */
export interface WasmBackend extends tf.KernelBackend {
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  /** A view of a tensor's numbers in the WASM memory; valid until the next allocation. */
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array;
}

/** The arguments of a kernel. */
export interface KernelCall {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs: tf.NamedAttrMap;
  readonly backend: WasmBackend;
}

export type WasmKernel = (call: KernelCall) => tf.TensorInfo;

/** The WASM backend's own kernel of this name. */
export function wasmKernel(name: string): WasmKernel {
  const config = tf.getKernel(name, 'wasm');
  if (!config) throw new Error(`The WASM backend has no kernel ${name}`);
  return config.kernelFunc as unknown as WasmKernel;
}

/** Registers a kernel, in place of the WASM backend's where it has one. */
export function replaceWasmKernel(name: string, kernel: WasmKernel): void {
  const old = tf.getKernel(name, 'wasm');
  if (old) tf.unregisterKernel(name, 'wasm');
  tf.registerKernel({
    kernelName: name,
    backendName: 'wasm',
    // A kernel that ours falls back on still wants its set-up when the backend starts.
    ...(old?.setupFunc ? { setupFunc: old.setupFunc } : {}),
    kernelFunc: kernel as unknown as tf.KernelFunc,
  });
}

/** The same numbers under another shape, without a copy. */
export function reshaped(info: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  return { dataId: info.dataId, shape, dtype: info.dtype };
}
