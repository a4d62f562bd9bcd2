import { WatchedPeriodSchema } from '@coppice/protocol';
import type { Kysely } from 'kysely';
import { PERIODS_A_PAGE, type PeriodStorage } from './period-storage.ts';
import type { Tables } from './schema.ts';
import { spend } from './sql-references.ts';

/** The periods' part of `sqlStorage`. */
export function sqlPeriods(db: Kysely<Tables>): PeriodStorage {
  return {
    addPeriod: ({ startedAt, endedAt, sums, verdict, ...period }, spending = null) =>
      db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('watched_period')
          .values({
            ...period,
            started_at: startedAt,
            ended_at: endedAt,
            sums: sums === null ? null : JSON.stringify(sums),
            verdict: verdict === null ? null : JSON.stringify(verdict),
          })
          .onConflict((c) => c.columns(['task', 'period']).doNothing())
          .execute();
        await spend(transaction, period.task, spending);
      }),
    async periods(task, { before, limit = PERIODS_A_PAGE } = {}) {
      let query = db.selectFrom('watched_period').selectAll().where('task', '=', task);
      if (before !== undefined) query = query.where('period', '<', before);
      const rows = await query.orderBy('period', 'desc').limit(limit).execute();
      return rows.map(({ started_at, ended_at, sums, verdict, ...row }) =>
        WatchedPeriodSchema.parse({
          ...row,
          startedAt: started_at,
          endedAt: ended_at,
          sums: sums === null ? null : JSON.parse(sums),
          verdict: verdict === null ? null : JSON.parse(verdict),
        }),
      );
    },
  };
}
