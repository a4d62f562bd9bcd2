import { CoppiceError } from '@coppice/protocol';
import type { BackendName, ModelDescription, Trainer } from '@coppice/training';

export type CreateTrainer = (
  description: ModelDescription,
  options: { backend?: BackendName; seed: number },
) => Promise<Trainer>;

/**
 * Lends a trainer for one piece of work at a time. One host may serve many sessions: each sets its own
 * weights first, so nothing is shared but the device.
 */
export interface TrainerHost {
  /** Runs `work` when the trainer is free. After a lost device, once more on the next backend. */
  use<T>(description: ModelDescription, work: (trainer: Trainer) => Promise<T>): Promise<T>;
  readonly backend: BackendName | null;
  /** Called with each backend that comes into use, also after a fallback. */
  onBackend(changed: (backend: BackendName) => void): () => void;
  dispose(): void;
}

/** A host over `createTrainer`, trying `backends` in order and moving on for good when one is lost. */
export function trainerHost(createTrainer: CreateTrainer, backends: readonly BackendName[]): TrainerHost {
  const left = [...backends];
  const listeners = new Set<(backend: BackendName) => void>();
  let held: { description: ModelDescription; trainer: Trainer } | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  const drop = () => {
    held?.trainer.dispose();
    held = null;
  };

  const acquire = async (description: ModelDescription): Promise<Trainer> => {
    if (held !== null && sameModel(held.description, description)) return held.trainer;
    drop();
    let cause: unknown;
    while (left.length > 0) {
      const backend = left[0] as BackendName;
      try {
        const trainer = await createTrainer(description, { backend, seed: 0 });
        held = { description, trainer };
        for (const listener of listeners) listener(trainer.backend);
        return trainer;
      } catch (thrown) {
        // A model that cannot be built fails on every backend alike.
        if (thrown instanceof CoppiceError && !thrown.code.startsWith('backend-')) throw thrown;
        cause = thrown;
        left.shift();
      }
    }
    throw new CoppiceError(
      'backend-unavailable',
      'None of WebGL, WebAssembly and plain JavaScript can train on this device. Try another browser.',
      { cause },
    );
  };

  const run = async <T>(
    description: ModelDescription,
    work: (trainer: Trainer) => Promise<T>,
  ): Promise<T> => {
    const trainer = await acquire(description);
    try {
      return await work(trainer);
    } catch (thrown) {
      if (!(thrown instanceof CoppiceError) || thrown.code !== 'backend-lost' || left.length <= 1)
        throw thrown;
      left.shift();
      drop();
      return work(await acquire(description));
    }
  };

  return {
    use(description, work) {
      const result = queue.then(() => run(description, work));
      queue = result.catch(() => {});
      return result;
    },
    get backend() {
      return held?.trainer.backend ?? null;
    },
    onBackend(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    dispose() {
      queue = queue.then(drop);
    },
  };
}

function sameModel(a: ModelDescription, b: ModelDescription): boolean {
  return a === b || JSON.stringify([a.topology, a.loss]) === JSON.stringify([b.topology, b.loss]);
}
