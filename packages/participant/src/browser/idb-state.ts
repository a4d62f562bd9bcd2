import { CoppiceError } from '@coppice/protocol';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { KeptAnswer, LocalState, Version } from '../local-state.ts';
import type { Kept } from '../train.ts';

/** Version of the stored form: raised with every change of it. Rows in another form are not read. */
const FORM = 1;

interface VersionRow extends Version {
  readonly form: number;
  readonly run: string;
  /** Place in the order of staging. */
  readonly place: number;
}

interface Tables extends DBSchema {
  version: { key: [run: string, ticket: string]; value: VersionRow; indexes: { run: string } };
  /** The state of a version, and its answer while it is staged. */
  kept: { key: [run: string, ticket: string]; value: unknown };
  answer: { key: [run: string, ticket: string]; value: unknown };
}
export type StateDb = IDBPDatabase<Tables>;

/** A separate database, so that an older page in another tab cannot block its opening. */
const NAME = 'coppice-state';
const VERSION = 1;
const STORES = ['version', 'kept', 'answer'] as const;

/** Opens this origin's database of local state. */
export function openStateDb(): Promise<StateDb> {
  return guarded(() =>
    openDB<Tables>(NAME, VERSION, {
      upgrade(db) {
        const versions = db.createObjectStore('version', { keyPath: ['run', 'ticket'] });
        versions.createIndex('run', 'run');
        db.createObjectStore('kept');
        db.createObjectStore('answer');
      },
      // A newer page in another tab needs another form of the database.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    }),
  );
}

/** Local state in IndexedDB, which outlives the page. */
export function idbState(db: Promise<StateDb>): LocalState {
  const readable = async (run: string): Promise<VersionRow[]> => {
    const rows: unknown[] = await (await db).getAllFromIndex('version', 'run', run);
    return rows.filter(isVersion).sort((a, b) => a.place - b.place);
  };
  return {
    versions: (run) =>
      guarded(async () =>
        (await readable(run)).map(({ ticket, round, attempt, model, counted }) => ({
          ticket,
          round,
          attempt,
          model,
          counted,
        })),
      ),
    kept: (run, ticket) =>
      guarded(async () => {
        const value: unknown = await (await db).get('kept', [run, ticket]);
        return isKept(value) ? value : null;
      }),
    answer: (run, ticket) =>
      guarded(async () => {
        const value: unknown = await (await db).get('answer', [run, ticket]);
        return isAnswer(value) ? value : null;
      }),
    stage: (run, { ticket, round, attempt, model }, { kept, answer }, replaces = []) =>
      guarded(async () => {
        const change = (await db).transaction(STORES, 'readwrite', { durability: 'strict' });
        const [versions, states, answers] = STORES.map((name) => change.objectStore(name)) as never as [
          ReturnType<typeof change.objectStore<'version'>>,
          ReturnType<typeof change.objectStore<'kept'>>,
          ReturnType<typeof change.objectStore<'answer'>>,
        ];
        for (const gone of replaces) {
          await versions.delete([run, gone]);
          await states.delete([run, gone]);
          await answers.delete([run, gone]);
        }
        const others = ((await versions.index('run').getAll(run)) as unknown[]).filter(isVersion);
        const known = others.find((one) => one.ticket === ticket);
        const place = known?.place ?? Math.max(0, ...others.map((one) => one.place)) + 1;
        await versions.put({ form: FORM, run, ticket, round, attempt, model, counted: false, place });
        await states.put(kept, [run, ticket]);
        await answers.put(answer, [run, ticket]);
        await change.done;
      }),
    settle: (run, verdicts) =>
      guarded(async () => {
        const change = (await db).transaction(STORES, 'readwrite', { durability: 'strict' });
        for (const [ticket, counted] of verdicts) {
          const key: [string, string] = [run, ticket];
          const row: unknown = await change.objectStore('version').get(key);
          if (!isVersion(row)) continue;
          if (counted !== null) await change.objectStore('answer').delete(key);
          if (counted === false) {
            await change.objectStore('version').delete(key);
            await change.objectStore('kept').delete(key);
          } else await change.objectStore('version').put({ ...row, counted: counted === true });
        }
        await change.done;
      }),
    runs: () =>
      guarded(async () => {
        const keys = await (await db).getAllKeys('version');
        return [...new Set(keys.map(([run]) => run))];
      }),
    forget: (run) =>
      guarded(async () => {
        const change = (await db).transaction(STORES, 'readwrite');
        const all = IDBKeyRange.bound([run], [run, []]);
        for (const name of STORES) await change.objectStore(name).delete(all);
        await change.done;
      }),
  };
}

function isVersion(value: unknown): value is VersionRow {
  const { form, run, ticket, round, attempt, model, counted, place } = (value ?? {}) as Partial<VersionRow>;
  return (
    form === FORM &&
    typeof run === 'string' &&
    typeof ticket === 'string' &&
    typeof model === 'string' &&
    typeof counted === 'boolean' &&
    [round, attempt, place].every(Number.isSafeInteger)
  );
}

function isKept(value: unknown): value is Kept {
  if (!isObject(value)) return false;
  const { strategy, pipeline } = value;
  return (
    areTensors(pipeline) &&
    (strategy === null || (isObject(strategy) && isObject(strategy.values) && areTensors(strategy.tensors)))
  );
}

function isAnswer(value: unknown): value is KeptAnswer {
  if (!isObject(value)) return false;
  const { weight, milliseconds, norm, frame } = value;
  return [weight, milliseconds, norm].every(Number.isFinite) && frame instanceof Uint8Array;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function areTensors(value: unknown): value is Record<string, Float32Array> {
  return isObject(value) && Object.values(value).every((one) => one instanceof Float32Array);
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
        'This browser has no room left for the state that this device keeps between rounds. The round is left out. Delete some examples or free disk space.',
        { cause },
      );
    }
    throw new CoppiceError(
      'storage-failed',
      `This browser could not keep the state between rounds: ${(cause as Error).message}. Private windows and strict settings may forbid it.`,
      { cause },
    );
  }
}
