import type { Migration } from './migration.ts';

/** What an event says, for programs. */
export const eventData: Migration = async ({ schema }, { text }) => {
  await schema.alterTable('event').addColumn('data', text).execute();
};
