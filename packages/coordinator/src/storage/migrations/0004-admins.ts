import type { Migration } from './migration.ts';

/** Admins, how they come in, and what they did. */
export const admins: Migration = async ({ schema }, { text, numbered }) => {
  await schema
    .createTable('admin')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('name', text, (c) => c.notNull().unique())
    .addColumn('role', text, (c) => c.notNull())
    .addColumn('password', text)
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('admin_session')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('hash', text, (c) => c.notNull().unique())
    .addColumn('admin', text)
    .addColumn('via', text, (c) => c.notNull())
    .addColumn('proof', text)
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('agent', text, (c) => c.notNull())
    .addColumn('address', text, (c) => c.notNull())
    .execute();
  await schema
    .createTable('api_token')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('hash', text, (c) => c.notNull().unique())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('scopes', text, (c) => c.notNull())
    .addColumn('admin', text)
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint')
    .addColumn('expires_at', 'bigint')
    .execute();
  await schema
    .createTable('admin_invitation')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('hash', text, (c) => c.notNull().unique())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('role', text, (c) => c.notNull())
    .addColumn('made_by', text, (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('used_at', 'bigint')
    .execute();
  await schema
    .createTable('audit')
    .addColumn('id', 'integer', (c) => numbered(c.primaryKey()))
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('admin', text)
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('action', text, (c) => c.notNull())
    .addColumn('target', text, (c) => c.notNull())
    .addColumn('detail', text, (c) => c.notNull())
    .addColumn('address', text, (c) => c.notNull())
    .execute();
};
