import type { Migration } from './migration.ts';

/** Who was ever here, so that newcomers can be told from those who come back. */
export const participants: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('participant')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('first_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .execute();
};
