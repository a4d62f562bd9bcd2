import type { Migration } from './migration.ts';

/** Weights that were given with tasks, and those that wait for their task. */
export const weights: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('task_weights')
    .addColumn('task', text, (c) => c.primaryKey())
    .addColumn('hash', text, (c) => c.notNull())
    .execute();
  await schema
    .createTable('upload')
    .addColumn('hash', text, (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute();
};
