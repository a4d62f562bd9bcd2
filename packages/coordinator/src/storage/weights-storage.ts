/** The part of `Storage` for weights that were sent before the task that is to have them. */
export interface WeightsStorage {
  /**
   * Keeps bytes that were sent, under the SHA-256 of their content. Bytes that are kept already count as sent anew.
   *
   * @param at milliseconds since 1970.
   */
  addUpload(bytes: Uint8Array, at: number): Promise<string>;
  /** The bytes of this name, verified; `null` where they were never sent, or are forgotten. */
  upload(hash: string): Promise<Uint8Array | null>;
  /**
   * Deletes what was sent before a time.
   *
   * @returns the number of deleted uploads.
   */
  forgetUploads(before: number): Promise<number>;
}
