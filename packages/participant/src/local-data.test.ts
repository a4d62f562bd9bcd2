import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { type CoppiceDb, openCoppiceDb, openIdbData } from './browser/idb-data.ts';
import { localDataContract } from './contract.ts';
import { memoryData } from './memory-data.ts';

localDataContract('memory', async (_task, schema) => memoryData(schema));

let db: Promise<CoppiceDb> | null = null;
localDataContract('IndexedDB', async (task, schema) => {
  db ??= openCoppiceDb();
  return openIdbData(await db, task, schema);
});

describe('IndexedDB', () => {
  const schema = { kind: 'image', width: 1, height: 1, channels: 1, classes: ['a', 'b'] } as const;
  const one = { count: 1, features: new Uint8Array([7]), labels: new Float32Array([1]) };

  it('keeps examples when it is closed and opened again', async () => {
    const before = await openCoppiceDb();
    const data = await openIdbData(before, 'kept', { ...schema, classes: [...schema.classes] });
    await data.add(one, 'drawn');
    data.close();
    before.close();
    const after = await openCoppiceDb();
    const again = await openIdbData(after, 'kept', { ...schema, classes: [...schema.classes] });
    expect(await again.summary()).toMatchObject({ count: 1, perClass: [0, 1] });
    again.close();
    after.close();
  });

  it('names a full disk, and keeps what was there', async () => {
    const full = await openCoppiceDb();
    const data = await openIdbData(full, 'full', { ...schema, classes: [...schema.classes] });
    await data.add(one, 'drawn');
    const add = full.add.bind(full);
    full.add = () => Promise.reject(new DOMException('no room', 'QuotaExceededError'));
    await expect(data.add(one, 'drawn')).rejects.toMatchObject({ code: 'storage-full' });
    full.add = add;
    expect((await data.summary()).count).toBe(1);
    data.close();
    full.close();
  });
});
