import { CoppiceError } from '@coppice/protocol';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { KeptMonitors } from '../watch/kept-monitors.ts';

interface Tables extends DBSchema {
  monitor: { key: string; value: unknown };
}
type WatchDb = IDBPDatabase<Tables>;

/** A database of its own, so that pages from before, open in other tabs, block nothing and lose nothing. */
const NAME = 'coppice-watch';
const VERSION = 1;

/** Opens this origin's database of monitors. */
export function openWatchDb(): Promise<WatchDb> {
  return openDB<Tables>(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore('monitor');
    },
    // A newer page in another tab needs another form of the database.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

/** Monitors kept in IndexedDB: they outlive the page. */
export function idbMonitors(db: Promise<WatchDb>): KeptMonitors {
  return {
    get: (task) => guarded(async () => ((await (await db).get('monitor', task)) as unknown) ?? null),
    put: (task, kept) => guarded(async () => void (await (await db).put('monitor', kept, task))),
    remove: (task) => guarded(async () => (await db).delete('monitor', task)),
  };
}

/** Converts the browser's storage errors to `CoppiceError`s. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if ((cause as Error).name === 'QuotaExceededError')
      throw new CoppiceError(
        'storage-full',
        'This browser has no room left for the counts of predictions. Counting goes on until the page is closed. Delete some examples or free disk space.',
        { cause },
      );
    throw new CoppiceError(
      'storage-failed',
      `This browser could not keep the counts of predictions: ${(cause as Error).message}. Private windows and strict settings may forbid it.`,
      { cause },
    );
  }
}
