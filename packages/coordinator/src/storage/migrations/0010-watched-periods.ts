import type { Migration } from './migration.ts';

/** Periods of monitored tasks that are over. */
export const watchedPeriods: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('watched_period')
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('period', 'integer', (c) => c.notNull())
    .addColumn('reference', text, (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint', (c) => c.notNull())
    .addColumn('reports', 'integer', (c) => c.notNull())
    .addColumn('sums', text)
    .addColumn('verdict', text)
    .addPrimaryKeyConstraint('watched_period_key', ['task', 'period'])
    .execute();
};
