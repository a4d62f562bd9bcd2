import type { Migration } from './migration.ts';

/** Blobs whose checkpoint was forgotten and that are still to be deleted, so that a crash in between leaves none behind. */
export const litter: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('litter')
    .addColumn('hash', text, (c) => c.primaryKey())
    .execute();
};
