import { CoppiceError } from '@coppice/protocol';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { type KeptInput, type KeptInputs, MAX_INPUT_BYTES } from '../watch/kept-inputs.ts';
import type { KeptMonitors } from '../watch/kept-monitors.ts';

interface Tables extends DBSchema {
  monitor: { key: string; value: unknown };
  input: {
    key: [task: string, id: string];
    value: KeptInput & { task: string };
    indexes: { at: [task: string, at: number] };
  };
}
export type WatchDb = IDBPDatabase<Tables>;

/** A database of its own, so that pages from before, open in other tabs, block nothing and lose nothing. */
const NAME = 'coppice-watch';
const VERSION = 1;

/** Opens this origin's database of monitors and inputs. */
export function openWatchDb(): Promise<WatchDb> {
  return openDB<Tables>(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore('monitor');
      db.createObjectStore('input', { keyPath: ['task', 'id'] }).createIndex('at', ['task', 'at']);
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

/** Inputs kept in IndexedDB: they outlive the page. @param most bytes of one task. */
export function idbInputs(db: Promise<WatchDb>, most = MAX_INPUT_BYTES): KeptInputs {
  return {
    add: (task, inputs) =>
      guarded(async () => {
        const change = (await db).transaction('input', 'readwrite');
        for (const { id, at, example } of inputs)
          await change.store.put({ task, id, at, example: example.slice() });
        // Inputs of one task are of one size.
        const [{ example } = { example: new Uint8Array(1) }] = inputs;
        const room = Math.floor(most / example.byteLength);
        let over = (await change.store.index('at').count(of(task))) - room;
        let cursor = over > 0 ? await change.store.index('at').openCursor(of(task)) : null;
        for (; cursor !== null && over > 0; over--) {
          await cursor.delete();
          cursor = await cursor.continue();
        }
        await change.done;
      }),
    take: (task, id) =>
      guarded(async () => {
        const change = (await db).transaction('input', 'readwrite');
        const row: unknown = await change.store.get([task, id]);
        await change.store.delete([task, id]);
        await change.done;
        return isInput(row) ? { id: row.id, at: row.at, example: row.example } : null;
      }),
    expire: (task, before) =>
      guarded(async () => {
        const change = (await db).transaction('input', 'readwrite');
        const old = IDBKeyRange.bound([task], [task, before], false, true);
        for await (const cursor of change.store.index('at').iterate(old)) await cursor.delete();
        await change.done;
      }),
    remove: (task) => guarded(async () => (await db).delete('input', of(task))),
  };
}

/** The keys of a task, in both orders. */
function of(task: string): IDBKeyRange {
  return IDBKeyRange.bound([task], [task, []]);
}

function isInput(row: unknown): row is KeptInput {
  const { id, at, example } = (row ?? {}) as Partial<KeptInput>;
  return (
    typeof id === 'string' &&
    typeof at === 'number' &&
    (example instanceof Uint8Array || example instanceof Float32Array || example instanceof Float64Array)
  );
}

/** Converts the browser's storage errors to `CoppiceError`s. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if ((cause as Error).name === 'QuotaExceededError')
      throw new CoppiceError(
        'storage-full',
        'This browser has no room left for what is known of predictions. Counting goes on until the page is closed. Delete some examples or free disk space.',
        { cause },
      );
    throw new CoppiceError(
      'storage-failed',
      `This browser could not keep what is known of predictions: ${(cause as Error).message}. Private windows and strict settings may forbid it.`,
      { cause },
    );
  }
}
