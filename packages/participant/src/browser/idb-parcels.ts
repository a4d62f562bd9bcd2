import { MAX_MODEL_BYTES } from '@coppice/protocol';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { KeptParcels } from '../kept-parcels.ts';

interface Tables extends DBSchema {
  /** Numbers, by their hash. */
  parcel: { key: string; value: unknown };
  /** Which parcels there are; `place` grows with every use. */
  use: { key: string; value: { hash: string; bytes: number; place: number }; indexes: { place: number } };
}
export type ParcelDb = IDBPDatabase<Tables>;

/** A database of its own: its content can be fetched again, so it may be deleted at any time. */
const NAME = 'coppice-parcels';
const VERSION = 1;

/** Opens this origin's database of kept parcels. */
export function openParcelDb(): Promise<ParcelDb> {
  return openDB<Tables>(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore('parcel');
      db.createObjectStore('use', { keyPath: 'hash' }).createIndex('place', 'place');
    },
    // A newer page in another tab needs another form of the database.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

/**
 * Kept parcels in IndexedDB: they outlive the page.
 *
 * @param most bytes of all together.
 */
export function idbParcels(db: Promise<ParcelDb>, most = MAX_MODEL_BYTES): KeptParcels {
  return {
    async get(hash) {
      const change = (await db).transaction(['parcel', 'use'], 'readwrite');
      const values: unknown = await change.objectStore('parcel').get(hash);
      const uses = change.objectStore('use');
      const use = await uses.get(hash);
      if (use !== undefined) {
        const last = await uses.index('place').openKeyCursor(null, 'prev');
        await uses.put({ ...use, place: (last?.key ?? 0) + 1 });
      }
      await change.done;
      return values instanceof Float32Array ? values : null;
    },
    async put(hash, values) {
      const bytes = values.byteLength;
      if (bytes > most) return;
      const change = (await db).transaction(['parcel', 'use'], 'readwrite');
      const uses = change.objectStore('use');
      const others = (await uses.index('place').getAll()).filter((one) => one.hash !== hash);
      let all = others.reduce((sum, one) => sum + one.bytes, bytes);
      for (const oldest of others) {
        if (all <= most) break;
        await change.objectStore('parcel').delete(oldest.hash);
        await uses.delete(oldest.hash);
        all -= oldest.bytes;
      }
      await change.objectStore('parcel').put(values, hash);
      await uses.put({ hash, bytes, place: (others.at(-1)?.place ?? 0) + 1 });
      await change.done;
    },
  };
}
