import type { Migration } from './migration.ts';

/** Admission to runs: modes, invitations, lists and bans. */
export const admission: Migration = async ({ schema }, { text }) => {
  await schema
    .createTable('run_admission')
    .addColumn('run', text, (c) => c.primaryKey())
    .addColumn('admission', text, (c) => c.notNull())
    .execute();
  await schema
    .createTable('run_invitation')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('run', text, (c) => c.notNull())
    .addColumn('hash', text, (c) => c.notNull().unique())
    .addColumn('label', text, (c) => c.notNull())
    .addColumn('made_by', text, (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('uses', 'integer', (c) => c.notNull())
    .addColumn('max_uses', 'integer')
    .addColumn('revoked_at', 'bigint')
    .execute();
  await schema
    .createTable('listed_participant')
    .addColumn('run', text, (c) => c.notNull())
    .addColumn('participant', text, (c) => c.notNull())
    .addColumn('invitation', text)
    .addColumn('note', text, (c) => c.notNull())
    .addColumn('made_by', text, (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('listed_participant_key', ['run', 'participant'])
    .execute();
  await schema
    .createTable('ban')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('participant', text, (c) => c.notNull())
    .addColumn('run', text)
    .addColumn('reason', text, (c) => c.notNull())
    .addColumn('made_by', text, (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
};
