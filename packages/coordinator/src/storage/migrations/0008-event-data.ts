import type { Migration } from './migration.ts';

/** Facts of events, for programs. */
export const eventData: Migration = async ({ schema }, { text }) => {
  await schema.alterTable('event').addColumn('data', text).execute();
};
