import 'fake-indexeddb/auto';
import { seededRandom } from '@coppice/ports';
import type { DataSchema } from '@coppice/protocol';
import { anyValue, mutated, survives } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openCoppiceDb, openIdbData } from './idb-data.ts';
import { ownIdentity } from './own-identity.ts';
import { ownSecret } from './own-secret.ts';

const schema: DataSchema = {
  kind: 'table',
  features: [{ name: 'x', mean: 0, scale: 1 }],
  target: { kind: 'class', name: 'y', classes: ['a', 'b'] },
};
const block = {
  task: 't',
  source: 'table',
  count: 2,
  features: new Float32Array([1, 2]),
  labels: new Float32Array([0, 1]),
  ids: Uint8Array.from({ length: 32 }, (_, i) => i),
  times: new Float64Array([5, Number.NaN]),
};
const random = seededRandom('fuzz');
/** What IndexedDB takes: anything that can be cloned. */
const storable = fc.oneof({ weight: 4, arbitrary: mutated(block) }, anyValue).filter((value) => {
  try {
    structuredClone(value);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
});

it('examples in this browser are as they were kept, or are refused by name and can be deleted', async () => {
  const db = await openCoppiceDb(random);
  const data = await openIdbData(db, { task: 't', schema, marking: { random, now: () => null } });
  await fc.assert(
    fc.asyncProperty(storable, async (value) => {
      await db.clear('block');
      await db.add('block', block as never);
      await db.add('block', { ...(value as object), task: 't' } as never);
      const result = await survives(async () => ({
        summary: await data.summary(),
        all: await data.examples(),
      }));
      if ('refused' in result) expect(result.refused.code).toBe('data-invalid');
      else {
        const { summary, all } = result.value;
        expect(all.count).toBe(summary.count);
        expect(all.labels).toHaveLength(all.count);
        expect(all.features).toHaveLength(all.count);
        expect(all.ids).toHaveLength(16 * all.count);
        expect(all.times).toHaveLength(all.count);
      }
      expect((await data.clear()).count).toBe(0);
    }),
    { numRuns: 300 },
  );
  data.close();
  db.close();
});

it('a key that is none is replaced', async () => {
  // As on a page without HTTPS, where the key itself is kept.
  vi.stubGlobal('isSecureContext', false);
  onTestFinished(() => void vi.unstubAllGlobals());
  const db = await openCoppiceDb(random);
  await fc.assert(
    fc.asyncProperty(storable, async (value) => {
      await db.put('keyval', value, 'identity');
      expect((await ownIdentity(db)).key).toMatch(/^[\w-]{87}$/);
    }),
    { numRuns: 30 },
  );
  db.close();
});

it('a secret that is none is replaced, and one that is stays', async () => {
  const db = await openCoppiceDb(random);
  await fc.assert(
    fc.asyncProperty(storable, async (value) => {
      await db.put('keyval', value, 'split-secret');
      const secret = await ownSecret(db, random);
      expect(secret).toHaveLength(32);
      expect(await ownSecret(db, random)).toEqual(secret);
    }),
    { numRuns: 30 },
  );
  db.close();
});
