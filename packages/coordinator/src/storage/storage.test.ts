import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { blobContract } from './blob-contract.ts';
import { hashInSlices } from './blobs.ts';
import { storageContract } from './contract.ts';
import { fileBlobs } from './file-blobs.ts';
import { memoryStorage } from './memory.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { openStorage } from './open-storage.ts';
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

for (const flush of [true, false]) {
  storageContract(flush ? 'SQLite' : 'SQLite that is not flushed', async () => {
    const folder = newFolder();
    const open = () => openStorage({ ...defaultConfig, dataDir: folder }, flush);
    const storage = await open();
    return {
      storage,
      reopen: async () => {
        await storage.close();
        return open();
      },
    };
  });
}

blobContract('memory', async () => memoryBlobs());
blobContract('files', async () => fileBlobs(newFolder()));

it('SQLite reads periods one a turn of the event loop, however large they are', async () => {
  const storage = await openStorage({ ...defaultConfig, dataDir: newFolder() }, false);
  for (let period = 0; period < 20; period++)
    await storage.addPeriod({
      task: 'toy',
      period,
      reference: 'ab'.repeat(32),
      release: 1,
      noise: 0,
      startedAt: period,
      endedAt: period + 1,
      reports: 2,
      sums: { shares: [0.5] },
      verdict: null,
    });
  let turns = 0;
  let reads = true;
  const count = () => {
    turns++;
    if (reads) setImmediate(count);
  };
  setImmediate(count);
  expect(await storage.periods('toy', { limit: 20 })).toHaveLength(20);
  reads = false;
  expect(turns).toBeGreaterThanOrEqual(19);
  await storage.close();
});

describe('file blobs', () => {
  const content = new Uint8Array(1000).fill(3);
  const put = async () => {
    const folder = newFolder();
    const blobs = fileBlobs(folder);
    const hash = await blobs.put(content);
    return { blobs, hash, folder, path: join(folder, hash.slice(0, 2), hash.slice(2)) };
  };

  it('detect rot and half files, name them, and never use them', async () => {
    const { blobs, hash, path } = await put();
    const refused = { code: 'storage-corrupt', message: expect.stringContaining(path) };
    writeFileSync(path, content.with(500, 4));
    await expect(blobs.get(hash)).rejects.toMatchObject(refused);
    for (const size of [999, 1, 0]) {
      truncateSync(path, size);
      await expect(blobs.get(hash)).rejects.toMatchObject(refused);
    }
  });

  it('write what rotted anew when it is put again', async () => {
    const { blobs, hash, path } = await put();
    truncateSync(path, 10);
    expect(await blobs.put(content)).toBe(hash);
    expect(new Uint8Array(await blobs.get(hash))).toEqual(content);
  });

  it('let others have their turn while large ones are hashed', async () => {
    const large = new Uint8Array(50_000_001).map((_, i) => i);
    let turns = 0;
    let done = false;
    const other = (async () => {
      for (; !done; turns++) await new Promise((resolve) => setImmediate(resolve));
    })();
    const hash = await hashInSlices(large);
    done = true;
    await other;
    expect(hash).toBe(createHash('sha256').update(large).digest('hex'));
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it('leave nothing half written behind', async () => {
    const { hash, folder } = await put();
    expect(readdirSync(join(folder, hash.slice(0, 2)))).toEqual([hash.slice(2)]);
  });
});

it('what a crash left half written is no blob, and is cleared away at the next start', async () => {
  const folder = newFolder();
  const left = join(folder, 'blobs', 'ab');
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, `${'c'.repeat(62)}.0123456789ab.part`), 'half');
  await (await openSqliteStorage(folder)).close();
  expect(readdirSync(left)).toEqual([]);
});

