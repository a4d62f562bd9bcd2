import { type BlobStore, hashOf, missing } from './blobs.ts';

export function memoryBlobs(): BlobStore {
  const blobs = new Map<string, Uint8Array>();
  return {
    async put(bytes) {
      const hash = hashOf(bytes);
      if (!blobs.has(hash)) blobs.set(hash, bytes.slice());
      return hash;
    },
    async get(hash) {
      const bytes = blobs.get(hash);
      if (bytes === undefined) throw missing(hash);
      return bytes.slice();
    },
    has: async (hash) => blobs.has(hash),
    async delete(hash) {
      blobs.delete(hash);
    },
    async *list() {
      yield* [...blobs.keys()];
    },
    async close() {},
  };
}
