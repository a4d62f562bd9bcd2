import type { BlobStore } from './blobs.ts';
import type { WeightsStorage } from './weights-storage.ts';

/**
 * The given weights' part of `memoryStorage`.
 *
 * @param drop deletes a blob that nothing else names.
 */
export function memoryWeights(
  blobs: BlobStore,
  drop: (hash: string) => Promise<void>,
): { weights: WeightsStorage; isUpload: (hash: string) => boolean } {
  const uploads = new Map<string, number>();
  return {
    isUpload: (hash) => uploads.has(hash),
    weights: {
      async addUpload(bytes, at) {
        const hash = await blobs.put(bytes);
        uploads.set(hash, at);
        return hash;
      },
      upload: async (hash) => (uploads.has(hash) ? blobs.get(hash) : null),
      async forgetUploads(before) {
        const gone = [...uploads].filter(([, at]) => at < before);
        for (const [hash] of gone) uploads.delete(hash);
        for (const [hash] of gone) await drop(hash);
        return gone.length;
      },
    },
  };
}
