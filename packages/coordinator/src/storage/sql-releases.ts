import {
  type Cause,
  type Channel,
  type CheckpointId,
  channels,
  type Json,
  partsOfCheckpointId,
  type Release,
} from '@coppice/protocol';
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import { nextNumber, releasesOf } from './counters.ts';
import { type NewRelease, RELEASES_A_PAGE, type ReleaseStorage } from './release-storage.ts';
import type { Tables } from './schema.ts';
import { storable } from './storable-text.ts';
import { checkpointGone, releaseConflict } from './storage-error.ts';

type Db = Kysely<Tables> | Transaction<Tables>;

/**
 * The releases' part of `sqlStorage`.
 *
 * @param exclusively runs work while nothing is deleted.
 */
export function sqlReleases(
  db: Kysely<Tables>,
  exclusively: <T>(work: () => Promise<T>) => Promise<T>,
): ReleaseStorage {
  return {
    moveChannel: (move) =>
      exclusively(() => db.transaction().execute((transaction) => insertRelease(transaction, move))),
    lastRelease: (task, channel, at) => lastRelease(db, task, channel, at),
    async release(task, sequence) {
      const row = await db
        .selectFrom('release_move')
        .selectAll()
        .where('task', '=', task)
        .where('sequence', '=', sequence)
        .executeTakeFirst();
      return row === undefined ? null : toRelease(row);
    },
    async releases(task, { channel, after, before, limit = RELEASES_A_PAGE }) {
      let query = db.selectFrom('release_move').selectAll().where('task', '=', task);
      if (channel !== undefined) query = query.where('channel', '=', channel);
      if (after !== undefined) query = query.where('sequence', '>', after);
      if (before !== undefined) query = query.where('sequence', '<', before);
      const rows = await query
        .orderBy('sequence', after === undefined ? 'desc' : 'asc')
        .limit(limit)
        .execute();
      return rows.map(toRelease);
    },
  };
}

/** Records a move in a transaction. Its number comes first: moves of one task wait for each other at its counter. */
async function insertRelease(
  db: Transaction<Tables>,
  { task, channel, checkpoint, expected, undoes, at, by, reason, evidence }: NewRelease,
): Promise<Release> {
  const sequence = await nextNumber(db, releasesOf(task));
  const last = await lastRelease(db, task, channel);
  if ((last?.sequence ?? null) !== expected) throw releaseConflict(task, channel, last);
  const row: Insertable<Tables['release_move']> = {
    task,
    sequence,
    channel,
    checkpoint,
    hash: checkpoint === null ? null : await hashOf(db, task, checkpoint),
    before: last?.checkpoint ?? null,
    undoes,
    at,
    cause: JSON.stringify(by),
    reason: storable(reason),
    evidence: evidence === null ? null : JSON.stringify(evidence),
  };
  return toRelease(await db.insertInto('release_move').values(row).returningAll().executeTakeFirstOrThrow());
}

async function hashOf(db: Db, task: string, id: CheckpointId): Promise<string> {
  const { run, round } = partsOfCheckpointId(id);
  const row = await db
    .selectFrom('checkpoint')
    .select('hash')
    .where('run', '=', run)
    .where('round', '=', round)
    .where('task', '=', task)
    .executeTakeFirst();
  if (row === undefined) throw checkpointGone(id);
  return row.hash;
}

async function lastRelease(db: Db, task: string, channel: Channel, at?: number): Promise<Release | null> {
  let query = db
    .selectFrom('release_move')
    .selectAll()
    .where('task', '=', task)
    .where('channel', '=', channel);
  if (at !== undefined) query = query.where('at', '<=', at);
  const row = await query.orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  return row === undefined ? null : toRelease(row);
}

/** The checkpoints that channels of a task name now or, where a time is given, named then or later. */
export async function releasedSince(db: Db, task: string, since?: number): Promise<Set<CheckpointId>> {
  const named: (CheckpointId | null)[] = [];
  if (since !== undefined) {
    const rows = await db
      .selectFrom('release_move')
      .select(['checkpoint', 'before'])
      .where('task', '=', task)
      .where('at', '>=', since)
      .execute();
    // A move since then tells what the channel named until it, too.
    for (const { checkpoint, before } of rows) named.push(checkpoint, before);
  }
  for (const channel of channels) named.push((await lastRelease(db, task, channel))?.checkpoint ?? null);
  return new Set(named.filter((id) => id !== null));
}

function toRelease({ cause, evidence, ...row }: Selectable<Tables['release_move']>): Release {
  return {
    ...row,
    channel: row.channel as Channel,
    by: JSON.parse(cause) as Cause,
    evidence: evidence === null ? null : (JSON.parse(evidence) as Json),
  };
}
