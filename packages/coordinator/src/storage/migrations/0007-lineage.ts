import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration.ts';

/** The parts of the tables that this step reads. */
interface Run {
  readonly id: string;
  readonly task: string;
  readonly json: string;
}
interface Launch {
  readonly target: string;
  readonly name: string;
}

/**
 * The order in which runs were made, and counters that give each number out once. The order of a task's runs is
 * that of their numbers; among tasks it follows the dates, which are all that there is.
 *
 * The parent of a checkpoint becomes its identity, `<run>/<round>`, in the place of a hash. A run gets its cause: the
 * audit log holds the name of its admin.
 */
export const lineage: Migration = async (db, { text }) => {
  const { schema } = db;
  await schema
    .createTable('counter')
    .addColumn('name', text, (c) => c.primaryKey())
    .addColumn('value', 'integer', (c) => c.notNull())
    .execute();
  await schema
    .alterTable('run')
    .addColumn('sequence', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  const { rows } = await sql<Run>`select id, task, json from run order by created_at, id`.execute(db);
  const launches = await sql<Launch>`select target, name from audit where action = 'run-launched'`.execute(
    db,
  );
  const admins = new Map(launches.rows.map(({ target, name }) => [target, name]));
  for (const [at, { id, json }] of inOrder(rows).entries()) {
    const cause = { by: 'admin', name: admins.get(id) ?? '' };
    const amended = JSON.stringify({ ...JSON.parse(json), from: null, cause });
    await sql`update run set sequence = ${at + 1}, json = ${amended} where id = ${id}`.execute(db);
  }
  await sql`update checkpoint set parent = run || '/' || cast(round - 1 as text) where round > 0`.execute(db);
  await schema.createIndex('run_sequence').on('run').column('sequence').unique().execute();
  if (rows.length > 0) await setCounter(db, 'runs', rows.length);
  for (const task of new Set(rows.map((run) => run.task))) {
    const numbers = rows.filter((run) => run.task === task).map(({ id }) => numberOf(id));
    await setCounter(db, `runs/${task}`, Math.max(...numbers));
  }
};

/** Each task's runs stand in the places that the dates give to the task, in the order of their numbers. */
function inOrder(byDate: readonly Run[]): Run[] {
  const ofTask = new Map<string, Run[]>();
  for (const run of byDate) ofTask.set(run.task, [...(ofTask.get(run.task) ?? []), run]);
  for (const runs of ofTask.values()) runs.sort((a, b) => numberOf(a.id) - numberOf(b.id));
  return byDate.map(({ task }) => ofTask.get(task)?.shift() as Run);
}

function numberOf(id: string): number {
  return Number(/\d+$/.exec(id)?.[0] ?? 0);
}

async function setCounter(db: Kysely<unknown>, name: string, value: number): Promise<void> {
  await sql`insert into counter (name, value) values (${name}, ${value})`.execute(db);
}
