import type { Migration } from './migration.ts';

/** Tasks, runs, rounds, checkpoints, events. */
export const first: Migration = async ({ schema }, { text, numbered }) => {
  await schema
    .createTable('task')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('json', text, (c) => c.notNull())
    .execute();
  await schema
    .createTable('run')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('json', text, (c) => c.notNull())
    .execute();
  await schema
    .createTable('round')
    .addColumn('run', text, (c) => c.notNull())
    .addColumn('round', 'integer', (c) => c.notNull())
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('json', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('round_key', ['run', 'round', 'attempt'])
    .execute();
  await schema
    .createTable('checkpoint')
    .addColumn('run', text, (c) => c.notNull())
    .addColumn('round', 'integer', (c) => c.notNull())
    .addColumn('task', text, (c) => c.notNull())
    .addColumn('hash', text, (c) => c.notNull())
    .addColumn('parent', text)
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('parameters', 'integer', (c) => c.notNull())
    .addColumn('central', text)
    .addColumn('federated', text)
    .addColumn('state_values', text, (c) => c.notNull())
    .addColumn('state_tensors', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('checkpoint_key', ['run', 'round'])
    .execute();
  await schema.createIndex('checkpoint_hash').on('checkpoint').column('hash').execute();
  await schema.createIndex('checkpoint_task').on('checkpoint').columns(['task', 'created_at']).execute();
  await schema
    .createTable('event')
    .addColumn('id', 'integer', (c) => numbered(c.primaryKey()))
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('run', text)
    .addColumn('round', 'integer')
    .addColumn('level', text, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('message', text, (c) => c.notNull())
    .execute();
};
