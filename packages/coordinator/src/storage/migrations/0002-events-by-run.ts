import type { Migration } from './migration.ts';

/** The last events of one run are found without reading everybody else's. */
export const eventsByRun: Migration = async ({ schema }) => {
  await schema.createIndex('event_run').on('event').columns(['run', 'id']).execute();
};
