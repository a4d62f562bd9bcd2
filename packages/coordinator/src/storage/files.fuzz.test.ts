import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyBytes, damaged, samplePlan, sampleTask, sampleUp, survives } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { backUp, restore } from './backup.ts';
import { fileBlobs } from './file-blobs.ts';
import { fileSpool } from './file-spool.ts';
import { newRun } from './new-run.testing.ts';
import { type Opening, ownerOf, type RoundOpening, type SpooledAnswer } from './spool.ts';
import { taskOpeningOf } from './spool-contract.ts';
import { openSqliteStorage } from './sqlite.ts';

/* What is read from the disk may have rotted there, or be something else. */

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-rotten-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const openings: Opening[] = [
  { run: 'r', round: 3, attempt: 1, parent: 'ab'.repeat(32), cohort: ['a', 'b'] } as unknown as RoundOpening,
  taskOpeningOf('r'),
];

it.each(openings)('a spool gives back what was written, some of it or a named error: %#', async (opening) => {
  const folder = newFolder();
  const owner = ownerOf(opening);
  const path = join(folder, `${owner}.spool`);
  const answers = ['a', 'b', 'c'].map((participant, n) => ({
    participant,
    answer: { ...sampleUp.answer, weight: n + 1 },
  }));
  const spool = fileSpool(folder);
  spool.open(opening);
  for (const answer of answers) await spool.append(owner, answer);
  await spool.close();
  const whole = new Uint8Array(readFileSync(path));
  const written = answers.map(({ participant, answer: { frame: _frame, ...fields } }) =>
    JSON.stringify({ participant, fields }),
  );

  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 5, arbitrary: damaged(whole) }, anyBytes), async (bytes) => {
      writeFileSync(path, bytes);
      const after = fileSpool(folder);
      try {
        const result = await survives(async () => {
          const found = await after.recover(owner);
          if (found === null) return [];
          expect(found.opening).toEqual(opening);
          const answers: SpooledAnswer[] = [];
          for await (const answer of found.answers()) answers.push(answer);
          return answers;
        });
        if ('refused' in result) expect(result.refused.code).toBe('storage-corrupt');
        else
          for (const { participant, answer } of result.value) {
            const { frame: _frame, ...fields } = answer;
            expect(written).toContain(JSON.stringify({ participant, fields }));
          }
      } finally {
        await after.close();
      }
    }),
    { numRuns: 300 },
  );
});

it('weights are what their name says, or refused by name', async () => {
  const folder = newFolder();
  const blobs = fileBlobs(folder);
  const content = Uint8Array.from({ length: 300 }, (_, i) => i * 7);
  const hash = await blobs.put(content);
  const path = join(folder, hash.slice(0, 2), hash.slice(2));
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged(content), anyBytes), async (bytes) => {
      writeFileSync(path, bytes);
      const result = await survives(() => blobs.get(hash));
      if ('refused' in result) expect(result.refused.code).toBe('storage-corrupt');
      else expect(Buffer.from(result.value).equals(content)).toBe(true);
    }),
  );
});

it('a backup is restored, or refused by name', async () => {
  const folder = newFolder();
  const dataDir = join(folder, 'data');
  await mkdir(dataDir);
  const storage = await openSqliteStorage(dataDir);
  await storage.appendEvents(
    Array.from({ length: 40 }, (_, n) => ({
      at: n,
      run: null,
      round: null,
      level: 'info',
      kind: 'k',
      message: `event ${n}`,
    })),
  );
  await storage.close();
  const copy = join(folder, 'copy');
  await backUp({ ...defaultConfig, dataDir }, copy);
  const file = join(copy, 'coppice.db');
  const whole = new Uint8Array(readFileSync(file));
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 5, arbitrary: damaged(whole) }, anyBytes), async (bytes) => {
      writeFileSync(file, bytes);
      for (const beside of ['-wal', '-shm']) rmSync(file + beside, { force: true });
      const target = join(folder, `restored-${n++}`);
      const result = await survives(() => restore(copy, { ...defaultConfig, dataDir: target }));
      if ('refused' in result) expect(result.refused.code).toMatch(/^storage-|^config-invalid$/);
      rmSync(target, { recursive: true, force: true });
    }),
    { numRuns: 60 },
  );
});

it('a database gives records, or a named error', async () => {
  const folder = newFolder();
  const storage = await openSqliteStorage(folder);
  await storage.addTask(sampleTask);
  for (let n = 0; n < 3; n++)
    await storage.createRun(newRun(new Float32Array([n]), { task: sampleTask, plan: samplePlan }));
  const sums = { reports: [20], shares: Array.from({ length: 40 }, (_, i) => i / 64) };
  const hash = 'ab'.repeat(32);
  await storage.addPeriod({
    task: 'toy',
    period: 3,
    reference: hash,
    release: 1,
    noise: 0,
    startedAt: 1,
    endedAt: 2,
    reports: 20,
    sums,
    verdict: null,
  });
  await storage.close();
  const file = join(folder, 'coppice.db');
  const whole = new Uint8Array(readFileSync(file));
  // Inside of a record, where the database itself notices nothing.
  const inside = (text: string) => {
    const record = Buffer.from(whole).indexOf(text);
    return damaged(whole.subarray(record, record + 200)).map((bytes) => {
      const copy = new Uint8Array(whole);
      copy.set(bytes.subarray(0, 200), record);
      return copy;
    });
  };
  const broken = fc.oneof(damaged(whole), inside('"description"'), inside('"shares"'));
  let named = 0;
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      writeFileSync(file, bytes);
      for (const beside of ['-wal', '-shm']) rmSync(file + beside, { force: true });
      const result = await survives(async () => {
        const opened = await openSqliteStorage(folder);
        try {
          return [
            await opened.tasks(),
            await opened.runs(),
            await opened.rounds('a'),
            await opened.events({}),
            await opened.periods('toy'),
          ];
        } finally {
          await opened.close();
        }
      });
      if (!('refused' in result)) return;
      expect(result.refused.code).toMatch(/^storage-/);
      named++;
    }),
    { numRuns: 100 },
  );
  expect(named).toBeGreaterThan(0);
});
