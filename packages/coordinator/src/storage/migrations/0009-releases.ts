import type { Migration } from './migration.ts';

/** Moves of channels, for ever. */
export const releases: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('release_move')
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('sequence', 'integer', (c) => c.notNull())
    .addColumn('channel', text, (c) => c.notNull())
    .addColumn('checkpoint', text)
    .addColumn('hash', text)
    .addColumn('before', text)
    .addColumn('undoes', 'integer')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('cause', text, (c) => c.notNull())
    .addColumn('reason', text, (c) => c.notNull())
    .addColumn('evidence', text)
    .addPrimaryKeyConstraint('release_move_key', ['task', 'sequence'])
    .execute();
  await schema
    .createIndex('release_move_channel')
    .on('release_move')
    .columns(['task', 'channel', 'sequence'])
    .execute();
};
