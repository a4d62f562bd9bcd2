import { finish, partOf } from '@coppice/federation';
import { type Layout, layoutSize, weightsHash } from '@coppice/protocol';
import type { KeptParcels } from './kept-parcels.ts';

/** The frozen tensors of models, by the hash of their bytes: in memory those of the last model, on the device others too. */
export class FrozenParts {
  readonly #kept: KeptParcels | undefined;
  #last: { readonly hash: string; readonly values: Float32Array } | null = null;

  /** @param kept left out, nothing outlives the session. */
  constructor(kept: KeptParcels | undefined) {
    this.#kept = kept;
  }

  /** Tensors that are in memory; `null`: none of this hash. */
  held(hash: string): Float32Array | null {
    return this.#last?.hash === hash ? this.#last.values : null;
  }

  /**
   * Tensors that are here; those that the device kept are held against their name.
   *
   * @param from.layout of the model that they are of; `from.whole`: a model that came whole and may have them, or none.
   * @returns `null` where they have to be fetched.
   */
  async find(
    hash: string,
    { layout, whole }: { layout: Layout; whole: Float32Array | null },
  ): Promise<Float32Array | null> {
    const held = this.held(hash);
    if (held !== null) return held;
    if (whole?.length === layoutSize(layout)) {
      const values = finish(partOf(layout, 'frozen', whole));
      if (weightsHash(values) === hash) return this.#hold(hash, values);
    }
    // A part that cannot be read is fetched.
    const kept = (await this.#kept?.get(hash).catch(() => null)) ?? null;
    return kept !== null && weightsHash(kept) === hash ? this.#hold(hash, kept) : null;
  }

  /** Keeps tensors that were fetched. @returns whether they are what their hash names; else they are not kept. */
  keep(hash: string, values: Float32Array): boolean {
    if (weightsHash(values) !== hash) return false;
    this.#hold(hash, values);
    this.#kept?.put(hash, values).catch(() => {});
    return true;
  }

  #hold(hash: string, values: Float32Array): Float32Array {
    this.#last = { hash, values };
    return values;
  }
}
