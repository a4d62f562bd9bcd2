import { CoppiceError, type DataSchema, exampleSize } from '@coppice/protocol';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { datasetOf } from '../dataset-of.ts';
import { type Block, checkExamples, joinBlocks, summarize } from '../examples.ts';
import type { DataSummary, LocalData } from '../local-data.ts';

interface Tables extends DBSchema {
  block: { key: number; value: Block & { task: string }; indexes: { task: string } };
  keyval: { key: string; value: unknown };
}
export type CoppiceDb = IDBPDatabase<Tables>;

const NAME = 'coppice';
const VERSION = 1;

/** Opens this origin's database: examples by task, and the participant's identity. */
export function openCoppiceDb(): Promise<CoppiceDb> {
  return openDB<Tables>(NAME, VERSION, {
    upgrade(db) {
      const blocks = db.createObjectStore('block', { autoIncrement: true });
      blocks.createIndex('task', 'task');
      db.createObjectStore('keyval');
    },
  });
}

/** Local data in IndexedDB: it survives reloads and restarts until it is deleted. */
export async function openIdbData(db: CoppiceDb, task: string, schema: DataSchema): Promise<LocalData> {
  const listeners = new Set<(summary: DataSummary) => void>();
  // Tells other tabs of the same origin that a count changed; carries no data.
  const channel =
    typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(`coppice-data-${task}`);
  const blocks = async (): Promise<Block[]> => {
    const kept: Block[] = await guarded(() => db.getAllFromIndex('block', 'task', task));
    for (const block of kept) checkKept(block, schema);
    return kept;
  };
  const summary = async () => summarize(await blocks(), schema);
  const tell = async (): Promise<DataSummary> => {
    const now = await summary();
    for (const listener of listeners) listener(now);
    return now;
  };
  if (channel !== null) channel.onmessage = () => void tell();

  return {
    async add(examples, source) {
      checkExamples(examples, schema);
      const { count, features, labels } = examples;
      if (count > 0)
        await guarded(() =>
          db.add('block', { task, source, count, features: features.slice(), labels: labels.slice() }),
        );
      channel?.postMessage(null);
      return tell();
    },
    summary,
    examples: async () => joinBlocks(await blocks(), schema),
    dataset: async () => datasetOf(await blocks(), schema),
    async clear(source) {
      await guarded(async () => {
        const transaction = db.transaction('block', 'readwrite');
        for await (const cursor of transaction.store.index('task').iterate(task)) {
          if (source === undefined || cursor.value.source === source) await cursor.delete();
        }
        await transaction.done;
      });
      channel?.postMessage(null);
      return tell();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      listeners.clear();
      channel?.close();
    },
  };
}

/**
 * Checks a stored block, which another program, or another version of this one, may have written. @throws CoppiceError
 * `data-invalid`
 */
function checkKept(block: Block, schema: DataSchema): void {
  const { count, features, labels } = block;
  const kind = schema.kind === 'image' ? Uint8Array : Float32Array;
  const size = exampleSize(schema);
  if (
    features instanceof kind &&
    labels instanceof Float32Array &&
    labels.length === count &&
    features.length === count * size
  )
    return;
  throw new CoppiceError(
    'data-invalid',
    'What this browser keeps of your examples is damaged or was made for another task. Delete the examples here and add them again.',
  );
}

/** Converts the browser's storage errors to `CoppiceError`s. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if ((cause as Error).name === 'QuotaExceededError') {
      throw new CoppiceError(
        'storage-full',
        'This browser has no room left for more examples. Nothing was added; what was there is still there. Delete some examples or free disk space.',
        { cause },
      );
    }
    throw new CoppiceError(
      'storage-failed',
      `This browser could not keep the examples: ${(cause as Error).message}. Private windows and strict settings may forbid it.`,
      { cause },
    );
  }
}
