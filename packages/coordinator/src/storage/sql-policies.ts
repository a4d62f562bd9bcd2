import { PolicySchema } from '@coppice/continuity';
import { CauseSchema } from '@coppice/protocol';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { PolicyStorage, StoredPolicy } from './policy-storage.ts';
import type { Tables } from './schema.ts';
import { policyConflict } from './storage-error.ts';

type Db = Kysely<Tables> | Transaction<Tables>;

/** The policies' part of `sqlStorage`. */
export function sqlPolicies(db: Kysely<Tables>): PolicyStorage {
  return {
    policy: (task) => lastPolicy(db, task),
    async policyVersion(task, version) {
      const row = await db
        .selectFrom('task_policy')
        .selectAll()
        .where('task', '=', task)
        .where('version', '=', version)
        .executeTakeFirst();
      return row === undefined ? null : toPolicy(row);
    },
    putPolicy: ({ task, expected, at, by, policy }) =>
      db.transaction().execute(async (transaction) => {
        const last = await lastPolicy(transaction, task);
        if ((last?.version ?? null) !== expected) throw policyConflict(task, last);
        const version = (expected ?? 0) + 1;
        // Of two at one moment the second finds the version taken.
        const added = await transaction
          .insertInto('task_policy')
          .values({
            task,
            version,
            at,
            cause: JSON.stringify(by),
            policy: policy === null ? null : JSON.stringify(policy),
          })
          .onConflict((c) => c.columns(['task', 'version']).doNothing())
          .returning('version')
          .executeTakeFirst();
        if (added === undefined) throw policyConflict(task, await lastPolicy(transaction, task));
        return { task, version, at, by, policy };
      }),
  };
}

async function lastPolicy(db: Db, task: string): Promise<StoredPolicy | null> {
  const row = await db
    .selectFrom('task_policy')
    .selectAll()
    .where('task', '=', task)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : toPolicy(row);
}

function toPolicy({ cause, policy, ...row }: Selectable<Tables['task_policy']>): StoredPolicy {
  return {
    ...row,
    by: CauseSchema.parse(JSON.parse(cause)),
    policy: policy === null ? null : PolicySchema.parse(JSON.parse(policy)),
  };
}
