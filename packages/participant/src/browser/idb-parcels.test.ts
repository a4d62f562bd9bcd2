import 'fake-indexeddb/auto';
import { deleteDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import { idbParcels, openParcelDb } from './idb-parcels.ts';

const three = (n: number) => new Float32Array(3).fill(n);
const name = (n: number) => String(n).repeat(64);

describe('parcels in this browser', () => {
  beforeEach(() => deleteDB('coppice-parcels'));

  it('outlive the page, as they were put there', async () => {
    const first = openParcelDb();
    await idbParcels(first).put(name(1), three(1));
    (await first).close();
    const second = openParcelDb();
    const parcels = idbParcels(second);
    expect(await parcels.get(name(1))).toEqual(three(1));
    expect(await parcels.get(name(2))).toBeNull();
    (await second).close();
  });

  it('make room by those that were not used for longest', async () => {
    const db = openParcelDb();
    // Room for two of twelve bytes.
    const parcels = idbParcels(db, 30);
    await parcels.put(name(1), three(1));
    await parcels.put(name(2), three(2));
    await parcels.get(name(1));
    await parcels.put(name(3), three(3));
    const all = async () => Promise.all([1, 2, 3].map((n) => parcels.get(name(n))));
    expect(await all()).toEqual([three(1), null, three(3)]);
    await parcels.put(name(3), three(4));
    expect(await all()).toEqual([three(1), null, three(4)]);
    // Too large to be kept at all: nothing goes for it.
    await parcels.put(name(2), new Float32Array(8));
    expect(await all()).toEqual([three(1), null, three(4)]);
    (await db).close();
  });

  it('are not there where something else was put in their place', async () => {
    const db = openParcelDb();
    const parcels = idbParcels(db);
    await parcels.put(name(1), three(1));
    for (const value of ['text', null, [1, 2], new Uint8Array(12), { length: 3 }]) {
      await (await db).put('parcel', value, name(1));
      expect(await parcels.get(name(1))).toBeNull();
    }
    (await db).close();
  });
});
