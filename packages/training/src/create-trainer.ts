import type { Variant } from '@coppice/kernels';
import { loaded } from './loaded.ts';
import type { Pace } from './pace.ts';
import { NotPlanned } from './planned/layer.ts';
import { createPlannedTrainer } from './planned/planned-trainer.ts';
import type { BackendName, ModelDescription, Trainer } from './trainer.ts';

/** It takes long to load, and most plans are made without it. */
const tfjs = () => loaded(import('./tfjs-trainer.ts'));

/**
 * A trainer, its weights drawn from the seed: the same on every machine and every backend.
 *
 * @param options.backend Left out: the first of webgl, wasm, cpu that works here. A model that no plan can be made for is
 *   trained by tfjs on WebAssembly where `planned` is asked for; the trainer's `note` says why.
 * @param options.pace Left out: all of the device's time, told to nobody.
 * @param options.variant Which kernels a plan calls; left out, the fastest that run here.
 * @throws CoppiceError `model-invalid`, `backend-unavailable`
 */
export async function createTrainer(
  description: ModelDescription,
  options: { backend?: BackendName; seed: number; pace?: Pace; variant?: Variant },
): Promise<Trainer> {
  const { backend, variant, ...rest } = options;
  if (backend !== 'planned') {
    return (await tfjs()).createTfjsTrainer(description, backend === undefined ? rest : { ...rest, backend });
  }
  try {
    return await createPlannedTrainer(description, variant === undefined ? rest : { ...rest, variant });
  } catch (thrown) {
    if (!(thrown instanceof NotPlanned)) throw thrown;
    return (await tfjs()).createTfjsTrainer(description, { ...rest, backend: 'wasm', note: thrown.message });
  }
}