it('a data folder that cannot be made, and a database that is none, are named', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  await expect(openSqliteStorage(join(folder, 'file', 'below'))).rejects.toMatchObject({
    code: 'storage-failed',
  });
  writeFileSync(join(folder, 'coppice.db'), 'These are a few words, and certainly no database.'.repeat(100));
  await expect(openSqliteStorage(folder)).rejects.toMatchObject({ code: 'storage-corrupt' });
});

describe('a data folder', () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  let child: ChildProcess | null = null;
  afterEach(() => child?.kill('SIGKILL'));

  it('is one coordinator’s at a time, and free again when that was killed', async () => {
    const folder = newFolder();
    const args = [main, '--port', '0', '--data-dir', folder, '--json'];
    const first = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = first;
    await once(first.stdout, 'data');

    const second = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    second.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = await once(second, 'close');
    expect(code).toBe(1);
    expect(said).toContain('[storage-locked]');
    expect(said).toContain(folder);
    await expect(openSqliteStorage(folder)).rejects.toMatchObject({ code: 'storage-locked' });

    first.kill('SIGKILL');
    await once(first, 'exit');
    await (await openSqliteStorage(folder)).close();
  });

  it('is not opened twice in one process either', async () => {
    const folder = newFolder();
    const storage = await openSqliteStorage(folder);
    await expect(openSqliteStorage(folder)).rejects.toMatchObject({ code: 'storage-locked' });
    await storage.close();
    await (await openSqliteStorage(folder)).close();
  });
});

/** A disk of our own needs the right to mount one. */
const mayMount = (() => {
  const folder = newFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    process.stderr.write('Disks cannot be mounted here: the tests of full and read-only disks need root.\n');
    return false;
  }
})();

describe.skipIf(!mayMount)('a disk', () => {
  let disk = '';
  const mount = (options: string) => {
    disk = newFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]);
  };
  // Lazily: a test that failed may have left files open.
  afterEach(() => execFileSync('umount', ['-l', disk]));
  const event = { at: 1, run: null, round: null, level: 'info', kind: 'k' } as const;

  it('that is full refuses by name, for weights and rows; what was there stays, and goes on when there is room', async () => {
    mount('size=2m');
    const storage = await openSqliteStorage(disk);
    const blobs = fileBlobs(join(disk, 'blobs'));
    const [kept] = await storage.appendEvents([{ ...event, message: 'kept' }]);
    const small = await blobs.put(new Uint8Array(1000));
    await expect(blobs.put(new Uint8Array(4_000_000).fill(1))).rejects.toMatchObject({
      code: 'storage-full',
    });
    const fill = async () => {
      for (;;) await storage.appendEvents([{ ...event, message: 'x'.repeat(100_000) }]);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'storage-full' });
    expect((await storage.events({ limit: 1_000_000 }))[0]).toEqual(kept);
    expect(await blobs.get(small)).toHaveLength(1000);

    execFileSync('mount', ['-o', 'remount,size=8m', disk]);
    const before = await storage.events({ limit: 1_000_000 });
    const [added] = await storage.appendEvents([{ ...event, message: 'after' }]);
    await storage.close();
    const again = await openSqliteStorage(disk);
    expect(await again.events({ limit: 1_000_000 })).toEqual([...before, added]);
    const left = readdirSync(join(disk, 'blobs'), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([small.slice(2)]);
    await again.close();
  });

  it('that may only be read refuses by name, and keeps what it holds', async () => {
    mount('size=8m');
    const storage = await openSqliteStorage(disk);
    await storage.appendEvents([{ ...event, message: 'kept' }]);
    await storage.close();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await expect(openSqliteStorage(disk)).rejects.toMatchObject({ code: 'storage-read-only' });
    await expect(fileBlobs(join(disk, 'blobs')).put(new Uint8Array(3))).rejects.toMatchObject({
      code: 'storage-read-only',
    });
    execFileSync('mount', ['-o', 'remount,rw', disk]);
    const again = await openSqliteStorage(disk);
    expect((await again.events({})).map(({ message }) => message)).toEqual(['kept']);
    await again.close();
  });
});
