import { MAX_MODEL_BYTES } from '@coppice/protocol';
import type { PackedModel } from '../rounds/packed-model.ts';

interface Kept {
  readonly model: Promise<PackedModel>;
  /** 0 until it is loaded. */
  bytes: number;
}

/** Models read from storage, those asked for last: at most one of the largest, or as many small ones. */
export class KeptModels {
  /** The one asked for last is last. */
  readonly #kept = new Map<string, Kept>();
  readonly #most: number;

  constructor(most = MAX_MODEL_BYTES) {
    this.#most = most;
  }

  /** The model of this name; loaded once, however many ask meanwhile. */
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
