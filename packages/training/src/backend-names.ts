import type { BackendName } from './trainer.ts';

/** In the order in which they are tried where nobody measures. */
export const backendNames: readonly BackendName[] = ['planned', 'webgpu', 'webgl', 'wasm', 'cpu'];
