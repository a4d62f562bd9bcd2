import { BinningSchema, ReferenceSchema } from '@coppice/continuity';
import { CheckpointIdSchema } from '@coppice/protocol';
import type { Kysely, Transaction } from 'kysely';
import type { ReferenceStorage, Spending } from './reference-storage.ts';
import type { Tables } from './schema.ts';

/** The part of `sqlStorage` for references, the ledger and secrets. */
export function sqlReferences(db: Kysely<Tables>): ReferenceStorage {
  return {
    async reference(task, release) {
      const row = await db
        .selectFrom('release_reference')
        .selectAll()
        .where('task', '=', task)
        .where('release', '=', release)
        .executeTakeFirst();
      if (row === undefined) return null;
      const { binning, reference } = row;
      return {
        ...row,
        checkpoint: CheckpointIdSchema.parse(row.checkpoint),
        binning: BinningSchema.parse(JSON.parse(binning)),
        reference: reference === null ? null : ReferenceSchema.parse(JSON.parse(reference)),
      };
    },
    putReference: ({ binning, reference, ...known }, spending) =>
      db.transaction().execute(async (transaction) => {
        const row = {
          ...known,
          binning: JSON.stringify(binning),
          reference: reference === null ? null : JSON.stringify(reference),
        };
        const { at, binning: bins, reference: made } = row;
        await transaction
          .insertInto('release_reference')
          .values(row)
          .onConflict((c) =>
            c
              .columns(['task', 'release'])
              .doUpdateSet({ at, binning: bins, reference: made })
              .where('release_reference.reference', 'is', null),
          )
          .execute();
        await spend(transaction, known.task, spending);
      }),
    async spentRho(task) {
      const { rho } = await db
        .selectFrom('privacy_spent')
        .select((e) => e.fn.sum<number | null>('rho').as('rho'))
        .where('task', '=', task)
        .executeTakeFirstOrThrow();
      return rho ?? 0;
    },
    async watchSecret(task, fresh) {
      await db
        .insertInto('watch_secret')
        .values({ task, secret: fresh })
        .onConflict((c) => c.column('task').doNothing())
        .execute();
      const { secret } = await db
        .selectFrom('watch_secret')
        .select('secret')
        .where('task', '=', task)
        .executeTakeFirstOrThrow();
      return secret;
    },
  };
}

/** Counts the cost of an exchange, once. */
export async function spend(db: Transaction<Tables>, task: string, spending: Spending | null): Promise<void> {
  if (spending === null) return;
  await db
    .insertInto('privacy_spent')
    .values({ task, ...spending })
    .onConflict((c) => c.columns(['task', 'exchange']).doNothing())
    .execute();
}
