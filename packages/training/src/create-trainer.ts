import type { Variant } from '@coppice/kernels';
import { loaded } from './loaded.ts';
import type { Pace } from './pace.ts';
import { NotPlanned } from './planned/layer.ts';
import { createPlannedTrainer } from './planned/planned-trainer.ts';
import type { BackendName, ModelDescription, Trainer } from './trainer.ts';

/** Loaded lazily: it takes long to load, and most models are trained without it. */
const tfjs = () => loaded(import('./tfjs-trainer.ts'));

/**
 * Creates a trainer with weights drawn from the seed: the same on every machine and every backend.
 *
 * @param options.backend Left out: the first of webgl, wasm, cpu that works here. Where `planned` is requested and the
 *   model cannot be planned, tfjs trains it on WebAssembly, and the trainer's `note` gives the reason.
 * @param options.pace Left out: full use of the device, without reports.
 * @param options.variant The kernels of the planned trainer; left out, the fastest that run here.
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
