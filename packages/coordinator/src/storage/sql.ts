import type { StrategyState } from '@coppice/federation';
import {
  type Checkpoint,
  CoppiceError,
  checkpointId,
  DEFAULT_HELD_OUT,
  type Event,
  type Metrics,
  PLAN_VERSION,
  partsOfCheckpointId,
  type Round,
  readStoredPlan,
  type Task,
} from '@coppice/protocol';
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import { type BlobStore, toBytes, toFloat32 } from './blobs.ts';
import { nextNumber, RUNS, runsOf } from './counters.ts';
import { firstCheckpoint } from './first-checkpoint.ts';
import { migrate } from './migrate.ts';
import type { Flavour } from './migrations/migration.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { blobsOf, namedBlobs } from './records.ts';
import { keptRounds, type MeasuredCheckpoint } from './retention.ts';
import type { Tables } from './schema.ts';
import { sqlAdmins } from './sql-admins.ts';
import { sqlAdmission } from './sql-admission.ts';
import { sqlFirings } from './sql-firings.ts';
import { sqlParticipants } from './sql-participants.ts';
import { sqlPeriods } from './sql-periods.ts';
import { sqlPolicies } from './sql-policies.ts';
import { sqlReferences } from './sql-references.ts';
import { releasedSince, sqlReleases } from './sql-releases.ts';
import { sqlWeights } from './sql-weights.ts';
import { storable } from './storable-text.ts';
import {
  EVENTS_A_PAGE,
  type Measured,
  type NewRun,
  type RunRecord,
  type Storage,
  type StoredModel,
} from './storage.ts';
import { runGone, storageError, taskExists, taskGone } from './storage-error.ts';

type Db = Kysely<Tables> | Transaction<Tables>;

/** Rows of events in one statement: both databases accept that many values. */
const EVENTS_AN_INSERT = 50;

export interface SqlStorageOptions {
  readonly blobs: BlobStore;
  readonly flavour: Flavour;
  /** The database's name in errors, at the start of a sentence. */
  readonly where: string;
  /** Called before blobs are deleted: returns a function to call afterwards, or `null` where they must stay for now. */
  readonly deleting?: () => (() => void) | null;
  /** Called before every operation, and may refuse it. */
  readonly before?: () => Promise<void>;
  /** Called once the database is closed. */
  readonly closed?: () => void | Promise<void>;
}

/**
 * Storage over any SQL database that Kysely supports, with weights in a blob store. Where it cannot be opened, the
 * database is closed again.
 */
