import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fileBlobs } from './blobs.ts';
import { storageContract } from './contract.ts';
import { memoryStorage } from './memory.ts';
import { openSqliteStorage } from './sqlite.ts';

const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-storage-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

storageContract('memory', async () => ({ storage: memoryStorage() }), { durable: false });

storageContract('SQLite', async () => {
  const folder = newFolder();
  const storage = await openSqliteStorage(folder);
  return {
    storage,
    reopen: async () => {
      await storage.close();
      return openSqliteStorage(folder);
    },
  };
});

describe('file blobs', () => {
  it('detect rot and never use it', async () => {
    const folder = newFolder();
    const blobs = fileBlobs(folder);
    const hash = await blobs.put(new Uint8Array([1, 2, 3]));
    writeFileSync(join(folder, hash.slice(0, 2), hash.slice(2)), new Uint8Array([1, 2, 4]));
    await expect(blobs.get(hash)).rejects.toMatchObject({ code: 'storage-corrupt' });
  });

  it('leave nothing half written behind', async () => {
    const folder = newFolder();
    const hash = await fileBlobs(folder).put(new Uint8Array(100_000));
    expect(readdirSync(join(folder, hash.slice(0, 2)))).toEqual([hash.slice(2)]);
  });
});

it('a data folder that cannot be opened is named', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  await expect(openSqliteStorage(join(folder, 'file', 'below'))).rejects.toMatchObject({
    code: 'storage-failed',
  });
});
