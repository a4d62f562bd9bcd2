import * as tf from './tf.ts';

const watched = new WeakSet<GPUDevice>();
const lost = new WeakSet<GPUDevice>();

/**
 * Registers tfjs's WebGPU backend, for `tf.setBackend`, and again after its device was lost.
 *
 * @throws Error where there is no WebGPU, or no graphics processor behind it; nothing is loaded then.
 */
export async function prepareWebgpu(): Promise<void> {
  // Neither Node nor every browser has it, nor a page without TLS.
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (gpu === undefined) throw new Error('there is no WebGPU here');
  if ((await gpu.requestAdapter()) === null) throw new Error('no graphics processor is open to WebGPU');
  await import('./webgpu-kernels.ts');
  if (!isWebgpuLost()) return;
  const factory = tf.findBackendFactory('webgpu');
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', factory, 3);
}

/** Watches for the loss of the device. Call when the backend has started: its device reports only its own end. */
export function watchWebgpu(): void {
  const device = currentDevice();
  if (device === undefined || watched.has(device)) return;
  watched.add(device);
  void device.lost.then(() => lost.add(device));
}

/** Finds out whether the device is lost. The device reports it only some time after the reads that fail. */
export async function askWebgpu(): Promise<void> {
  const device = currentDevice();
  if (device === undefined) return;
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    await buffer.mapAsync(GPUMapMode.READ);
    buffer.destroy();
  } catch {
    lost.add(device);
  }
}

export function isWebgpuLost(): boolean {
  const device = currentDevice();
  return device !== undefined && lost.has(device);
}

function currentDevice(): GPUDevice | undefined {
  return (tf.engine().registry['webgpu'] as { device?: GPUDevice } | undefined)?.device;
}
