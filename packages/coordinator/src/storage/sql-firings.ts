import type { Kysely } from 'kysely';
import { firingsOf, nextNumber } from './counters.ts';
import { FIRINGS_A_PAGE, type FiringStorage, StoredFiringSchema } from './firing-storage.ts';
import type { Tables } from './schema.ts';
import { spend } from './sql-references.ts';
import { firingChanged, firingOpen } from './storage-error.ts';

/** The firings' part of `sqlStorage`. */
export function sqlFirings(db: Kysely<Tables>): FiringStorage {
  const read = ({ json }: { json: string }) => StoredFiringSchema.parse(JSON.parse(json));
  const openOnes = () => db.selectFrom('firing').select('json').where('state', '!=', 'ended');
  return {
    addFiring: (given) =>
      db.transaction().execute(async (transaction) => {
        const { task } = given;
        // First, so that firings of one task wait for each other at its counter.
        const sequence = await nextNumber(transaction, firingsOf(task));
        const open = await transaction
          .selectFrom('firing')
          .select('sequence')
          .where('task', '=', task)
          .where('state', '!=', 'ended')
          .executeTakeFirst();
        if (open !== undefined) throw firingOpen(task);
        const json = JSON.stringify({ ...given, sequence, revision: 1 });
        await transaction
          .insertInto('firing')
          .values({ task, sequence, revision: 1, state: given.state, json })
          .execute();
        return read({ json });
      }),
    putFiring: (given, spending = null) =>
      db.transaction().execute(async (transaction) => {
        const { task, sequence, revision } = given;
        const json = JSON.stringify({ ...given, revision: revision + 1 });
        const changed = await transaction
          .updateTable('firing')
          .set({ revision: revision + 1, state: given.state, json })
          .where('task', '=', task)
          .where('sequence', '=', sequence)
          .where('revision', '=', revision)
          .returning('sequence')
          .executeTakeFirst();
        if (changed === undefined) throw firingChanged(task, sequence);
        await spend(transaction, task, spending);
        return read({ json });
      }),
    async openFiring(task) {
      const row = await openOnes().where('task', '=', task).executeTakeFirst();
      return row === undefined ? null : read(row);
    },
    async openFirings() {
      return (await openOnes().orderBy('task').execute()).map(read);
    },
    async firings(task, { before, limit = FIRINGS_A_PAGE } = {}) {
      let query = db.selectFrom('firing').select('json').where('task', '=', task);
      if (before !== undefined) query = query.where('sequence', '<', before);
      return (await query.orderBy('sequence', 'desc').limit(limit).execute()).map(read);
    },
  };
}
