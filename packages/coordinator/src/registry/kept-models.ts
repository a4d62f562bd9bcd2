import { MAX_MODEL_BYTES } from '@coppice/protocol';
import type { PackedModel } from '../rounds/packed-model.ts';

interface Kept {
  readonly model: Promise<PackedModel>;
  /** Size in bytes; 0 until the model is loaded. */
  bytes: number;
}

/** An LRU cache of models from storage: at most one of the largest, or as many small ones. */
export class KeptModels {
  /** Least recently used first. */
  readonly #kept = new Map<string, Kept>();
  readonly #most: number;

  constructor(most = MAX_MODEL_BYTES) {
    this.#most = most;
  }

  /** Returns the model of this name; concurrent calls share one load. */
  get(name: string, load: () => Promise<PackedModel>): Promise<PackedModel> {
    const known = this.#kept.get(name);
    const kept = known ?? { model: load(), bytes: 0 };
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    if (known === undefined) {
      kept.model.then(
        ({ payload }) => {
          kept.bytes = payload.byteLength;
          this.#letGo();
        },
        () => this.#kept.delete(name),
      );
    }
    return kept.model;
  }

  #letGo(): void {
    let bytes = 0;
    for (const [name, kept] of [...this.#kept].reverse()) {
      bytes += kept.bytes;
      if (bytes > this.#most && kept.bytes > 0) this.#kept.delete(name);
    }
  }
}
