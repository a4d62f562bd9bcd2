import 'fake-indexeddb/auto';
import { seededRandom } from '@coppice/ports';
import type { DataSchema } from '@coppice/protocol';
import { deleteDB, openDB } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type CoppiceDb, openCoppiceDb, openIdbData } from './browser/idb-data.ts';
import { ownSecret } from './browser/own-secret.ts';
import { CONTRACT_TIME, localDataContract } from './contract.ts';
import { holdOut } from './holdout.ts';
import { exampleIds } from './marks.ts';
import { memoryData } from './memory-data.ts';

const marking = { random: seededRandom('local data'), now: () => CONTRACT_TIME };
localDataContract('memory', async (_task, schema) => memoryData(schema, undefined, marking));

let db: Promise<CoppiceDb> | null = null;
localDataContract('IndexedDB', async (task, schema) => {
  db ??= openCoppiceDb(marking.random);
  return openIdbData(await db, { task, schema, marking });
});

describe('memory', () => {
  const schema: DataSchema = { kind: 'image', width: 1, height: 1, channels: 1, classes: ['a', 'b'] };
  const three = { count: 3, features: new Uint8Array(3), labels: new Float32Array(3) };

  it('gives the same ids and no times to the same examples where nothing marks them otherwise', async () => {
    const [one, other] = await Promise.all(
      [memoryData(schema, three), memoryData(schema, three)].map((data) => data.dataset()),
    );
    expect(one?.ids).toEqual(other?.ids);
    expect([...(one?.times ?? [])]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});

describe('IndexedDB', () => {
  const schema: DataSchema = { kind: 'image', width: 1, height: 1, channels: 1, classes: ['a', 'b'] };
  const one = { count: 1, features: new Uint8Array([7]), labels: new Float32Array([1]) };
  const opened: CoppiceDb[] = [];
  const openDb = async () => {
    const made = await openCoppiceDb(marking.random);
    opened.push(made);
    return made;
  };
  afterEach(() => {
    for (const made of opened.splice(0)) made.close();
  });

  it('keeps examples with their marks, and the secret, when it is closed and opened again', async () => {
    const before = await openDb();
    const data = await openIdbData(before, { task: 'kept', schema, marking });
    await data.add(one, 'drawn');
    const kept = await data.examples();
    const secret = await ownSecret(before, marking.random);
    data.close();
    before.close();
    const after = await openDb();
    const again = await openIdbData(after, { task: 'kept', schema, marking });
    expect(await again.summary()).toMatchObject({ count: 1, perClass: [0, 1] });
    expect(await again.examples()).toEqual(kept);
    expect(await ownSecret(after, marking.random)).toEqual(secret);
    again.close();
  });

  it('makes one secret, and another for another browser', async () => {
    const browser = await openDb();
    const [first, second] = await Promise.all([
      ownSecret(browser, seededRandom('one')),
      ownSecret(browser, seededRandom('another')),
    ]);
    expect(first).toHaveLength(32);
    expect(second).toEqual(first);
  });

  it('marks examples whose time is not known', async () => {
    const data = await openIdbData(await openDb(), {
      task: 'early',
      schema,
      marking: { ...marking, now: () => null },
    });
    await data.add(one, 'drawn');
    expect([...(await data.examples()).times]).toEqual([Number.NaN]);
    data.close();
  });

  it('names a full disk, and keeps what was there', async () => {
    const full = await openDb();
    const data = await openIdbData(full, { task: 'full', schema, marking });
    await data.add(one, 'drawn');
    const add = full.add.bind(full);
    full.add = () => Promise.reject(new DOMException('no room', 'QuotaExceededError'));
    await expect(data.add(one, 'drawn')).rejects.toMatchObject({ code: 'storage-full' });
    full.add = add;
    expect((await data.summary()).count).toBe(1);
    data.close();
  });

  it('tells another tab that an example was deleted', async () => {
    const [here, there] = await Promise.all(
      [await openDb(), await openDb()].map((tab) => openIdbData(tab, { task: 'tabs', schema, marking })),
    );
    await here?.add(one, 'drawn');
    const told = vi.fn();
    const heard = new Promise<void>((resolve) => {
      there?.subscribe(({ count }) => {
        told(count);
        if (count === 0) resolve();
      });
    });
    await here?.remove(exampleIds((await here?.examples()) ?? { ids: new Uint8Array(0) }));
    await heard;
    expect(told).toHaveBeenLastCalledWith(0);
    here?.close();
    there?.close();
  });

  describe('of a task that became another', () => {
    const number = (name: string) => ({ name, mean: 0, scale: 1 });
    const fruit: DataSchema = {
      kind: 'table',
      features: [number('length'), number('width')],
      target: { kind: 'class', name: 'kind', classes: ['apple', 'pear'] },
    };
    const turned: DataSchema = {
      kind: 'table',
      features: [number('width'), number('length')],
      target: { kind: 'class', name: 'kind', classes: ['pear', 'apple'] },
    };
    const other: DataSchema = {
      ...turned,
      target: { kind: 'class', name: 'kind', classes: ['plum', 'apple'] },
    };
    const apple = { count: 1, features: Float32Array.of(10, 1), labels: Float32Array.of(0) };
    const pear = { count: 1, features: Float32Array.of(2, 20), labels: Float32Array.of(1) };
    const open = async (task: string, schema: DataSchema) =>
      openIdbData(await openDb(), { task, schema, marking });

    it('keeps an apple an apple', async () => {
      const before = await open('fruit', fruit);
      await before.add(apple, 'csv');
      before.close();
      const after = await open('fruit', turned);
      expect(await after.summary()).toMatchObject({ count: 1, perClass: [0, 1], setAside: 0 });
      const { features, labels } = await after.examples();
      expect([[...features], [...labels]]).toEqual([[1, 10], [1]]);
      after.close();
    });

    it('sets aside what it has no class for, says how many, and deletes them alone', async () => {
      const before = await open('orchard', fruit);
      await before.add(
        { count: 2, features: Float32Array.of(10, 1, 2, 20), labels: Float32Array.of(0, 1) },
        'csv',
      );
      await before.add(pear, 'csv');
      before.close();
      const after = await open('orchard', other);
      expect(await after.summary()).toMatchObject({ count: 1, perClass: [0, 1], setAside: 2 });
      expect((await after.dataset()).count).toBe(1);
      // The task of before finds all of them again.
      const again = await open('orchard', fruit);
      expect(await again.summary()).toMatchObject({ count: 3, setAside: 0 });
      again.close();
      expect(await after.clear('set-aside')).toMatchObject({ count: 1, setAside: 0 });
      expect(await (await open('orchard', other)).summary()).toMatchObject({ count: 1, setAside: 0 });
      after.close();
    });
  });

  it('keeps numbers that float32 has not exactly', async () => {
    const data = await openIdbData(await openDb(), {
      task: 'clock',
      schema: {
        kind: 'table',
        features: [{ name: 'time', mean: 1_700_000_000, scale: 30 }],
        target: { kind: 'number', name: 'value' },
      },
      marking,
    });
    const times = [1_700_000_000, 1_700_000_030, 1_700_000_060];
    await data.add(
      { count: 3, features: Float64Array.from(times), labels: Float64Array.of(1, 2, 0.1) },
      'csv',
    );
    await data.add({ count: 1, features: Float32Array.of(0), labels: Float32Array.of(4) }, 'csv');
    const { features, labels } = await data.examples();
    expect([...features]).toEqual([...times, 0]);
    expect([...labels]).toEqual([1, 2, 0.1, 4]);
    expect([...(await data.dataset()).xs.subarray(0, 3)]).toEqual([0, 1, 2]);
    data.close();
  });

  describe('of the version before', () => {
    /** The database as version 1 made it, with its blocks. */
    const oldDb = async (blocks: readonly object[]) => {
      for (const made of opened.splice(0)) made.close();
      (await db)?.close();
      db = null;
      await deleteDB('coppice');
      const old = await openDB('coppice', 1, {
        upgrade(made) {
          made.createObjectStore('block', { autoIncrement: true }).createIndex('task', 'task');
          made.createObjectStore('keyval');
        },
      });
      for (const block of blocks) await old.add('block', block);
      await old.put('keyval', Uint8Array.of(1, 2, 3), 'identity');
      return old;
    };
    const block = (count: number, task = 'old') => ({
      task,
      source: 'drawn',
      count,
      features: Uint8Array.from({ length: count }, (_, i) => i),
      labels: Float32Array.from({ length: count }, (_, i) => i % 2),
    });

    it('keeps its examples and its identity; they get ids of their own, and no time', async () => {
      (await oldDb([block(3), block(40), block(2, 'other')])).close();
      const now = await openDb();
      expect(await now.get('keyval', 'identity')).toEqual(Uint8Array.of(1, 2, 3));
      const data = await openIdbData(now, { task: 'old', schema, marking });
      const { count, features, ids, times, sources } = await data.examples();
      expect(count).toBe(43);
      expect([...features]).toEqual([...block(3).features, ...block(40).features]);
      expect(new Set(exampleIds({ ids })).size).toBe(43);
      expect(times.every(Number.isNaN)).toBe(true);
      expect(new Set(sources)).toEqual(new Set(['drawn']));
      // From now on they are split for good.
      const secret = await ownSecret(now, marking.random);
      const shares = { task: 0.3, plan: 0.1 };
      const held = holdOut(await data.dataset(), secret, shares).evaluation?.ids;
      expect(held?.length).toBeGreaterThan(0);
      data.close();
      now.close();
      const again = await openIdbData(await openDb(), { task: 'old', schema, marking });
      expect(holdOut(await again.dataset(), secret, shares).evaluation?.ids).toEqual(held);
      again.close();
    });

    it('opens where a block is damaged: it is refused by name, and can be deleted', async () => {
      (await oldDb([block(2), { ...block(2), labels: 'none' }, { task: 'old' }])).close();
      const data = await openIdbData(await openDb(), { task: 'old', schema, marking });
      await expect(data.summary()).rejects.toMatchObject({ code: 'data-invalid' });
      await expect(data.remove([])).rejects.toMatchObject({ code: 'data-invalid' });
      expect((await data.clear()).count).toBe(0);
      data.close();
    });
  });
});
