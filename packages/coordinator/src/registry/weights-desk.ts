import type { Clock } from '@coppice/ports';
import { type CheckpointId, CoppiceError, type GivenWeights, type Layout } from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { Storage } from '../storage/storage.ts';
import { checkpointGone } from '../storage/storage-error.ts';

/** Milliseconds for which weights that were sent wait for their task. */
export const UPLOAD_KEPT = 24 * 60 * 60 * 1000;

/** Weights that are given with tasks. */
export class WeightsDesk {
  readonly #storage: Storage;
  readonly #models: ModelWorker;
  readonly #clock: Clock;

  constructor({ storage, models, clock }: { storage: Storage; models: ModelWorker; clock: Clock }) {
    this.#storage = storage;
    this.#models = models;
    this.#clock = clock;
  }

  /**
   * Takes a file of safetensors, for a task that is yet to be made.
   *
   * @throws CoppiceError `weights-invalid`
   */
  async take(file: Uint8Array): Promise<GivenWeights> {
    const { tensors, parameters } = await this.#models.readWeights(file);
    await this.tidy();
    return { hash: await this.#storage.addUpload(file, this.#clock.now()), tensors, parameters };
  }

  /** Deletes what has waited too long for its task. */
  async tidy(): Promise<void> {
    await this.#storage.forgetUploads(this.#clock.now() - UPLOAD_KEPT);
  }

  /**
   * The weights that a new task names, in the order of its model's layout.
   *
   * @throws CoppiceError `weights-invalid` where they are not there, or do not fit; `checkpoint-unknown`.
   */
  async fitting(named: string | { checkpoint: CheckpointId }, layout: Layout): Promise<Float32Array> {
    await this.tidy();
    if (typeof named !== 'string') return this.#ofCheckpoint(named.checkpoint, layout);
    const file = await this.#storage.upload(named);
    if (file === null)
      throw new CoppiceError(
        'weights-invalid',
        `The weights ${named.slice(0, 12)}… are not here: they were never sent, or were deleted a day after. Send them again by POST /api/weights.`,
      );
    return this.#models.fitWeights(layout, { file });
  }

  async #ofCheckpoint(id: CheckpointId, layout: Layout): Promise<Float32Array> {
    const checkpoint = await this.#storage.checkpoint(id);
    const maker = (await this.#storage.runs()).find((run) => run.id === checkpoint?.run);
    if (checkpoint === null || maker === undefined) throw checkpointGone(id);
    return this.#models.fitWeights(layout, {
      layout: await this.#models.layout(maker.task),
      weights: await this.#storage.weights(checkpoint.hash),
    });
  }
}
