import { CoppiceError } from '@coppice/protocol';
import { withoutProcessHandlers } from './process-handlers.ts';
import * as tf from './tf.ts';
import type { TfjsBackend } from './trainer.ts';
import { askWebgpu, isWebgpuLost, prepareWebgpu, watchWebgpu } from './webgpu.ts';

/** Without WebGPU, which is young: it is used only where measured, or on request. */
const tfjsBackends: readonly TfjsBackend[] = ['webgl', 'wasm', 'cpu'];

// Also silences tfjs's advice to install its Node binding, and its own warnings when a backend
// can't start: that is told below.
tf.enableProdMode();
// WebGL keeps 2 × 2 numbers in a texel; packed functions such as exp leave garbage in the lanes that an
// odd size does not use, and the next matrix product sums it. Unpacked, they leave none.
tf.env().set('WEBGL_PACK_UNARY_OPERATIONS', false);

// tfjs gives up on a backend that is still starting when another start comes in between.
let lastStart: Promise<void> = Promise.resolve();

/**
 * Starts a backend and makes it tfjs's current one.
 *
 * @throws CoppiceError `backend-unavailable` when this machine or browser can't run it.
 */
export function useBackend(name: TfjsBackend): Promise<void> {
  const start = lastStart.then(() => startBackend(name));
  lastStart = start.catch(() => {});
  return start;
}

async function startBackend(name: TfjsBackend): Promise<void> {
  try {
    if (name === 'wasm') (await import('./wasm.ts')).prepareWasm();
    if (name === 'webgl') renewLostWebgl();
    if (name === 'webgpu') await prepareWebgpu();
    if (!(await withoutProcessHandlers(() => tf.setBackend(name)))) throw new Error('it did not start');
    if (name === 'webgl') endWaitsOnLoss();
    if (name === 'webgpu') watchWebgpu();
    if (name === 'webgl' && !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) {
      throw new Error('this device computes in half precision only, too coarse for training');
    }
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new CoppiceError(
      'backend-unavailable',
      `The ${name} backend can't be used here: ${why}. Choose another one, or let Coppice choose.`,
      { cause: thrown },
    );
  }
}

/**
 * Starts the first backend of webgl, wasm, cpu that computes correctly here.
 *
 * @throws CoppiceError `backend-unavailable` when none does; cpu is plain JavaScript, so this means that the program
 *   itself is broken.
 */
export async function firstWorkingBackend(): Promise<TfjsBackend> {
  let last: unknown;
  for (const name of tfjsBackends) {
    try {
      await useBackend(name);
      await probe(name);
      return name;
    } catch (thrown) {
      last = thrown;
    }
  }
  throw CoppiceError.from(last, 'backend-unavailable');
}

/** Makes a backend that was started before the current one; does nothing when it is already. */
export function switchTo(name: TfjsBackend): void {
  if (tf.getBackend() === name) return;
  // Async only in its first call for a backend; a started one is current when the call returns.
  void tf.setBackend(name);
}

/** True when the device behind the backend is gone (WebGL and WebGPU only). */
export function isLost(name: TfjsBackend): boolean {
  if (name === 'webgpu') return isWebgpuLost();
  if (name !== 'webgl') return false;
  return webglContext()?.gl?.isContextLost() ?? false;
}

/** Resolves once `isLost` can report a loss of the device. Call after a failure that the loss may have caused. */
export async function whenLossIsKnown(name: TfjsBackend): Promise<void> {
  if (name === 'webgpu') await askWebgpu();
}

/** The subset of tfjs's own WebGL context that is used here. */
interface WebglContext {
  gl?: WebGLRenderingContext;
  createFence?(gl: WebGLRenderingContext): { isFencePassed(): boolean };
}

function webglContext(): WebglContext | undefined {
  return (tf.engine().registry['webgl'] as { gpgpu?: WebglContext } | undefined)?.gpgpu;
}

const ending = new WeakSet<WebglContext>();

/**
 * Ends tfjs's waits for a fence once the context is lost. A lost context never signals a fence, so a read would wait
 * forever; instead, the reader finds the device lost.
 */
function endWaitsOnLoss(): void {
  const context = webglContext();
  const createFence = context?.createFence;
  if (context === undefined || createFence === undefined || ending.has(context)) return;
  ending.add(context);
  context.createFence = (gl) => {
    const fence = createFence.call(context, gl);
    return { ...fence, isFencePassed: () => gl.isContextLost() || fence.isFencePassed() };
  };
}

/** Makes the next use begin with a new context: a lost WebGL context never returns by itself. */
function renewLostWebgl(): void {
  if (!isLost('webgl')) return;
  const factory = tf.findBackendFactory('webgl');
  tf.removeBackend('webgl');
  tf.registerBackend('webgl', factory, 2);
}

/** Computes a small product with a known result: some drivers start, and compute nonsense. */
async function probe(name: TfjsBackend): Promise<void> {
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])));
  const [value] = await product.data();
  product.dispose();
  if (Math.abs((value ?? 0) - 11) > 1e-3) {
    throw new CoppiceError('backend-unavailable', `The ${name} backend gives wrong answers on this device.`);
  }
}
