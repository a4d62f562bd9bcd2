import { CoppiceError } from '@coppice/protocol';
import { type BackendName, type ModelDescription, modelKey, type Trainer } from '@coppice/training';

export type CreateTrainer = (
  description: ModelDescription,
  options: { backend?: BackendName; seed: number },
) => Promise<Trainer>;

/**
 * Ranks the backends that can train a model, the preferred one first.
 *
 * @param how.batchSize the plan's.
 */
export type RankBackends = (
  description: ModelDescription,
  how: { batchSize: number },
) => Promise<readonly { readonly backend: BackendName }[]>;

/** A backend on its first use. */
export interface BackendInUse {
  readonly backend: BackendName;
  /** The reason for another backend than the intended one; null where it is the intended one. */
  readonly note: string | null;
  /** The lost backend that this one replaces; null where none was lost. */
  readonly insteadOf: BackendName | null;
}

/** Batch size for ranking where the work has none, such as a prediction. */
const USUAL_BATCH = 10;

/**
 * Lends a trainer for one piece of work at a time. One host may serve many sessions: each sets its own weights first,
 * so they share nothing but the device.
 */
export interface TrainerHost {
  /** Runs `work` when the trainer is free, and once more on the next backend after the device is lost. */
  use<T>(
    description: ModelDescription,
    work: (trainer: Trainer) => Promise<T>,
    how?: { batchSize: number },
  ): Promise<T>;
  readonly backend: BackendName | null;
  /** Prefers a backend, where available, from the next piece of work on; null: the host's own order again. */
  prefer(backend: BackendName | null): void;
  /** Calls back with each backend that comes into use, fallbacks included. */
  onBackend(changed: (inUse: BackendInUse) => void): () => void;
  dispose(): void;
}

/**
 * A host over `createTrainer` that tries `backends` in order, and moves on for good when one is lost.
 *
 * @param rank ranks the backends for a model, once each. A backend that it leaves out is tried last if it is the last
 *   of `backends`, and otherwise not at all.
 */
export function trainerHost(
  createTrainer: CreateTrainer,
  backends: readonly BackendName[],
  rank: RankBackends | null = null,
): TrainerHost {
  const gone = new Set<BackendName>();
  const listeners = new Set<(inUse: BackendInUse) => void>();
  let preferred: BackendName | null = null;
  let held: { description: ModelDescription; trainer: Trainer; asked: BackendName } | null = null;
  let ranked: { description: ModelDescription; order: readonly BackendName[] } | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  /** The error of the last unavailable backend. */
  let cause: unknown;

  const drop = () => {
    held?.trainer.dispose();
    held = null;
  };

  const orderFor = async (
    description: ModelDescription,
    how: { batchSize: number },
  ): Promise<readonly BackendName[]> => {
    if (preferred !== null) return [preferred, ...backends.filter((backend) => backend !== preferred)];
    if (rank === null) return backends;
    if (ranked === null || !sameModel(ranked.description, description)) {
      const names = (await rank(description, how)).map(({ backend }) => backend);
      const known = names.filter((backend) => backends.includes(backend));
      const last = backends.at(-1) as BackendName;
      ranked = { description, order: known.includes(last) ? known : [...known, last] };
    }
    return ranked.order;
  };

  const acquire = async (
    description: ModelDescription,
    how: { batchSize: number },
    insteadOf: BackendName | null = null,
  ): Promise<Trainer> => {
    if (held !== null && sameModel(held.description, description)) return held.trainer;
    drop();
    for (const backend of await orderFor(description, how)) {
      if (gone.has(backend)) continue;
      try {
        const trainer = await createTrainer(description, { backend, seed: 0 });
        held = { description, trainer, asked: backend };
        const inUse = { backend: trainer.backend, note: trainer.note ?? null, insteadOf };
        for (const listener of listeners) listener(inUse);
        return trainer;
      } catch (thrown) {
        // A model that cannot be built fails on every backend alike.
        if (thrown instanceof CoppiceError && !thrown.code.startsWith('backend-')) throw thrown;
        cause = thrown;
        gone.add(backend);
      }
    }
    throw new CoppiceError(
      'backend-unavailable',
      // Plain JavaScript comes last, and works wherever it can be loaded: why it could not be says most.
      cause instanceof CoppiceError
        ? cause.message
        : 'None of WebGL, WebAssembly and plain JavaScript can train on this device. Try another browser.',
      { cause },
    );
  };

  const run = async <T>(
    description: ModelDescription,
    work: (trainer: Trainer) => Promise<T>,
    how: { batchSize: number },
  ): Promise<T> => {
    const trainer = await acquire(description, how);
    try {
      return await work(trainer);
    } catch (thrown) {
      const isLost = thrown instanceof CoppiceError && thrown.code === 'backend-lost';
      if (!isLost || held === null || backends.every((one) => gone.has(one) || one === held?.asked))
        throw thrown;
      const lost = held.asked;
      gone.add(lost);
      drop();
      return work(await acquire(description, how, lost));
    }
  };

  return {
    use(description, work, how = { batchSize: USUAL_BATCH }) {
      const result = queue.then(() => run(description, work, how));
      queue = result.catch(() => {});
      return result;
    },
    get backend() {
      return held?.trainer.backend ?? null;
    },
    prefer(backend) {
      queue = queue.then(() => {
        if (backend === preferred) return;
        preferred = backend;
        // Wished for anew, it is tried anew.
        if (backend !== null) gone.delete(backend);
        drop();
      });
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
  return a === b || modelKey(a) === modelKey(b);
}
