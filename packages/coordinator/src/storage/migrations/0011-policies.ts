import type { Migration } from './migration.ts';

/** Policies of tasks in all their versions, references of releases, the ledger of privacy, and secrets of watches. */
export const policies: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('task_policy')
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('cause', text, (c) => c.notNull())
    .addColumn('policy', text)
    .addPrimaryKeyConstraint('task_policy_key', ['task', 'version'])
    .execute();
  await schema
    .createTable('release_reference')
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('release', 'integer', (c) => c.notNull())
    .addColumn('checkpoint', text, (c) => c.notNull())
    .addColumn('hash', text, (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('binning', text, (c) => c.notNull())
    .addColumn('reference', text)
    .addPrimaryKeyConstraint('release_reference_key', ['task', 'release'])
    .execute();
  await schema
    .createTable('privacy_spent')
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('exchange', text, (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('rho', 'double precision', (c) => c.notNull())
    .addPrimaryKeyConstraint('privacy_spent_key', ['task', 'exchange'])
    .execute();
  await schema
    .createTable('watch_secret')
    .addColumn('task', text, (c) => c.primaryKey())
    .addColumn('secret', text, (c) => c.notNull())
    .execute();
  await schema.alterTable('watched_period').addColumn('release', 'integer').execute();
  await schema
    .alterTable('watched_period')
    .addColumn('noise', 'double precision', (c) => c.notNull().defaultTo(0))
    .execute();
};
