import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Firings of tasks' triggers. */
export const firings: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('firing')
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('sequence', 'integer', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('json', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('firing_key', ['task', 'sequence'])
    .execute();
  // One of a task goes on at a time, and is found without the others.
  await schema
    .createIndex('firing_open')
    .unique()
    .on('firing')
    .column('task')
    .where(sql.ref('state'), '!=', 'ended')
    .execute();
};
