import type { Migration } from './migration.ts';

/** Participants and their last presence, to tell new ones from known ones. */
export const participants: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('participant')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('first_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .execute();
};
