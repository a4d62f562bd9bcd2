import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './schema.ts';

/** Counts all runs of a coordinator. */
export const RUNS = 'runs';

/** Counts the runs of one task. No task has an id with a slash. */
export function runsOf(task: string): string {
  return `runs/${task}`;
}

/**
 * The next number of a counter, from 1. A number is given out once: two transactions wait for each other at the
 * counter's row, and what is deleted later leaves the counter as it is.
 */
export async function nextNumber(db: Kysely<Tables> | Transaction<Tables>, name: string): Promise<number> {
  const { value } = await db
    .insertInto('counter')
    .values({ name, value: 1 })
    .onConflict((c) => c.column('name').doUpdateSet((e) => ({ value: e('counter.value', '+', 1) })))
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}
