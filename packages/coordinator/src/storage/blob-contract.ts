import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from './blobs.ts';

const listed = async (blobs: BlobStore) => {
  const found: string[] = [];
  for await (const hash of blobs.list()) found.push(hash);
  return found.sort();
};

/** The contract of every `BlobStore`. */
export function blobContract(name: string, open: () => Promise<BlobStore>): void {
  describe(`BlobStore contract: ${name}`, () => {
    it('is a map from hash to content, whatever is put, deleted and put again', async () => {
      const action = fc.record({ put: fc.boolean(), which: fc.nat({ max: 3 }) });
      const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 4, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(contents, fc.array(action, { maxLength: 12 }), async (bytes, actions) => {
          const blobs = await open();
          const expected = new Map<string, Uint8Array>();
          for (const { put, which } of actions) {
            const content = bytes[which] as Uint8Array;
            const hash = createHash('sha256').update(content).digest('hex');
            if (put) {
              expect(await blobs.put(content)).toBe(hash);
              expected.set(hash, content.slice());
            } else {
              await blobs.delete(hash);
              expected.delete(hash);
            }
            expect(await blobs.has(hash)).toBe(put);
          }
          expect(await listed(blobs)).toEqual([...expected.keys()].sort());
          for (const [hash, content] of expected)
            expect(new Uint8Array(await blobs.get(hash))).toEqual(new Uint8Array(content));
        }),
        { numRuns: 30 },
      );
    });

    it('names what is missing', async () => {
      const blobs = await open();
      await expect(blobs.get('0'.repeat(64))).rejects.toMatchObject({ code: 'storage-corrupt' });
    });

    it('takes the same content from many at once', async () => {
      const blobs = await open();
      const content = new Uint8Array(50_000).fill(7);
      const hashes = await Promise.all(Array.from({ length: 8 }, () => blobs.put(content)));
      expect(new Set(hashes).size).toBe(1);
      expect(await listed(blobs)).toEqual([hashes[0]]);
    });

    it('does not hand out or keep what a caller may change', async () => {
      const blobs = await open();
      const content = new Uint8Array([1, 2, 3]);
      const hash = await blobs.put(content);
      content[0] = 9;
      (await blobs.get(hash))[1] = 9;
      expect(new Uint8Array(await blobs.get(hash))).toEqual(new Uint8Array([1, 2, 3]));
    });
  });
}
