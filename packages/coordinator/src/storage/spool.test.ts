import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoppiceError, decodeFrame, frameBytes } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSpool } from './file-spool.ts';
import { memorySpool } from './memory-spool.ts';
import { openingOf, restored, spoolContract, spooled, taskOpeningOf } from './spool-contract.ts';
import { type TaskOpening, taskOwner } from './task-opening.ts';

spoolContract('memory', async () => ({ spool: memorySpool(), reopen: async (spool) => spool }));
for (const flush of [true, false]) {
  spoolContract(flush ? 'files' : 'files that are not flushed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-spool-'));
    return {
      spool: fileSpool(folder, flush),
      reopen: async (spool) => {
        await spool.close();
        return fileSpool(folder, flush);
      },
      end: () => rmSync(folder, { recursive: true }),
    };
  });
}

describe('a spool file that is not as it was written', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coppice-spool-'));
    path = join(folder, 'toy-1.spool');
    const spool = fileSpool(folder);
    spool.open(openingOf('toy-1'));
    for (const n of [1, 2, 3]) await spool.append('toy-1', spooled(n, 8));
    await spool.close();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = async () => {
    const spool = fileSpool(folder);
    try {
      return await restored(spool, 'toy-1');
    } finally {
      await spool.close();
    }
  };

  it('cut short at any byte, gives the whole records before the cut and takes more after them', async () => {
    const whole = readFileSync(path);
    // Where the file ended after each record: found by asking, not by knowing the format.
    const counts: (number | null)[] = [];
    for (let size = 0; size <= whole.byteLength; size++) {
      writeFileSync(path, whole.subarray(0, size));
      const found = await read();
      counts.push(found === null ? null : found.answers.length);
      expect(found?.answers ?? []).toEqual(
        [1, 2, 3].slice(0, found?.answers.length ?? 0).map((n) => spooled(n, 8)),
      );
      expect(found?.damage ?? null).toBeNull();
    }
    expect(counts[0]).toBeNull();
    expect(counts.at(-1)).toBe(3);
    expect(counts.at(-2)).toBe(2);
    // Never fewer with more bytes.
    expect(counts.map((n) => n ?? -1)).toEqual(counts.map((n) => n ?? -1).toSorted((a, b) => a - b));

    writeFileSync(path, whole.subarray(0, whole.byteLength - 5));
    const spool = fileSpool(folder);
    await spool.recover('toy-1');
    await spool.append('toy-1', spooled(3, 8));
    await spool.close();
    expect(readFileSync(path)).toEqual(whole);
  });

  it('with any byte changed, never gives an update that was not appended as if it were whole', async () => {
    const whole = readFileSync(path);
    for (let at = 0; at < whole.byteLength; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0x41;
      writeFileSync(path, bytes);
      const found = await read().catch((thrown: unknown) => {
        expect(thrown).toMatchObject({ code: 'storage-corrupt' });
        return null;
      });
      for (const { participant, answer } of found?.answers ?? []) {
        const n = Number.parseInt(participant, 16);
        expect({ ...answer, frame: null }).toEqual({ ...spooled(n, 8).answer, frame: null });
        // A frame that was changed is told by its own checksum.
        const written = frameBytes(spooled(n, 8).answer.frame);
        if (Buffer.compare(frameBytes(answer.frame), written) !== 0) {
          const expected = { kind: 'contribution', layoutHash: new Uint8Array(16), parameters: 8 } as const;
          expect(() => decodeFrame(frameBytes(answer.frame), expected)).toThrow(CoppiceError);
        }
      }
    }
  });

  it('says what is lost, and gives the rest', async () => {
    const whole = readFileSync(path);
    const flipped = (at: number) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(path, bytes);
    };
    const inFirst = whole.indexOf('"weight":1');
    flipped(inFirst);
    expect(await read()).toMatchObject({
      answers: [{ answer: { weight: 2 } }, { answer: { weight: 3 } }],
      damage: { code: 'storage-corrupt' },
    });
    // The head of the first update lies just before its JSON: after it nothing can be told apart.
    flipped(whole.lastIndexOf('{"participant"', inFirst) - 16);
    expect(await read()).toMatchObject({ answers: [], damage: { code: 'storage-corrupt' } });
  });

  it('ends where zeros begin: room that was reserved and never written', async () => {
    const { size } = statSync(path);
    truncateSync(path, size + 4096);
    expect(await read()).toMatchObject({ damage: null, answers: { length: 3 } });
    expect(statSync(path).size).toBe(size);
  });

  it("holds a task's exchange that this version does not know: it is named, not used", async () => {
    const spool = fileSpool(folder);
    const opening = taskOpeningOf('toy-1');
    spool.open({ ...opening, kind: 'survey' as TaskOpening['kind'] });
    // The kind is a part of the file's name.
    await spool.append('survey.toy-1', spooled(1));
    await expect(spool.recover('survey.toy-1')).rejects.toMatchObject({ code: 'storage-corrupt' });
    const { layout: _layout, ...older } = opening;
    spool.open(older as TaskOpening);
    await spool.append(taskOwner(opening), spooled(1));
    await expect(spool.recover(taskOwner(opening))).rejects.toMatchObject({ code: 'storage-corrupt' });
    await spool.close();
  });

  it('of another format is named, not used', async () => {
    writeFileSync(path, 'SQLite format 3\0 and so on and so on and so on');
    await expect(read()).rejects.toMatchObject({ code: 'storage-corrupt' });
  });
});

describe('a spool whose disk refuses', () => {
  it('refuses by name, and the round takes nothing more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-spool-'));
    const spool = fileSpool(folder);
    try {
      // The folder goes away under the coordinator: the file cannot be created.
      rmSync(folder, { recursive: true });
      spool.open(openingOf('toy-1'));
      await expect(spool.append('toy-1', spooled(1))).rejects.toMatchObject({ code: 'storage-failed' });
      await expect(spool.append('toy-1', spooled(2))).rejects.toMatchObject({ code: 'storage-failed' });
    } finally {
      await spool.close();
    }
  });
});
