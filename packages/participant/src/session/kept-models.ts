import type { Models } from '../models.ts';
import type { SavedModel } from '../session-state.ts';
import type { StateStore } from './state-store.ts';

/** The first and the newest global model, kept to ask them; none where that is not wanted. */
export class KeptModels {
  readonly #models: Models;
  readonly #store: StateStore;
  readonly #wanted: boolean;

  /** @param options.wanted whether models are kept: two models of memory. */
  constructor({ models, store, wanted }: { models: Models; store: StateStore; wanted: boolean }) {
    this.#models = models;
    this.#store = store;
    this.#wanted = wanted;
  }

  /** Keeps a model, unless a newer one is kept. */
  keep(model: SavedModel): void {
    if (!this.#wanted) return;
    this.#models.keep(model);
    const { latest } = this.#models;
    this.#store.set({ model: latest && { round: latest.round, checkpoint: latest.checkpoint } });
  }

  /**
   * Fetches the current model of a run, unless the newest here is that.
   *
   * @param checkpoint weights hash of the current one.
   * @throws CoppiceError all that `Models.pull` throws.
   */
  async catchUp(run: string, checkpoint: string): Promise<void> {
    if (!this.#wanted || this.#models.latest?.checkpoint === checkpoint) return;
    this.keep(await this.#models.pull(run));
  }

  /** Fetches the current model of a run; nothing waits for it. */
  renew(run: string): void {
    if (!this.#wanted) return;
    this.#models.pull(run).then(
      (model) => this.keep(model),
      () => {},
    );
  }
}
