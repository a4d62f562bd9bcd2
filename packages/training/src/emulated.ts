import type { BackendName } from './trainer.ts';

/** Names of renderers that compute on the processor: of Chromium, Mesa and Windows. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/**
 * Whether a browser only emulates the graphics processor that a backend computes on. An emulated one compiles shaders for
 * seconds, and is slower than WebAssembly on the same processor.
 *
 * @returns false where there is no such device, or its name is withheld.
 */
export async function isEmulated(backend: BackendName): Promise<boolean> {
  if (backend === 'webgl') return SOFTWARE.test(rendererOfWebgl() ?? '');
  if (backend === 'webgpu') return isFallbackWebgpu();
  return false;
}

function rendererOfWebgl(): string | null {
  if (typeof OffscreenCanvas === 'undefined') return null;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (gl === null) return null;
  try {
    const unmasked = gl.getExtension('WEBGL_debug_renderer_info');
    return String(gl.getParameter(unmasked === null ? gl.RENDERER : unmasked.UNMASKED_RENDERER_WEBGL));
  } finally {
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

async function isFallbackWebgpu(): Promise<boolean> {
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  const info = (await gpu?.requestAdapter())?.info;
  return (
    info !== undefined &&
    (info.isFallbackAdapter === true || SOFTWARE.test(`${info.architecture} ${info.description}`))
  );
}
