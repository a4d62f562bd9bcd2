import { type WatchedPeriod, WatchedPeriodSchema } from '@coppice/protocol';
import type { Kysely, Selectable } from 'kysely';
import { nextTurn } from '../turns.ts';
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
      const found: WatchedPeriod[] = [];
      // One a turn of the event loop: with a thousand columns, a period is more than a megabyte of JSON.
      while (found.length < limit) {
        let query = db.selectFrom('watched_period').selectAll().where('task', '=', task);
        const last = found.at(-1)?.period ?? before;
        if (last !== undefined) query = query.where('period', '<', last);
        const row = await query.orderBy('period', 'desc').limit(1).executeTakeFirst();
        if (row === undefined) break;
        if (found.length > 0) await nextTurn();
        found.push(periodOf(row));
      }
      return found;
    },
  };
}

function periodOf({
  started_at,
  ended_at,
  sums,
  verdict,
  ...row
}: Selectable<Tables['watched_period']>): WatchedPeriod {
  return WatchedPeriodSchema.parse({
    ...row,
    startedAt: started_at,
    endedAt: ended_at,
    sums: sums === null ? null : JSON.parse(sums),
    verdict: verdict === null ? null : JSON.parse(verdict),
  });
}
