/**
 * Tensors that a device keeps by the hash of their bytes, so that they are not fetched again: those of a model that
 * nothing moves, for every run with the same ones. They come from the coordinator, and nothing of them is sent.
 *
 * Tensors that do not fit are not kept, and the ones that were not used for longest go first. A rejection of any kind costs a
 * download, nothing else.
 */
export interface KeptParcels {
  /**
   * @param hash SHA-256 of the float32 bytes, as hex.
   * @returns the numbers that were kept under this hash, which may be damaged since; `null`: none.
   */
  get(hash: string): Promise<Float32Array | null>;
  put(hash: string, values: Float32Array): Promise<void>;
}
