import type { RandomSource } from '@coppice/ports';
import { CoppiceError, type DataSchema } from '@coppice/protocol';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { datasetOf } from '../dataset-of.ts';
import { type Block, checkExamples, joinBlocks, summarize, without } from '../examples.ts';
import type { DataSummary, LocalData } from '../local-data.ts';
import { ID_BYTES, type Marking, newMarks } from '../marks.ts';
import { inMeaning, labelCount, type Meaning, type MeantBlock, meaningOf } from '../meaning.ts';

interface Tables extends DBSchema {
  block: { key: number; value: MeantBlock & { task: string }; indexes: { task: string } };
  keyval: { key: string; value: unknown };
}
export type CoppiceDb = IDBPDatabase<Tables>;

const NAME = 'coppice';
/** 2: examples have ids and times. */
const VERSION = 2;

/**
 * Opens this origin's database: examples by task, the participant's identity and the secret of its split. Examples of
 * version 1 get ids, and no time.
 *
 * @param random draws their ids.
 */
export function openCoppiceDb(random: RandomSource): Promise<CoppiceDb> {
  return openDB<Tables>(NAME, VERSION, {
    async upgrade(db, from, _to, transaction) {
      if (from === 0) {
        const blocks = db.createObjectStore('block', { autoIncrement: true });
        blocks.createIndex('task', 'task');
        db.createObjectStore('keyval');
        return;
      }
      for await (const cursor of transaction.objectStore('block')) {
        const { value } = cursor;
        // A block that no version wrote stays as it is, and is refused when it is read.
        if (value.labels instanceof Float32Array && value.labels.length === value.count)
          await cursor.update({ ...value, ...newMarks(value.count, { random, now: () => null }) });
      }
    },
    // A newer page in another tab needs another form of the database.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

/** Local data in IndexedDB: it survives reloads and restarts until it is deleted. */
export async function openIdbData(
  db: CoppiceDb,
  { task, schema, marking }: { task: string; schema: DataSchema; marking: Marking },
): Promise<LocalData> {
  const listeners = new Set<(summary: DataSummary) => void>();
  // Tells other tabs of the same origin that a count changed; carries no data.
  const channel =
    typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(`coppice-data-${task}`);
  const meaning = meaningOf(schema);
  await guarded(() => giveMeaning(db, task, meaning));
  const kept = async (): Promise<{ blocks: Block[]; setAside: number }> => {
    const stored: MeantBlock[] = await guarded(() => db.getAllFromIndex('block', 'task', task));
    let setAside = 0;
    const blocks = stored.flatMap((block) => {
      checkKept(block, meaning);
      const now = inMeaning(block, block.meaning ?? meaning, meaning);
      setAside += block.count - (now?.count ?? 0);
      return now === null ? [] : [now];
    });
    return { blocks, setAside };
  };
  const blocks = async () => (await kept()).blocks;
  const summary = async () => {
    const { blocks, setAside } = await kept();
    return summarize(blocks, schema, setAside);
  };
  const tell = async (): Promise<DataSummary> => {
    const now = await summary();
    for (const listener of listeners) listener(now);
    return now;
  };
  if (channel !== null) channel.onmessage = () => void tell();

  return {
    async add(examples, source) {
      checkExamples(examples, schema);
      const { count } = examples;
      if (count > 0) {
        const [features, labels] = [examples.features.slice(), examples.labels.slice()];
        const block = { task, source, count, features, labels, meaning, ...newMarks(count, marking) };
        await guarded(() => db.add('block', block));
      }
      channel?.postMessage(null);
      return tell();
    },
    summary,
    examples: async () => joinBlocks(await blocks(), schema),
    dataset: async () => datasetOf(await blocks(), schema),
    async clear(which) {
      await guarded(async () => {
        const transaction = db.transaction('block', 'readwrite');
        for await (const cursor of transaction.store.index('task').iterate(task)) {
          const { value } = cursor;
          if (which === 'set-aside') {
            const now = inMeaning(value, value.meaning ?? meaning, meaning);
            if (now === null) await cursor.delete();
            else if (now !== value) await cursor.update({ ...now, meaning });
          } else if (which === undefined || value.source === which) await cursor.delete();
        }
        await transaction.done;
      });
      channel?.postMessage(null);
      return tell();
    },
    async remove(ids) {
      const gone = new Set(ids);
      await guarded(async () => {
        const transaction = db.transaction('block', 'readwrite');
        for await (const cursor of transaction.store.index('task').iterate(task)) {
          const block = cursor.value;
          checkKept(block, meaning);
          const left = without(block, gone);
          if (left === null) await cursor.delete();
          else if (left !== block) await cursor.update(left);
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
function checkKept(block: MeantBlock, now: Meaning): void {
  const { count, features, labels, ids, times, meaning = now } = block;
  const size =
    meaning.kind === 'image' ? meaning.width * meaning.height * meaning.channels : meaning.columns.length;
  if (
    (meaning.kind === 'image' ? features instanceof Uint8Array : isNumbers(features)) &&
    isNumbers(labels) &&
    ids instanceof Uint8Array &&
    times instanceof Float64Array &&
    labels.length === count * labelCount(meaning) &&
    features.length === count * size &&
    ids.length === count * ID_BYTES &&
    times.length === count
  )
    return;
  throw new CoppiceError(
    'data-invalid',
    'What this browser keeps of your examples is damaged or was made for another task. Delete the examples here and add them again.',
  );
}

function isNumbers(values: unknown): boolean {
  return values instanceof Float32Array || values instanceof Float64Array;
}

/** Stores the meaning of a task with the blocks of it that have none: those of earlier versions. */
async function giveMeaning(db: CoppiceDb, task: string, meaning: Meaning): Promise<void> {
  const transaction = db.transaction('block', 'readwrite');
  for await (const cursor of transaction.store.index('task').iterate(task)) {
    if (cursor.value.meaning === undefined) await cursor.update({ ...cursor.value, meaning });
  }
  await transaction.done;
}

/** Converts the browser's storage errors to `CoppiceError`s. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof CoppiceError) throw cause;
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