export async function sqlStorage(
  db: Kysely<Tables>,
  { blobs, flavour, where, deleting = () => () => {}, before, closed }: SqlStorageOptions,
): Promise<Storage> {
  try {
    await migrate(db, flavour);
  } catch (thrown) {
    await db.destroy();
    throw storageError(thrown, where);
  }

  // A commit puts its blobs before the rows that name them; in between nothing may be deleted, nor
  // may anything become litter while litter is being cleared.
  const exclusively = oneAtATime();
  const sweep = () =>
    exclusively(async () => {
      const litter = await db.selectFrom('litter').selectAll().execute();
      const release = litter.length === 0 ? null : deleting();
      if (release === null) return;
      try {
        const named = await namedBlobs(db);
        for (const { hash } of litter) if (!named.has(hash)) await blobs.delete(hash);
        await db.deleteFrom('litter').execute();
      } finally {
        release();
      }
    });
  try {
    await sweep();
  } catch (thrown) {
    await db.destroy();
    throw storageError(thrown, where);
  }

  /** Stores blobs first: a blob without a row is an orphan, a row without its blob would be a loss. */
  const putBlobs = async ({ weights, state }: Pick<StoredModel, 'weights' | 'state'>, named?: string) => {
    const hash = await blobs.put(toBytes(weights));
    if (named !== undefined && hash !== named)
      throw new CoppiceError('internal', `The checkpoint is named ${named}, its weights are ${hash}.`);
    const tensors: Record<string, string> = {};
    for (const [name, tensor] of Object.entries(state.tensors))
      tensors[name] = await blobs.put(toBytes(tensor));
    return { hash, tensors };
  };

  const storage: Storage = {
    addTask: (task, given) =>
      exclusively(async () => {
        const hash = given === undefined ? null : await blobs.put(toBytes(given));
        if (hash !== (task.weights ?? null))
          throw new CoppiceError('internal', `The task names the weights ${task.weights}, they are ${hash}.`);
        const added = await db.transaction().execute(async (transaction) => {
          const row = await transaction
            .insertInto('task')
            .values({ id: task.id, json: JSON.stringify(task) })
            .onConflict((c) => c.column('id').doNothing())
            .returning('id')
            .executeTakeFirst();
          if (hash !== null)
            await (row === undefined
              ? transaction
                  .insertInto('litter')
                  .values({ hash })
                  .onConflict((c) => c.column('hash').doNothing())
              : transaction.insertInto('task_weights').values({ task: task.id, hash })
            ).execute();
          return row !== undefined;
        });
        if (!added) throw taskExists(task.id);
      }),
    async tasks() {
      const rows = await db.selectFrom('task').selectAll().orderBy('id').execute();
      return rows.map((row) => toTask(JSON.parse(row.json)));
    },

    changeTask: (id, change) =>
      exclusively(() =>
        db.transaction().execute(async (transaction) => {
          const row = await transaction
            .selectFrom('task')
            .select('json')
            .where('id', '=', storable(id))
            .executeTakeFirst();
          if (row === undefined) throw taskGone(id);
          const changed = { ...change(toTask(JSON.parse(row.json))), id };
          await transaction
            .updateTable('task')
            .set({ json: JSON.stringify(changed) })
            .where('id', '=', id)
            .execute();
          return changed;
        }),
      ),

    createRun: ({ run, admission, model }) =>
      exclusively(async () => {
        const blobs = await putBlobs(model);
        return db.transaction().execute(async (transaction) => {
          const record = await insertRun(transaction, run);
          await transaction.insertInto('run_admission').values({ run: record.id, admission }).execute();
          const checkpoint = firstCheckpoint(record, model, blobs.hash);
          await transaction
            .insertInto('checkpoint')
            .values(checkpointRow(checkpoint, model, blobs))
            .execute();
          return record;
        });
      }),
    putRun: (run) => putRun(db, run),
    async runs() {
      const rows = await db.selectFrom('run').selectAll().orderBy('sequence').execute();
      return rows.map(toRun);
    },

    putRound: (round) => putRound(db, round),
    async rounds(run) {
      const rows = await db
        .selectFrom('round')
        .selectAll()
        .where('run', '=', run)
        .orderBy('round')
        .orderBy('attempt')
        .execute();
      return rows.map((row) => JSON.parse(row.json) as Round);
    },

    async round(run, round, attempt) {
      const row = await db
        .selectFrom('round')
        .select('json')
        .where('run', '=', run)
        .where('round', '=', round)
        .where('attempt', '=', attempt)
        .executeTakeFirst();
      return row === undefined ? null : (JSON.parse(row.json) as Round);
    },

    commit: ({ run, round, model, measured = null }) =>
      exclusively(async () => {
        const blobs = await putBlobs(model, model.checkpoint.hash);
        await db.transaction().execute(async (transaction) => {
          if (run !== null) await putRun(transaction, run);
          if (round !== null) await putRound(transaction, round);
          if (measured !== null) await putMeasured(transaction, measured);
          await transaction
            .insertInto('checkpoint')
            .values(checkpointRow(model.checkpoint, model, blobs))
            .execute();
        });
      }),
    async prune(run, rule, released) {
      const gone = await exclusively(() =>
        db.transaction().execute(async (transaction) => {
          const rows = await transaction
            .selectFrom('checkpoint')
            .selectAll()
            .where('run', '=', run)
            .execute();
          const kept = keptRounds(rows.map(toMeasured), rule);
          const task = rows[0]?.task;
          const named = task === undefined ? null : await releasedSince(transaction, task, released);
          const rest = rows.filter(
            ({ round }) => !kept.has(round) && named?.has(checkpointId(run, round)) !== true,
          );
          for (const { round } of rest)
            await transaction
              .deleteFrom('checkpoint')
              .where('run', '=', run)
              .where('round', '=', round)
              .execute();
          for (const hash of new Set(rest.flatMap(blobsOf)))
            await transaction
              .insertInto('litter')
              .values({ hash })
              .onConflict((c) => c.column('hash').doNothing())
              .execute();
          return rest;
        }),
      );
      await sweep();
      return gone.length;
    },
    async checkpoints(run) {
      const rows = await db
        .selectFrom('checkpoint')
        .selectAll()
        .where('run', '=', run)
        .orderBy('round', 'desc')
        .execute();
      return rows.map(toCheckpoint);
    },
    async latest(run) {
      const row = await db
        .selectFrom('checkpoint')
        .selectAll()
        .where('run', '=', run)
        .orderBy('round', 'desc')
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) return null;
      const tensors: Record<string, Float32Array> = {};
      for (const [name, hash] of Object.entries(JSON.parse(row.state_tensors) as Record<string, string>)) {
        tensors[name] = toFloat32(await blobs.get(hash));
      }
      const state: StrategyState = {
        values: JSON.parse(row.state_values) as StrategyState['values'],
        tensors,
      };
      return {
        checkpoint: toCheckpoint(row),
        weights: toFloat32(await blobs.get(row.hash)),
        state,
      } satisfies StoredModel;
    },
    async latestOfTask(task, without = []) {
      const row = await db
        .selectFrom('checkpoint')
        .innerJoin('run', 'run.id', 'checkpoint.run')
        .selectAll('checkpoint')
        .where('checkpoint.task', '=', task)
        .where('checkpoint.round', '>=', 1)
        .$if(without.length > 0, (query) => query.where('checkpoint.run', 'not in', without))
        .orderBy('run.sequence', 'desc')
        .orderBy('checkpoint.round', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : toCheckpoint(row);
    },
    async latestOfRun(run) {
      const row = await db
        .selectFrom('checkpoint')
        .selectAll()
        .where('run', '=', storable(run))
        .where('round', '>=', 1)
        .orderBy('round', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : toCheckpoint(row);
    },
    async checkpoint(id) {
      const { run, round } = partsOfCheckpointId(id);
      const row = await db
        .selectFrom('checkpoint')
        .selectAll()
        .where('run', '=', run)
        .where('round', '=', round)
        .executeTakeFirst();
      return row === undefined ? null : toCheckpoint(row);
    },
    async checkpointByHash(task, hash, without = []) {
      const row = await db
        .selectFrom('checkpoint')
        .innerJoin('run', 'run.id', 'checkpoint.run')
        .selectAll('checkpoint')
        .where('checkpoint.hash', '=', hash)
        .where('checkpoint.task', '=', task)
        .$if(without.length > 0, (query) => query.where('checkpoint.run', 'not in', without))
        .orderBy('run.sequence')
        .orderBy('checkpoint.round')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : toCheckpoint(row);
    },
    weights: async (hash) => toFloat32(await blobs.get(hash)),
    putMetrics: (measured) => db.transaction().execute((transaction) => putMeasured(transaction, measured)),

    async appendEvents(events) {
      // PostgreSQL has no place for the character zero; JSON escapes it.
      const storable = events.map(({ message, data = null, ...event }) => ({
        ...event,
        message: message.replaceAll('\0', '\uFFFD'),
        data,
      }));
      return db.transaction().execute(async (transaction) => {
        const stored: Event[] = [];
        for (let at = 0; at < storable.length; at += EVENTS_AN_INSERT) {
          const some = storable.slice(at, at + EVENTS_AN_INSERT);
          const values = some.map(({ data, ...event }) => ({
            ...event,
            data: data === null ? null : JSON.stringify(data),
          }));
          const rows = await transaction.insertInto('event').values(values).returning('id').execute();
          // Numbered in the order of the values; told in any.
          const ids = rows.map(({ id }) => id).sort((a, b) => a - b);
          for (const [i, event] of some.entries()) stored.push({ id: ids[i] as number, ...event });
        }
        return stored;
      });
    },
    async events({ run, after, before, limit = EVENTS_A_PAGE }) {
      let query = db.selectFrom('event').selectAll();
      if (after !== undefined) query = query.where('id', '>', after);
      if (before !== undefined) query = query.where('id', '<', before);
      if (run !== undefined) query = query.where('run', '=', storable(run));
      const ascending = after !== undefined;
      const rows = await query
        .orderBy('id', ascending ? 'asc' : 'desc')
        .limit(limit)
        .execute();
      if (!ascending && before === undefined) rows.reverse();
      return rows.map((row) => ({
        ...row,
        level: row.level as Event['level'],
        data: row.data === null ? null : (JSON.parse(row.data) as Event['data']),
      }));
    },
    async forgetEvents(before) {
      await db.deleteFrom('event').where('id', '<', before).execute();
    },

    ...sqlAdmins(db),
    ...sqlAdmission(db),
    ...sqlParticipants(db),
    ...sqlPeriods(db),
    ...sqlPolicies(db),
    ...sqlFirings(db),
    ...sqlReferences(db),
    ...sqlReleases(db, exclusively),
    ...sqlWeights(db, { blobs, exclusively, sweep }),

    async close() {
      await db.destroy();
      await blobs.close();
      await closed?.();
    },
  };
  return named(storage, where, before);
}

/** Inserts a run under the next number of its task. An id that exists in spite of the counter is skipped. */
async function insertRun(db: Transaction<Tables>, run: NewRun['run']): Promise<RunRecord> {
  const sequence = await nextNumber(db, RUNS);
  for (;;) {
    const record = { id: `${run.task.id}-${await nextNumber(db, runsOf(run.task.id))}`, sequence, ...run };
    const added = await db
      .insertInto('run')
      .values({
        id: record.id,
        created_at: record.createdAt,
        task: record.task.id,
        sequence,
        json: writeRun(record),
      })
      .onConflict((c) => c.column('id').doNothing())
      .returning('id')
      .executeTakeFirst();
    if (added !== undefined) return record;
  }
}

async function putRun(db: Db, run: RunRecord): Promise<void> {
  const put = await db
    .updateTable('run')
    .set({ json: writeRun(run) })
    .where('id', '=', run.id)
    .returning('id')
    .executeTakeFirst();
  if (put === undefined) throw runGone(run.id);
}

async function putRound(db: Db, round: Round): Promise<void> {
  const json = JSON.stringify(round);
  await db
    .insertInto('round')
    .values({ run: round.run, round: round.round, attempt: round.attempt, json })
    .onConflict((c) => c.columns(['run', 'round', 'attempt']).doUpdateSet({ json }))
    .execute();
}

async function putMeasured(db: Db, { checkpoint, round }: Measured): Promise<void> {
  const { central, federated, typicalLoss = null } = checkpoint;
  await db
    .updateTable('checkpoint')
    .set({
      central: jsonOrNull(central),
      federated: federated === null ? null : JSON.stringify({ ...federated, typicalLoss }),
    })
    .where('run', '=', checkpoint.run)
    .where('round', '=', checkpoint.round)
    .execute();
  if (round !== null) await putRound(db, round);
}

function toCheckpoint(row: Selectable<Tables['checkpoint']>): Checkpoint {
  return {
    id: checkpointId(row.run, row.round),
    hash: row.hash,
    run: row.run,
    task: row.task,
    round: row.round,
    parent: row.parent,
    createdAt: row.created_at,
    central: parseOrNull(row.central),
    federated: federatedOf(row)?.metrics ?? null,
    parameters: row.parameters,
  };
}

/** Metrics of participants, as stored; the median of their losses lies beside them, and is left out of older rows. */
function federatedOf({ federated }: Pick<Selectable<Tables['checkpoint']>, 'federated'>): {
  metrics: Metrics;
  typicalLoss: number | null;
} | null {
  if (federated === null) return null;
  const { typicalLoss = null, ...metrics } = JSON.parse(federated) as Metrics & {
    typicalLoss?: number | null;
  };
  return { metrics, typicalLoss };
}

function toMeasured(row: Selectable<Tables['checkpoint']>): MeasuredCheckpoint {
  return { ...toCheckpoint(row), typicalLoss: federatedOf(row)?.typicalLoss ?? null };
}

/** A run as stored in its row, beside the version of its plan. */
function writeRun(run: RunRecord): string {
  return JSON.stringify({ ...run, planVersion: PLAN_VERSION });
}

/** @throws CoppiceError `storage-too-new` for a plan of a later version. */
function toRun({ json, sequence }: Selectable<Tables['run']>): RunRecord {
  const { planVersion, ...run } = JSON.parse(json) as RunRecord & { readonly planVersion?: number };
  return { ...run, sequence, task: toTask(run.task), plan: readStoredPlan(run.plan, planVersion) };
}

/** A stored task, with the fields that are newer than it. */
function toTask(stored: Omit<Task, 'heldOut'> & Partial<Task>): Task {
  return { heldOut: DEFAULT_HELD_OUT, ...stored };
}

function checkpointRow(
  { run, round, task, parent, createdAt, parameters, central, federated }: Omit<Checkpoint, 'id'>,
  { state }: Pick<StoredModel, 'state'>,
  { hash, tensors }: { hash: string; tensors: Record<string, string> },
): Insertable<Tables['checkpoint']> {
  return {
    run,
    round,
    task,
    hash,
    parent,
    created_at: createdAt,
    parameters,
    central: jsonOrNull(central),
    federated: jsonOrNull(federated),
    state_values: JSON.stringify(state.values),
    state_tensors: JSON.stringify(tensors),
  };
}

function jsonOrNull(metrics: Metrics | null): string | null {
  return metrics === null ? null : JSON.stringify(metrics);
}

function parseOrNull(json: string | null): Metrics | null {
  return json === null ? null : (JSON.parse(json) as Metrics);
}

/** Converts the database's own errors to `CoppiceError`s, in one place. */
function named(storage: Storage, where: string, before?: () => Promise<void>): Storage {
  return new Proxy(storage, {
    get(target, key) {
      const method = target[key as keyof Storage] as ((...args: unknown[]) => Promise<unknown>) | undefined;
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        try {
          if (key !== 'close') await before?.();
          return await method(...args);
        } catch (thrown) {
          throw storageError(thrown, where);
        }
      };
    },
  });
}
