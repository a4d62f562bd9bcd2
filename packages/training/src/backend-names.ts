import type { BackendName } from './trainer.ts';

/** In the order of preference where no measurement decides. */
export const backendNames: readonly BackendName[] = ['planned', 'webgpu', 'webgl', 'wasm', 'cpu'];
