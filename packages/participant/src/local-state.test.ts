import { anyValue, mutated, survives } from '@coppice/protocol/testing';
import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { deleteDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import { idbState, openStateDb } from './browser/idb-state.ts';
import { localStateContract } from './contract.ts';
import { memoryState } from './memory-state.ts';

localStateContract('memory', async () => {
  const state = memoryState();
  return { state, reopen: async () => state, close: async () => {} };
});

describe('in a browser', () => {
  beforeEach(() => deleteDB('coppice-state'));

  localStateContract('IndexedDB', async () => {
    let db = openStateDb();
    await db;
    return {
      state: idbState(db),
      async reopen() {
        (await db).close();
        db = openStateDb();
        return idbState(db);
      },
      close: async () => (await db).close(),
    };
  });

  const version = { ticket: 't1-1', round: 1, attempt: 1, model: 'a'.repeat(64) };
  const kept = { strategy: { values: { a: 1 }, tensors: { c: Float32Array.of(1) } }, pipeline: {} };
  const answer = { weight: 1, milliseconds: 1, norm: 1, frame: Uint8Array.of(1) };

  it('content that is damaged, or of another form, is not there', async () => {
    const db = await openStateDb();
    const state = idbState(Promise.resolve(db));
    await state.stage('r-1', version, { kept, answer });
    const row = await db.get('version', ['r-1', 't1-1']);
    const cloneable = (value: unknown) => {
      try {
        structuredClone(value);
        return true;
      } catch {
        return false;
      }
    };
    const values = (like: unknown) =>
      fc
        .oneof({ weight: 4, arbitrary: mutated(like as never) }, anyValue)
        .map((value) => (cloneable(value) ? value : null));
    await fc.assert(
      fc.asyncProperty(values(row), values(kept), values(answer), async (one, two, three) => {
        await db.clear('version');
        const key = { run: 'r-1', ticket: 't1-1' };
        await db.put('version', { ...((one ?? {}) as object), ...key } as never);
        await db.put('kept', two, ['r-1', 't1-1']);
        await db.put('answer', three, ['r-1', 't1-1']);
        const result = await survives(async () => ({
          versions: await state.versions('r-1'),
          kept: await state.kept('r-1', 't1-1'),
          answer: await state.answer('r-1', 't1-1'),
        }));
        expect(result).not.toHaveProperty('refused');
        if (!('value' in result)) return;
        for (const read of result.value.versions) {
          expect(Object.keys(read).toSorted()).toEqual(['attempt', 'counted', 'model', 'round', 'ticket']);
          expect(Number.isSafeInteger(read.round)).toBe(true);
        }
        const tensors = Object.values({
          ...result.value.kept?.strategy?.tensors,
          ...result.value.kept?.pipeline,
        });
        expect(tensors.every((tensor) => tensor instanceof Float32Array)).toBe(true);
        if (result.value.answer !== null) expect(result.value.answer.frame).toBeInstanceOf(Uint8Array);
        await state.forget('r-1');
        expect(await state.runs()).toEqual([]);
      }),
      { numRuns: 200, seed: 7 },
    );
    db.close();
  });

  it('names a full disk, and changes nothing then', async () => {
    const db = await openStateDb();
    const full = new Proxy(db, {
      get(target, name) {
        if (name === 'transaction')
          return () => {
            throw new DOMException('no room', 'QuotaExceededError');
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const state = idbState(Promise.resolve(full));
    await expect(state.stage('r-1', version, { kept, answer })).rejects.toMatchObject({
      code: 'storage-full',
    });
    expect(await state.versions('r-1')).toEqual([]);
    db.close();
  });

  it('says so where the browser forbids it', async () => {
    const state = idbState(Promise.reject(new Error('denied')));
    await expect(state.versions('r-1')).rejects.toMatchObject({ code: 'storage-failed' });
  });
});
